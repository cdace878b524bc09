import GRDB
import Glibc
import Testing

import struct Executor.JobID

@testable import Master

/// What becomes of the database when the disk or the process fails under it.
@Suite struct DatabaseFaultTests {
    let scratch: DatabaseScratch

    init() throws { scratch = try DatabaseScratch() }

    @Test func `what was acknowledged before the process was killed is there`() async throws {
        for round in 0..<5 {
            let folder = scratch.path
            await #expect(processExitsWith: .signal(SIGKILL)) {
                [folder = folder as String, round = round as Int] in
                let database = try MasterDatabase(folder: folder)
                let ledger = open("\(folder)/ledger", O_WRONLY | O_CREAT | O_APPEND, 0o600)
                guard ledger >= 0 else { exit(1) }
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for task in 0..<20 {
                        group.addTask {
                            for count in 0... {
                                let id = try await database.submit(.example()).job.id
                                let isRun = count.isMultiple(of: 2)
                                if isRun {
                                    _ = try await database.transition(id, to: .cancelled)
                                }
                                // One write of a whole line, as the outside sees it.
                                let line = Array("\(id) \(isRun ? "cancelled" : "pending")\n".utf8)
                                guard write(ledger, line, line.count) == line.count else { exit(1) }
                                if task == 0, count == 5 + 7 * round { kill(getpid(), SIGKILL) }
                            }
                        }
                    }
                    try await group.waitForAll()
                }
            }
            let database = try scratch.open()
            defer { database.close() }
            let lines = String(decoding: scratch.bytes("ledger"), as: UTF8.self)
                .split(separator: "\n").map { $0.split(separator: " ") }
            #expect(lines.count > round * 10)
            for line in lines {
                let id = try #require(JobID(String(line[0])))
                let job = try await database.job(id)
                #expect(job?.state.rawValue == String(line[1]))
            }
            #expect(try await database.check().isEmpty)
        }
    }

    /// Needs a file system of its own, which only root can mount.
    @Test(.enabled(if: geteuid() == 0, "only root can mount a small disk"))
    func `a full disk refuses writes, loses nothing, and is left by itself`() async throws {
        let disk = try SmallDisk(in: scratch)
        let database = try MasterDatabase(folder: disk.path)
        defer { database.close() }
        var kept: [JobID] = []
        var request = NewJob.example()
        request.parameters = "{\"text\":\"\(String(repeating: "x", count: 100_000))\"}"
        var refusals = 0
        while refusals < 3 {
            do throws(MasterDatabaseError) {
                kept.append(try await database.submit(request).job.id)
            } catch {
                #expect(error == .noSpace(path: "\(disk.path)/danube.db"))
                refusals += 1
            }
        }
        #expect(kept.count > 5)
        #expect(database.problem == nil)
        // Reads go on, and show what was acknowledged.
        #expect(try await database.unfinishedJobs().map(\.id) == kept)
        try disk.grow()
        kept.append(try await database.submit(request).job.id)
        #expect(try await database.unfinishedJobs().map(\.id) == kept)
        #expect(try await database.check().isEmpty)
        // A backup that does not fit leaves nothing.
        await #expect(throws: MasterDatabaseError.self) {
            try await database.backup(to: "\(disk.path)/full/copy")
        }
        #expect(DatabaseScratch.list("\(disk.path)/full").filter { $0 != "ballast" }.isEmpty)
    }

    @Test func `after an error of the disk nothing is answered any more but that`() async throws {
        let folder = scratch.path
        await #expect(processExitsWith: .success) { [folder = folder as String] in
            let told = CommitCounter()
            var options = MasterDatabase.Options()
            options.failed = { _ in told.add() }
            let database = try MasterDatabase(folder: folder, options: options)
            let job = try await database.submit(.example()).job
            // No file of this process may grow from now on, which write says with EFBIG: an error
            // of the disk that is not ENOSPC.
            signal(SIGXFSZ, SIG_IGN)
            var limit = rlimit(rlim_cur: 4096, rlim_max: .max)
            guard setrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit) == 0 else {
                exit(10)
            }
            func isFailed(_ body: () async throws -> Void) async -> Bool {
                do {
                    try await body()
                    return false
                } catch {
                    if case .failed = error as? MasterDatabaseError { return true }
                    return false
                }
            }
            guard await isFailed({ _ = try await database.submit(.example()) }) else { exit(11) }
            // The disk works again, and is not believed.
            limit.rlim_cur = .max
            guard setrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit) == 0 else {
                exit(12)
            }
            guard await isFailed({ _ = try await database.submit(.example()) }) else { exit(13) }
            guard await isFailed({ _ = try await database.job(job.id) }) else { exit(14) }
            guard await isFailed({ try await database.backup(to: folder + "/b") }) else { exit(15) }
            guard told.count == 1, database.problem != nil else { exit(16) }
            exit(0)
        }
        // A restart recovers.
        let database = try scratch.open()
        defer { database.close() }
        #expect(try await database.unfinishedJobs().count == 1)
        #expect(try await database.check().isEmpty)
    }

    @Test func `a row that cannot be read is named, and the others are of use`() async throws {
        let database = try scratch.open()
        defer { database.close() }
        let bad = try await database.submit(.example()).job
        let good = try await database.submit(.example()).job
        try scratch.raw {
            try $0.execute(
                sql: """
                    UPDATE jobs SET concurrency_group = 'g', concurrency_rule = 'x' WHERE number = 1
                    """)
        }
        let error = MasterDatabaseError.badRow(
            table: "jobs", row: "1", reason: "column 15 should be a ConcurrencyRule")
        await #expect(throws: error) { try await database.job(bad.id) }
        await #expect(throws: error) { try await database.transition(bad.id, to: .waiting) }
        #expect(try await database.transition(good.id, to: .waiting))
        #expect(database.problem == nil)
    }

    @Test func `a damaged page is told and ends the work`() async throws {
        var database = try scratch.open()
        for _ in 0..<50 { _ = try await database.submit(.example()) }
        database.close()
        let page = try scratch.raw {
            try Int.fetchOne($0, sql: "SELECT rootpage FROM sqlite_schema WHERE name = 'jobs'")
        }
        let start = try (#require(page) - 1) * 4096
        var bytes = scratch.bytes(MasterDatabase.fileName)
        bytes.replaceSubrange(start..<start + 64, with: [UInt8](repeating: 0xA5, count: 64))
        try scratch.write(MasterDatabase.fileName, bytes)
        database = try scratch.open()
        defer { database.close() }
        #expect(database.problem == nil)
        await #expect {
            try await database.unfinishedJobs()
        } throws: { error in
            if case .corrupt = error as? MasterDatabaseError { true } else { false }
        }
        await #expect {
            try await database.submit(.example())
        } throws: { error in
            if case .failed = error as? MasterDatabaseError { true } else { false }
        }
    }
}

/// A disk of two mebibytes, mounted for one test; `full` is another, of a few pages.
final class SmallDisk {
    let path: String

    init(in scratch: DatabaseScratch) throws {
        path = "\(scratch.path)/disk"
        try #require(mkdir(path, 0o700) == 0)
        try #require(mount("tmpfs", path, "tmpfs", 0, "size=2m") == 0)
        try #require(mkdir("\(path)/full", 0o700) == 0)
        try #require(mount("tmpfs", "\(path)/full", "tmpfs", 0, "size=64k") == 0)
    }

    /// Gives it more room.
    func grow() throws {
        try #require(mount("tmpfs", path, "tmpfs", UInt(MS_REMOUNT), "size=32m") == 0)
    }

    deinit {
        umount("\(path)/full")
        umount(path)
    }
}
