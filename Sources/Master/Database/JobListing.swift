internal import GRDB

internal import struct Executor.Timestamp

/// Finds the jobs of a filter, latest first.
///
/// Every index of a column goes on with the time and the rest of the columns, so a page is read in
/// order from one index and stops when it is full. Which index is best depends on the values: a few
/// thousand entries of each are counted first, and that with the fewest is taken.
struct JobListing {
    let filter: JobFilter
    let cursor: JobCursor?
    let limit: Int

    /// The most jobs of a page.
    static let mostJobs = 500
    /// Entries of an index that are counted before it is taken for large.
    private static let mostCounted = 8000

    init(_ filter: JobFilter, before cursor: JobCursor?, limit: Int) {
        self.filter = filter
        self.cursor = cursor
        self.limit = min(max(1, limit), Self.mostJobs)
    }

    /// Reads the page.
    func page(in connection: Database) throws -> JobPage {
        guard let start = try start(in: connection) else { return JobPage(jobs: [], next: nil) }
        // One more than asked for tells whether there is a next page.
        let (numbers, arguments) = numbers(from: start, limit: limit + 1)
        let statement = try connection.makeStatement(
            sql: """
                SELECT \(Job.columns) FROM jobs WHERE number IN (\(numbers))
                ORDER BY created DESC, number DESC
                """)
        var jobs = try Job.all(statement, StatementArguments(arguments))
        guard jobs.count > limit else { return JobPage(jobs: jobs, next: nil) }
        jobs.removeLast(jobs.count - limit)
        return JobPage(jobs: jobs, next: jobs.last.map { JobCursor(after: $0) })
    }

    /// The index that a page is read from.
    private enum Start {
        case created
        case column(String)
        case states([JobState])
    }

    /// The index with the fewest entries; `nil` when one has none, so that no job can be found.
    private func start(in connection: Database) throws -> Start? {
        var best = Start.created
        var fewest = Int.max
        for (column, value) in filter.equalities {
            let found = try count(
                ("\(column) = ?", [value]), "jobs_by_\(column)", in: connection)
            if found == 0 { return nil }
            if found < fewest { (best, fewest) = (.column(column), found) }
            // So few rows are read faster than the rest is counted.
            if fewest < 50 { return best }
        }
        if let states = filter.states {
            let states = JobState.allCases.filter { states.contains($0) }
            var found = 0
            for state in states {
                found += try count(
                    ("state = ?", [state.rawValue]), "jobs_by_state", in: connection)
            }
            if found == 0 { return nil }
            if found < fewest { (best, fewest) = (.states(states), found) }
        }
        if filter.createdFrom != nil || filter.createdBefore != nil {
            let found = try count(range(), "jobs_by_created", in: connection)
            if found == 0 { return nil }
            if found < fewest { best = .created }
        }
        return best
    }

    private typealias Condition = (sql: String, arguments: [any DatabaseValueConvertible])

    private func count(
        _ condition: Condition, _ index: String, in connection: Database
    ) throws -> Int {
        let statement = try connection.cachedStatement(
            sql: """
                SELECT count(*) FROM (SELECT 1 FROM jobs INDEXED BY \(index)
                WHERE \(condition.sql) LIMIT \(Self.mostCounted))
                """)
        return try Int.fetchOne(
            statement, arguments: StatementArguments(condition.arguments)) ?? 0
    }

    /// A query of the numbers on the page.
    private func numbers(from start: Start, limit: Int) -> Condition {
        switch start {
        case .created:
            return one("number", "jobs_by_created", all(states: filter.states), limit)
        case .column(let column):
            return one("number", "jobs_by_\(column)", all(states: filter.states), limit)
        case .states(let states):
            let parts = states.map { state in
                one("number, created", "jobs_by_state", all(states: [state]), limit)
            }
            return (
                """
                SELECT number FROM (\(parts.map { "SELECT * FROM (\($0.sql))" }
                    .joined(separator: " UNION ALL ")))
                ORDER BY created DESC, number DESC LIMIT \(limit)
                """, parts.flatMap(\.arguments)
            )
        }
    }

    private func one(
        _ columns: String, _ index: String, _ condition: Condition, _ limit: Int
    ) -> Condition {
        (
            """
            SELECT \(columns) FROM jobs INDEXED BY \(index) WHERE \(condition.sql)
            ORDER BY created DESC, number DESC LIMIT \(limit)
            """, condition.arguments
        )
    }

    /// All that a job has to be.
    private func all(states: Set<JobState>?) -> Condition {
        var sql: [String] = []
        var arguments: [any DatabaseValueConvertible] = []
        for (column, value) in filter.equalities {
            sql.append("\(column) = ?")
            arguments.append(value)
        }
        if let states {
            let words = JobState.allCases.filter { states.contains($0) }.map(\.rawValue)
            sql.append(
                words.count == 1
                    ? "state = ?" : "state IN (\(words.map { _ in "?" }.joined(separator: ", ")))")
            arguments += words
        }
        let range = range()
        sql.append(range.sql)
        arguments += range.arguments
        if let cursor {
            sql.append("created <= ? AND (created < ? OR number < ?)")
            arguments += [cursor.created, cursor.created, cursor.number] as [Int64]
        }
        return (sql.joined(separator: " AND "), arguments)
    }

    private func range() -> Condition {
        let from = filter.createdFrom?.sinceEpoch ?? .min
        let before = filter.createdBefore?.sinceEpoch
        return before.map { ("created >= ? AND created < ?", [from, $0]) }
            ?? ("created >= ?", [from])
    }
}

extension MasterDatabase {
    /// A page of jobs, latest first; the first one without a cursor.
    func jobs(
        _ filter: JobFilter = JobFilter(), before cursor: JobCursor? = nil, limit: Int = 50
    ) async throws(MasterDatabaseError) -> JobPage {
        let listing = JobListing(filter, before: cursor, limit: limit)
        return try await read { try listing.page(in: $0) }
    }

    /// Jobs that have not ended, in the order of acceptance.
    func unfinishedJobs() async throws(MasterDatabaseError) -> [Job] {
        try await read { connection in
            let statement = try connection.makeStatement(
                sql: """
                    SELECT \(Job.columns) FROM jobs INDEXED BY jobs_unfinished
                    WHERE state IN ('pending', 'scheduling', 'waiting', 'running')
                    ORDER BY number
                    """)
            return try Job.all(statement, [])
        }
    }

    /// How many jobs are in each state.
    func jobCounts() async throws(MasterDatabaseError) -> [JobState: Int] {
        try await read { connection in
            let rows = try Row.fetchCursor(
                connection,
                sql: "SELECT state, count(*) FROM jobs INDEXED BY jobs_by_state GROUP BY state")
            var counts: [JobState: Int] = [:]
            while let row = try rows.next() {
                var fields = Fields(row, of: "jobs")
                let state = try fields.word(JobState.self)
                counts[state] = try fields.int()
            }
            return counts
        }
    }
}
