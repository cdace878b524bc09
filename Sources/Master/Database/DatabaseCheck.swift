internal import GRDB

internal import struct Executor.JobID

/// What is wrong with a database, if anything: in the file, and in what it says.
enum DatabaseCheck {
    /// The most problems that are told.
    static let mostProblems = 100

    /// Checks pages, indices, and references between rows. One sentence for each problem.
    static func structure(of connection: Database) throws -> [String] {
        var problems = try String.fetchAll(
            connection, sql: "PRAGMA integrity_check(\(mostProblems))")
        if problems == ["ok"] { problems = [] }
        let rows = try Row.fetchCursor(connection, sql: "PRAGMA foreign_key_check")
        while let row = try rows.next(), problems.count < mostProblems {
            var fields = Fields(row, of: "foreign_key_check")
            let table = try fields.text()
            let number = try fields.optionalInteger().map { " \($0)" } ?? ""
            problems.append("row\(number) of \(table) refers to nothing in \(try fields.text())")
        }
        return problems
    }

    /// Checks that jobs and steps are what their events say. One sentence for each problem.
    static func content(of connection: Database) throws -> [String] {
        let unreadable = try Int64.fetchAll(
            connection,
            sql: """
                SELECT sequence FROM job_events WHERE NOT json_valid(body) LIMIT \(mostProblems)
                """)
        if !unreadable.isEmpty { return unreadable.map { "event \($0) is no JSON" } }
        var fold = JobFold()
        try fold.run(connection)
        var problems = fold.problems
        for (sql, sentence) in [
            (stepsThatDiffer, "is not what the last event of it says"),
            (attemptsThatDiffer, "has another number of attempts than it says"),
            ("SELECT job, 0 AS step FROM removals", "is half forgotten"),
        ] {
            let rows = try Row.fetchCursor(
                connection,
                sql: """
                    SELECT coalesce(j.id, 'number ' || p.job), p.step FROM (\(sql)) p
                    LEFT JOIN jobs j ON j.number = p.job LIMIT \(mostProblems)
                    """)
            while let row = try rows.next() {
                var fields = Fields(row, of: "steps")
                let job = try fields.text()
                problems.append("step \(try fields.int()) of job \(job) \(sentence)")
            }
        }
        return Array(problems.prefix(mostProblems))
    }

    /// Steps whose state is not that of the last event that names them. Of such events SQLite takes
    /// the row with the greatest number, for `max` stands beside.
    private static let stepsThatDiffer = """
        SELECT s.job, s.step FROM steps s LEFT JOIN (
            SELECT e.job AS job, c.value ->> 'step' AS step, c.value ->> 'state' AS state,
                max(e.sequence * 1000 + c.key)
            FROM job_events e, json_each(e.body, '$.steps') c
            WHERE e.kind = 'steps' GROUP BY 1, 2
        ) f ON f.job = s.job AND f.step = s.step
        WHERE s.state <> coalesce(f.state, 'waiting')
        """

    private static let attemptsThatDiffer = """
        SELECT s.job, s.step FROM steps s LEFT JOIN (
            SELECT job, step, max(attempt) AS last FROM attempts GROUP BY job, step
        ) a ON a.job = s.job AND a.step = s.step
        WHERE s.attempts <> coalesce(a.last, 0)
        """
}

/// The states that the events of jobs lead to.
private struct JobFold {
    var problems: [String] = []
    private var states: [Int64: JobState] = [:]

    mutating func run(_ connection: Database) throws {
        let events = try Row.fetchCursor(
            connection,
            sql: """
                SELECT job, body ->> 'from', body ->> 'to' FROM job_events WHERE kind = 'state'
                ORDER BY sequence
                """)
        while let row = try events.next() {
            var fields = Fields(row, of: "job_events")
            let job = try fields.integer()
            let from = try fields.optionalWord(JobState.self)
            let next = try fields.word(JobState.self)
            let state = states[job]
            let follows = state.map { $0.canBeFollowed(by: next) } ?? (next == .pending)
            if from != state || !follows {
                add(
                    "an event brings job number \(job) from \(from?.rawValue ?? "nothing") to "
                        + "\(next.rawValue), which was \(state?.rawValue ?? "nothing")")
            }
            states[job] = next
        }
        let jobs = try Row.fetchCursor(connection, sql: "SELECT number, id, state FROM jobs")
        while let row = try jobs.next() {
            var fields = Fields(row, of: "jobs")
            let state = states[try fields.integer()]
            let id = try fields.text()
            let said = try fields.text()
            if said != state?.rawValue {
                add("job \(id) is \(said), and its events say \(state?.rawValue ?? "nothing")")
            }
        }
    }

    private mutating func add(_ problem: String) {
        if problems.count < DatabaseCheck.mostProblems { problems.append(problem) }
    }
}

extension MasterDatabase {
    /// What is wrong with the database, one sentence for each problem; none when all is well. One
    /// of the connections that read does nothing else meanwhile.
    func check() async throws(MasterDatabaseError) -> [String] {
        try await read { connection in
            let problems = try DatabaseCheck.structure(of: connection)
            if !problems.isEmpty { return problems }
            do {
                return try DatabaseCheck.content(of: connection)
            } catch let error as MasterDatabaseError {
                return [error.description]
            }
        }
    }
}
