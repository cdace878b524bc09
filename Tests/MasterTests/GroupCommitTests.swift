import GRDB
import Glibc
import Synchronization
import Testing

import struct Executor.JobID

@testable import Master

@Suite struct GroupCommitTests {
    let scratch: DatabaseScratch

    init() throws { scratch = try DatabaseScratch() }

    /// Asks for something while the writer is kept, and gives all answers. The writer goes on when
    /// all requests wait.
    private func together<Value: Sendable>(
        _ database: MasterDatabase, count: Int,
        _ body: @escaping @Sendable (Int, WriteTransaction) throws -> Value
    ) async -> [Result<Value, MasterDatabaseError>] {
        let gate = Gate()
        return await withTaskGroup { group in
            group.addTask {
                try? await database.write { _ in gate.wait() }
                return nil as (Int, Result<Value, MasterDatabaseError>)?
            }
            while !gate.isEntered { await Task.yield() }
            for number in 0..<count {
                group.addTask {
                    do throws(MasterDatabaseError) {
                        return (number, .success(try await database.write { try body(number, $0) }))
                    } catch {
                        return (number, .failure(error))
                    }
                }
            }
            while database.waitingWrites < count { await Task.yield() }
            gate.open()
            var answers: [(Int, Result<Value, MasterDatabaseError>)] = []
            for await answer in group { if let answer { answers.append(answer) } }
            return answers.sorted { $0.0 < $1.0 }.map(\.1)
        }
    }

    @Test func `requests that wait together are committed together`() async throws {
        let commits = Mutex<[Int]>([])
        let database = try scratch.open { options in
            options.committed = { events in commits.withLock { $0.append(events.count) } }
        }
        defer { database.close() }
        let answers = await together(database, count: 300) { _, transaction in
            try transaction.submit(.example(), at: .now()).job.id
        }
        #expect(try Set(answers.map { try $0.get() }).count == 300)
        // 512 fit into a transaction.
        #expect(commits.withLock { $0 } == [300])
        #expect(try await database.unfinishedJobs().count == 300)
    }

    @Test func `one that fails among many is undone alone`() async throws {
        let told = Mutex<[JobEvent]>([])
        let database = try scratch.open { options in
            options.committed = { events in told.withLock { $0 += events } }
        }
        defer { database.close() }
        struct Refusal: Error {}
        let answers = await together(database, count: 100) { number, transaction in
            let job = try transaction.submit(.example("p\(number)"), at: .now()).job
            switch number {
            case 7: throw Refusal()
            case 23: try transaction.run("INSERT INTO plans VALUES (x'00', x'', 0)")
            case 42: try transaction.run("NONSENSE")
            case 99: _ = try transaction.transition(job.id, to: .success, reason: nil, at: .now())
            default: break
            }
            return job.id
        }
        let failed = answers.indices.filter { (try? answers[$0].get()) == nil }
        #expect(failed == [7, 23, 42, 99])
        let jobs = try await database.unfinishedJobs()
        let kept = Set(answers.compactMap { try? $0.get() })
        #expect(Set(jobs.map(\.id)) == kept)
        #expect(!jobs.contains { ["p7", "p23", "p42", "p99"].contains($0.request.pipeline) })
        // Who follows the events hears of what is on the disk, and of nothing else.
        #expect(Set(told.withLock { $0 }.map(\.job)) == kept)
        #expect(try await database.events(after: 0) == told.withLock { $0 })
        #expect(try await database.check().isEmpty)
    }

    @Test func `no more wait than may`() async throws {
        let database = try scratch.open { $0.bounds.mostWaiting = 10 }
        defer { database.close() }
        let gate = Gate()
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await database.write { _ in gate.wait() } }
            while !gate.isEntered { await Task.yield() }
            for _ in 0..<10 {
                group.addTask { _ = try await database.submit(.example()) }
            }
            while database.waitingWrites < 10 { await Task.yield() }
            let full = MasterDatabaseError.busy(path: scratch.file, .queueFull(waiting: 10))
            await #expect(throws: full) { try await database.submit(.example()) }
            gate.open()
            try await group.waitForAll()
        }
        #expect(try await database.unfinishedJobs().count == 10)
    }

    @Test func `no more read at once than may`() async throws {
        let database = try scratch.open { $0.mostReads = 1 }
        defer { database.close() }
        let gate = Gate()
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await database.read { _ in gate.wait() } }
            while !gate.isEntered { await Task.yield() }
            let full = MasterDatabaseError.busy(path: scratch.file, .queueFull(waiting: 1))
            await #expect(throws: full) { try await database.latestEvent() }
            gate.open()
            try await group.waitForAll()
        }
        #expect(try await database.latestEvent() == 0)
    }

    @Test func `no request waits longer than it may`() async throws {
        let database = try scratch.open { $0.bounds.longestWait = .milliseconds(50) }
        defer { database.close() }
        let gate = Gate()
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await database.write { _ in gate.wait() } }
            while !gate.isEntered { await Task.yield() }
            let late = MasterDatabaseError.busy(path: scratch.file, .waitedTooLong)
            group.addTask {
                await #expect(throws: late) { try await database.submit(.example("late")) }
            }
            while database.waitingWrites < 1 { await Task.yield() }
            try await Task.sleep(for: .milliseconds(60))
            gate.open()
            try await group.waitForAll()
        }
        #expect(try await !database.unfinishedJobs().contains { $0.request.pipeline == "late" })
        #expect(try await database.submit(.example()).isNew)
    }

    @Test func `a lock of another process is waited for, and no longer than said`() async throws {
        let database = try scratch.open { $0.lockWaitSeconds = 0.2 }
        defer { database.close() }
        let before = try await database.submit(.example()).job.id
        let script = """
            import sqlite3, sys, time
            c = sqlite3.connect(sys.argv[1], isolation_level=None)
            c.execute("BEGIN IMMEDIATE")
            print(end="x", flush=True)
            time.sleep(600)
            """
        var holder: ForeignProcess? = try ForeignProcess([
            "/usr/bin/python3", "-c", script, scratch.file,
        ])
        #expect(holder?.readByte() == UInt8(ascii: "x"))
        let busy = MasterDatabaseError.busy(path: scratch.file, .lockedByAnotherProcess)
        await #expect(throws: busy) { try await database.submit(.example()) }
        // Reads go on.
        #expect(try await database.job(before) != nil)
        async let waiting = database.submit(.example())
        holder = nil
        let made = try? await waiting
        // It was either in time or refused; either way nothing is lost and the next one is taken.
        let next = try await database.submit(.example()).job.id
        let expected = [before] + [made?.job.id].compactMap { $0 } + [next]
        #expect(try await database.unfinishedJobs().map(\.id) == expected)
    }

    @Test func `a thousand jobs at once need few commits`() async throws {
        let counter = CommitCounter()
        let database = try scratch.open { $0.committed = { _ in counter.add() } }
        defer { database.close() }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<1000 { group.addTask { _ = try await database.submit(.example()) } }
            try await group.waitForAll()
        }
        #expect(try await database.unfinishedJobs().count == 1000)
        #expect(counter.count < 500, "\(counter.count) commits")
    }
}

/// Keeps the thread of the writer until it is opened.
final class Gate: Sendable {
    private let entered = Atomic(false)
    private let opened = Atomic(false)

    /// Whether the thread is kept.
    var isEntered: Bool { entered.load(ordering: .acquiring) }

    func wait() {
        entered.store(true, ordering: .releasing)
        while !opened.load(ordering: .acquiring) { usleep(100) }
    }

    func open() { opened.store(true, ordering: .releasing) }
}

/// Counts commits that events came of.
final class CommitCounter: Sendable {
    private let number = Atomic(0)
    var count: Int { number.load(ordering: .relaxed) }
    func add() { number.add(1, ordering: .relaxed) }
}
