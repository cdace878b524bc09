import GRDB
import Glibc
import PipelineIR
import Testing

import struct Executor.JobID

@testable import Master

@Suite struct DatabaseBackupTests {
    let scratch: DatabaseScratch
    let target: DatabaseScratch

    init() throws {
        scratch = try DatabaseScratch()
        target = try DatabaseScratch()
    }

    private func locked(_ body: () throws -> Void) throws {
        let lock = open("\(target.path)/lock", O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        try #require(lock >= 0 && flock(lock, LOCK_EX | LOCK_NB) == 0)
        defer { close(lock) }
        try body()
    }

    @Test func `a backup made while jobs come is one state of the database`() async throws {
        let database = try scratch.open()
        defer { database.close() }
        var early: [JobID] = []
        for _ in 0..<200 { early.append(try await database.submit(.example()).job.id) }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<4 {
                group.addTask {
                    while !Task.isCancelled {
                        let id = try await database.submit(.example()).job.id
                        _ = try await database.transition(id, to: .cancelled)
                    }
                }
            }
            for round in 0..<5 {
                try await database.backup(to: "\(target.path)/\(round).backup")
            }
            group.cancelAll()
            try await group.waitForAll()
        }
        #expect(target.names() == (0..<5).map { "\($0).backup" })
        for round in 0..<5 {
            let restored = try DatabaseScratch()
            let restore = DatabaseRestore(
                folder: restored.path, backup: "\(target.path)/\(round).backup")
            #expect(try restore.run() == nil)
            let copy = try restored.open()
            defer { copy.close() }
            #expect(try await copy.check().isEmpty)
            let unfinished = try await Set(copy.unfinishedJobs().map(\.id))
            #expect(unfinished.isSuperset(of: early))
            var status = stat()
            #expect(stat(restored.file, &status) == 0 && status.st_mode & 0o777 == 0o600)
        }
    }

    @Test func `a database that nobody has open can be backed up too`() async throws {
        let database = try scratch.open()
        let id = try await database.submit(.example()).job.id
        database.close()
        try target.write("copy", Array("something else".utf8))
        try DatabaseBackup.write(folder: scratch.path, to: "\(target.path)/copy")
        #expect(target.names() == ["copy"])
        _ = try DatabaseRestore(folder: target.path, backup: "\(target.path)/copy").run()
        let copy = try target.open()
        defer { copy.close() }
        #expect(try await copy.job(id) != nil)
    }

    @Test(arguments: ["", "file:x", "/nonexistent/folder/x", "a\0b"])
    func `a place that is none is refused, and nothing is left`(place: String) async throws {
        let database = try scratch.open()
        defer { database.close() }
        let before = scratch.names()
        await #expect {
            try await database.backup(to: place)
        } throws: { error in
            if case .cannotWrite = error as? MasterDatabaseError { true } else { false }
        }
        #expect(scratch.names() == before)
        #expect(try await database.submit(.example()).isNew)
    }

    @Test func `a restore keeps what was there, with what was only in its log`() async throws {
        let old = try target.open()
        let oldJob = try await old.submit(.example("old")).job.id
        // It is not closed, as after a kill, so the job is in the log alone.
        let new = try scratch.open()
        let newJob = try await new.submit(.example("new")).job.id
        try await new.backup(to: "\(scratch.path)/copy")
        new.close()
        let other = try DatabaseScratch()
        for suffix in ["", "-wal"] {
            try other.write(
                MasterDatabase.fileName + suffix, target.bytes(MasterDatabase.fileName + suffix))
        }
        old.close()
        let kept = try DatabaseRestore(folder: other.path, backup: "\(scratch.path)/copy").run()
        #expect(kept == "\(other.file).replaced-1")
        #expect(other.names() == ["danube.db", "danube.db.replaced-1", "lock"])
        let database = try other.open()
        #expect(try await database.job(newJob)?.request.pipeline == "new")
        #expect(try await database.job(oldJob) == nil)
        database.close()
        // What was kept is whole, and can be put back.
        let back = DatabaseRestore(folder: other.path, backup: "\(other.file).replaced-1")
        #expect(try back.run() == "\(other.file).replaced-2")
        let again = try other.open()
        defer { again.close() }
        #expect(try await again.job(oldJob)?.request.pipeline == "old")
        #expect(try await again.check().isEmpty)
    }

    @Test func `a restore where a master runs is refused`() async throws {
        let database = try scratch.open()
        try await database.backup(to: "\(scratch.path)/copy")
        database.close()
        let restore = DatabaseRestore(folder: target.path, backup: "\(scratch.path)/copy")
        try locked {
            #expect(throws: MasterDatabaseError.inUse(path: target.path)) { try restore.run() }
        }
        #expect(target.names() == ["lock"])
        #expect(try restore.run() == nil)
    }

    @Test func `a backup that is none leaves the database as it was`() async throws {
        let database = try target.open()
        let id = try await database.submit(.example()).job.id
        database.close()
        let before = target.bytes(MasterDatabase.fileName)
        try locked {}
        let names = target.names()
        try scratch.open().close()
        var bytes = scratch.bytes(MasterDatabase.fileName)
        let page = try scratch.raw {
            try Int.fetchOne($0, sql: "SELECT rootpage FROM sqlite_schema WHERE name = 'steps'")
        }
        let start = try (#require(page) - 1) * 4096
        bytes.replaceSubrange(start..<start + 64, with: [UInt8](repeating: 0xA5, count: 64))
        try scratch.write("damaged", bytes)
        try scratch.write("cut", Array(bytes.prefix(9000)))
        try scratch.write("empty", [])
        try scratch.write("text", Array(String(repeating: "hello\n", count: 1000).utf8))
        let foreign = try DatabaseQueue(path: "\(scratch.path)/foreign")
        try await foreign.write { try $0.execute(sql: "CREATE TABLE recipes (x)") }
        try foreign.close()
        try scratch.raw { try $0.execute(sql: "PRAGMA user_version = 99") }
        for name in ["damaged", "cut", "empty", "text", "foreign", "danube.db", "missing", "."] {
            let restore = DatabaseRestore(folder: target.path, backup: "\(scratch.path)/\(name)")
            #expect(throws: MasterDatabaseError.self, "\(name)") { try restore.run() }
            #expect(target.bytes(MasterDatabase.fileName) == before)
            #expect(target.names() == names, "\(name)")
        }
        let again = try target.open()
        defer { again.close() }
        #expect(try await again.job(id) != nil)
    }

    @Test func `a check finds what SQL did behind the events' back`() async throws {
        let database = try scratch.open()
        defer { database.close() }
        let id = try await database.submit(.example()).job.id
        let plan = PlanDigest(Digest(ofUTF8: "p"))
        try await database.put(plan: [], digest: plan)
        try await database.setPlan(plan, steps: [JobStep(step: 0, id: "s", name: "S")], of: id)
        #expect(try await database.check().isEmpty)
        for (sql, undo, problem) in [
            (
                "UPDATE jobs SET state = 'running'", "UPDATE jobs SET state = 'pending'",
                "job \(id) is running, and its events say pending"
            ),
            (
                "UPDATE steps SET state = 'failed'", "UPDATE steps SET state = 'waiting'",
                "step 0 of job \(id) is not what the last event of it says"
            ),
            (
                "UPDATE steps SET attempts = 3", "UPDATE steps SET attempts = 0",
                "step 0 of job \(id) has another number of attempts than it says"
            ),
            (
                "PRAGMA foreign_keys = OFF; UPDATE jobs SET plan = zeroblob(32)",
                "PRAGMA foreign_keys = OFF; UPDATE jobs SET plan = (SELECT digest FROM plans)",
                "row 1 of jobs refers to nothing in plans"
            ),
            (
                "INSERT INTO removals VALUES (1)", "DELETE FROM removals",
                "step 0 of job \(id) is half forgotten"
            ),
        ] {
            try scratch.raw { try $0.execute(sql: sql) }
            #expect(try await database.check() == [problem])
            try scratch.raw { try $0.execute(sql: undo) }
            #expect(try await database.check().isEmpty)
        }
        try scratch.raw {
            try $0.execute(
                sql: """
                    INSERT INTO job_events (job, at, kind, body)
                    VALUES (1, 0, 'state', '{"from":"pending","to":"success"}')
                    """)
        }
        #expect(
            try await database.check() == [
                "an event brings job number 1 from pending to success, which was pending",
                "job \(id) is pending, and its events say success",
            ])
        try scratch.raw {
            try $0.execute(
                sql: "INSERT INTO job_events (job, at, kind, body) VALUES (1, 0, 'state', '{x}')")
        }
        #expect(try await database.check().first?.hasSuffix("is no JSON") == true)
    }
}
