import GRDB
import Glibc
import Testing

import struct Executor.JobID

@testable import Master

@Suite struct DatabaseOpeningTests {
    let scratch: DatabaseScratch

    init() throws { scratch = try DatabaseScratch() }

    @Test func `the connection that writes waits for the disk and checks references`() async throws
    {
        let database = try scratch.open()
        defer { database.close() }
        let pragmas = try await database.write { transaction in
            try [
                "synchronous", "foreign_keys", "secure_delete", "recursive_triggers",
                "busy_timeout",
            ]
            .map { try Int.fetchOne(transaction.connection, sql: "PRAGMA \($0)") }
        }
        #expect(pragmas == [2, 1, 1, 1, 5000])
        let mode = try await database.read {
            try String.fetchOne($0, sql: "PRAGMA journal_mode")
        }
        #expect(mode == "wal")
    }

    @Test func `every table is strict and there`() async throws {
        let database = try scratch.open()
        defer { database.close() }
        let tables = try await database.read { connection in
            try Row.fetchAll(
                connection, sql: "SELECT name, strict FROM pragma_table_list WHERE schema = 'main'"
            ).map { (name: $0[0] as String, isStrict: $0[1] as Bool) }
        }.filter { !$0.name.hasPrefix("sqlite_") }
        #expect(tables.allSatisfy { $0.isStrict })
        let asked: Set = [
            "users", "teams", "team_members", "pipelines", "pipeline_permissions", "jobs", "steps",
            "secrets", "artifacts", "plans", "job_events", "attempts", "cache_entries",
            "deliveries", "audit_log", "api_tokens",
        ]
        #expect(asked.isSubset(of: tables.map(\.name)))
    }

    @Test func `the files are the owner's alone`() async throws {
        let database = try scratch.open()
        defer { database.close() }
        _ = try await database.submit(.example())
        for suffix in ["", "-wal", "-shm"] {
            var status = stat()
            #expect(stat(scratch.file + suffix, &status) == 0)
            #expect(status.st_mode & 0o777 == 0o600, "\(suffix)")
        }
    }

    @Test func `a file of a newer version is refused and stays as it is`() async throws {
        try scratch.open().close()
        try scratch.raw { try $0.execute(sql: "PRAGMA user_version = 99") }
        let before = scratch.bytes(MasterDatabase.fileName)
        let error = MasterDatabaseError.newer(
            path: scratch.file, found: 99, known: Migrations.scripts.count)
        #expect(throws: error) { try scratch.open() }
        #expect(scratch.bytes(MasterDatabase.fileName) == before)
        #expect(error.description.contains("schema 99"))
        #expect(error.hint.contains("newer danube"))
    }

    @Test func `a newer version that is only in the log is refused too`() async throws {
        try scratch.open().close()
        // The connection that wrote it is open, so the log is not moved into the file.
        let other = try DatabasePool(path: scratch.file)
        try await other.writeWithoutTransaction {
            try $0.execute(sql: "PRAGMA user_version = 7; CREATE TABLE later (x)")
        }
        let before = scratch.bytes(MasterDatabase.fileName)
        #expect(
            throws: MasterDatabaseError.newer(
                path: scratch.file, found: 7, known: Migrations.scripts.count)
        ) { try scratch.open() }
        #expect(scratch.bytes(MasterDatabase.fileName) == before)
        try other.close()
    }

    @Test func `a database of another program is refused and stays as it is`() throws {
        try scratch.raw { try $0.execute(sql: "CREATE TABLE recipes (name TEXT)") }
        let before = scratch.bytes(MasterDatabase.fileName)
        #expect(throws: MasterDatabaseError.notOurs(path: scratch.file)) { try scratch.open() }
        #expect(scratch.bytes(MasterDatabase.fileName) == before)
    }

    @Test func `what is no database is refused and stays as it is`() throws {
        let text = Array(String(repeating: "no database at all\n", count: 500).utf8)
        try scratch.write(MasterDatabase.fileName, text)
        #expect {
            try scratch.open()
        } throws: { error in
            guard case .corrupt(let path, _) = error as? MasterDatabaseError else { return false }
            return path == scratch.file
        }
        #expect(scratch.bytes(MasterDatabase.fileName) == text)
    }

    @Test(arguments: ["folder", "link", "nowhere"])
    func `what is no file is refused`(kind: String) throws {
        var folder = scratch.path
        switch kind {
        case "folder": mkdir(scratch.file, 0o700)
        case "link": symlink("/etc/passwd", scratch.file)
        default: folder += "/missing"
        }
        #expect {
            try MasterDatabase(folder: folder)
        } throws: { error in
            guard case .cannotOpen(let path, let reason) = error as? MasterDatabaseError else {
                return false
            }
            return path == "\(folder)/danube.db" && !reason.isEmpty
        }
    }

    @Test func `an older file gets the scripts that it lacks, and its rows stay`() async throws {
        let first = try scratch.open()
        let job = try await first.submit(.example()).job
        first.close()
        let scripts = Migrations.scripts + ["CREATE TABLE later (x INTEGER) STRICT"]
        let second = try scratch.open { $0.migrations = scripts }
        defer { second.close() }
        #expect(try await second.job(job.id) == job)
        #expect(try await second.read { try $0.tableExists("later") })
        #expect(
            throws:
                MasterDatabaseError.newer(
                    path: scratch.file, found: scripts.count, known: Migrations.scripts.count)
        ) { try scratch.open() }
    }

    @Test(arguments: 1..<Migrations.scripts.count)
    func `a database of each version before this one is brought to it`(version: Int) async throws {
        try scratch.open { $0.migrations = Array(Migrations.scripts.prefix(version)) }.close()
        try scratch.raw {
            try $0.execute(
                sql: """
                    INSERT INTO jobs (id, created, state, pipeline, trigger, repository, file,
                        parameters, priority, ended)
                    VALUES ('6g4vh8w5j', 1, 'success', 'p', 'push', '/r', 'f', '{}', 0, 2)
                    """)
        }
        let database = try scratch.open()
        defer { database.close() }
        let id = try #require(JobID("6g4vh8w5j"))
        let job = try #require(try await database.job(id))
        #expect(job.state == .success && job.logsRemoved == nil)
        let count = JobCount(
            pipeline: "p", state: .success, bucket: 0, jobs: 1, milliseconds: 0)
        // From the second on, whoever ends a job counts it, which the statement above did not.
        #expect(try await database.endedJobs() == (version < 2 ? [count] : []))
        let gone = try await database.write {
            try $0.remove(.logs, of: [job.id], reason: "age", at: .now())
        }
        #expect(gone == [job.id])
    }

    @Test func `a script that fails leaves nothing behind`() async throws {
        try scratch.open().close()
        let scripts = Migrations.scripts + ["CREATE TABLE later (x INTEGER) STRICT", "NONSENSE"]
        #expect(throws: MasterDatabaseError.self) {
            try scratch.open { $0.migrations = scripts }
        }
        let database = try scratch.open()
        defer { database.close() }
        #expect(try await !database.read { try $0.tableExists("later") })
    }

    @Test func `a closed database answers that it is closed, and keeps nothing in its log`()
        async throws
    {
        let database = try scratch.open()
        let job = try await database.submit(.example()).job
        database.close()
        let closed = MasterDatabaseError.closed(path: scratch.file)
        await #expect(throws: closed) { try await database.submit(.example()) }
        await #expect(throws: closed) { try await database.job(job.id) }
        #expect(scratch.bytes(MasterDatabase.fileName + "-wal").isEmpty)
    }
}
