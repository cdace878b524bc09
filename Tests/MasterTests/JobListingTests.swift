import CSQLite
import GRDB
import Testing

import struct Executor.JobID
import struct Executor.Timestamp

@testable import Master

@Suite struct JobListingTests {
    let scratch: DatabaseScratch
    let database: MasterDatabase

    init() throws {
        scratch = try DatabaseScratch()
        database = try scratch.open()
    }

    private static let ends: [JobState?] = [
        nil, .success, .success, .failure, .timeout, .cancelled,
    ]

    /// Jobs of every kind, in the order of acceptance. Some are accepted at the same time, and the
    /// clock goes back once.
    private func fill(_ count: Int) async throws -> [Job] {
        let database = database
        return try await database.write { transaction in
            var numbers = SystemRandomNumberGenerator()
            func pick<Value>(_ values: [Value]) -> Value {
                values[Int.random(in: 0..<values.count, using: &numbers)]
            }
            var jobs: [Job] = []
            for count in 0..<count {
                var request = NewJob.example(pick(["build", "test", "deploy"]))
                request.team = pick([nil, "core", "web"])
                request.ref = pick([nil, "refs/heads/main", "refs/heads/x"])
                request.revision = pick([nil, "a1", "b2", "c3"])
                request.trigger = pick(["manual", "push"])
                let time = milliseconds(Int64(count == 150 ? 20 : count / 3))
                let id = try transaction.submit(request, at: time).job.id
                if let end = pick(Self.ends) {
                    for state in [.scheduling, .running, end] {
                        _ = try transaction.transition(id, to: state, reason: nil, at: time)
                    }
                }
                jobs.append(try JobTable.existing(id, in: transaction.connection))
            }
            return jobs
        }
    }

    private func expected(_ filter: JobFilter, of jobs: [Job]) -> [Job] {
        jobs.filter { job in
            if let wanted = filter.pipeline, wanted != job.request.pipeline { return false }
            if let wanted = filter.team, wanted != job.request.team { return false }
            if let wanted = filter.states, !wanted.contains(job.state) { return false }
            if let wanted = filter.ref, wanted != job.request.ref { return false }
            if let wanted = filter.revision, wanted != job.request.revision { return false }
            if let wanted = filter.trigger, wanted != job.request.trigger { return false }
            if let earliest = filter.createdFrom, job.created < earliest { return false }
            if let end = filter.createdBefore, job.created >= end { return false }
            return true
        }.sorted { ($0.created, $0.number) > ($1.created, $1.number) }
    }

    /// Every filter that can be made of a few values of each part.
    private func filters(of whole: JobFilter) -> [JobFilter] {
        (0..<256).map { bits in
            var filter = JobFilter()
            if bits & 1 != 0 { filter.pipeline = whole.pipeline }
            if bits & 2 != 0 { filter.team = whole.team }
            if bits & 4 != 0 { filter.states = whole.states }
            if bits & 8 != 0 { filter.ref = whole.ref }
            if bits & 16 != 0 { filter.revision = whole.revision }
            if bits & 32 != 0 { filter.trigger = whole.trigger }
            if bits & 64 != 0 { filter.createdFrom = whole.createdFrom }
            if bits & 128 != 0 { filter.createdBefore = whole.createdBefore }
            return filter
        }
    }

    @Test func `every filter finds what it says, page by page, latest first`() async throws {
        let jobs = try await fill(400)
        var whole = JobFilter()
        whole.pipeline = "build"
        whole.team = "core"
        whole.states = [.success, .pending, .cancelled]
        whole.ref = "refs/heads/main"
        whole.revision = "a1"
        whole.trigger = "push"
        whole.createdFrom = milliseconds(10)
        whole.createdBefore = milliseconds(110)
        for filter in filters(of: whole) {
            let wanted = expected(filter, of: jobs)
            var found: [Job] = []
            var cursor: JobCursor?
            repeat {
                let page = try await database.jobs(filter, before: cursor, limit: 7)
                #expect(page.jobs.count == min(7, wanted.count - found.count))
                found += page.jobs
                cursor = page.next
            } while cursor != nil && found.count <= wanted.count
            #expect(found == wanted, "\(filter)")
        }
    }

    @Test func `no state, an unknown word and a page of odd size are no error`() async throws {
        let jobs = try await fill(30)
        var filter = JobFilter()
        filter.states = []
        #expect(try await database.jobs(filter) == JobPage(jobs: [], next: nil))
        filter.revision = "a1"
        #expect(try await database.jobs(filter).jobs.isEmpty)
        filter = JobFilter()
        filter.pipeline = "x' OR 1 --\0"
        #expect(try await database.jobs(filter).jobs.isEmpty)
        #expect(try await database.jobs(limit: -1).jobs.count == 1)
        #expect(try await database.jobs(limit: .max).jobs.count == jobs.count)
        filter = JobFilter()
        filter.createdFrom = Timestamp(microseconds: .max)
        filter.createdBefore = Timestamp(microseconds: .min)
        #expect(try await database.jobs(filter).jobs.isEmpty)
    }

    @Test func `pages stay where they were while jobs come`() async throws {
        _ = try await fill(20)
        let first = try await database.jobs(limit: 5)
        _ = try await database.submit(.example())
        let second = try await database.jobs(before: first.next, limit: 5)
        let whole = try await database.jobs(limit: 11)
        #expect(Array(whole.jobs.dropFirst()) == first.jobs + second.jobs)
    }

    @Test func `a place in the list is a text that comes back`() async throws {
        let job = try await database.submit(.example()).job
        let cursor = JobCursor(after: job)
        #expect(JobCursor(cursor.description) == cursor)
        for text in ["", ".", "1", "1.", ".1", "1.2.3", "a.b", "1. 2", "99999999999999999999.1"] {
            #expect(JobCursor(text) == nil)
        }
        #expect(JobCursor("-1.-1") != nil)
    }

    @Test func `jobs are counted by state`() async throws {
        #expect(try await database.jobCounts().isEmpty)
        let jobs = try await fill(100)
        let counts = Dictionary(grouping: jobs, by: \.state).mapValues(\.count)
        #expect(try await database.jobCounts() == counts)
        #expect(
            try await database.unfinishedJobs() == jobs.filter { !$0.state.isTerminal })
    }

    /// A bound in milliseconds would tell of the machine; one in instructions of SQLite's does not.
    /// The smallest look at all jobs has three for each; one that asks for more has twenty.
    @Test func `no filter over 100,000 jobs takes a look at all of them, and most take none`()
        async throws
    {
        try await database.write { try $0.run(Self.manyJobs) }
        let kinds = try await database.read { connection in
            try Row.fetchAll(
                connection,
                sql: """
                    SELECT pipeline, team, state, ref, revision, trigger FROM jobs
                    WHERE number % 997 = 0
                    """
            ).map { row in (0..<6).map { row[$0] as String } }
        }
        let scan = try await work { connection in
            _ = try Int.fetchOne(
                connection, sql: "SELECT count(*) FROM jobs NOT INDEXED WHERE reason = 'x'")
        }
        var numbers = SystemRandomNumberGenerator()
        func pick(_ column: Int) -> String {
            kinds[Int.random(in: 0..<kinds.count, using: &numbers)][column]
        }
        var whole = JobFilter()
        var works: [Int] = []
        for bits in 0..<256 {
            if bits % 16 == 0 {
                whole.pipeline = pick(0)
                whole.team = pick(1)
                whole.states = Set([pick(2), pick(2)].compactMap { JobState(rawValue: $0) })
                whole.ref = pick(3)
                whole.revision = pick(4)
                whole.trigger = pick(5)
                let time = Int64.random(in: 0..<100_000, using: &numbers)
                whole.createdFrom = milliseconds(time)
                whole.createdBefore = milliseconds(time + 30_000)
            }
            let filter = filters(of: whole)[bits]
            let listing = JobListing(filter, before: nil, limit: 50)
            works.append(try await work { _ = try listing.page(in: $0) })
        }
        works.sort()
        #expect(works[works.count * 99 / 100] < scan * 5, "\(works.suffix(3)), scan \(scan)")
        #expect(works[works.count / 2] < scan / 20, "\(works[works.count / 2]), scan \(scan)")
    }

    /// How many instructions of SQLite's machine something takes, in hundreds.
    private func work(_ body: @escaping @Sendable (Database) throws -> Void) async throws -> Int {
        try await database.read { connection in
            var count = 0
            return try withUnsafeMutablePointer(to: &count) { count in
                let context = UnsafeMutableRawPointer(count)
                sqlite3_progress_handler(
                    connection.sqliteConnection, 100,
                    { context in
                        context?.assumingMemoryBound(to: Int.self).pointee += 1
                        return 0
                    }, context)
                defer { sqlite3_progress_handler(connection.sqliteConnection, 0, nil, nil) }
                try body(connection)
                return count.pointee
            }
        }
    }

    /// Kinds that are frequent, rare, and frequent but never together.
    private static let manyJobs = """
        WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100000),
        r AS MATERIALIZED (
            SELECT i, 1000 / (abs(random()) % 1000 + 25) AS pipeline, abs(random()) % 100 AS state,
                abs(random()) % 100 AS ref, abs(random()) % 100 AS trigger FROM n)
        INSERT INTO jobs (id, created, state, pipeline, team, trigger, ref, revision, repository,
            file, parameters, priority, started, ended)
        SELECT printf('%09d', i), i,
            CASE WHEN state < 70 THEN 'success' WHEN state < 90 THEN 'failure'
                WHEN state < 92 THEN 'timeout' ELSE 'cancelled' END,
            'pipeline-' || pipeline, 'team-' || (pipeline % 6),
            CASE WHEN trigger < 20 THEN 'cron' WHEN trigger < 80 THEN 'push'
                ELSE 'pull_request' END,
            CASE WHEN trigger < 20 THEN 'refs/heads/release'
                WHEN ref < 50 THEN 'refs/heads/main' ELSE 'refs/heads/feature-' || ref END,
            printf('%040d', i / 3), 'https://example.org/team/repository.git', 'danubefile.py',
            '{"target":"production"}', 0, i, i
        FROM r
        """
}
