internal import GRDB

/// A pipeline of which there have been jobs.
struct PipelineSummary: Sendable, Equatable {
    var name: String
    /// The job that was accepted last.
    var last: Job
    /// How many there are in each state, of those that are not forgotten.
    var counts: [JobState: Int]
}

/// Finds the pipelines that jobs name. Each is found by stepping over the entries of the one before
/// in the index, so that a page costs no more than its pipelines.
enum PipelineListing {
    /// The most pipelines of a page.
    static let most = 200

    /// Those after a name, in the order of their names.
    static func page(
        after name: String, limit: Int, in connection: Database
    ) throws -> [PipelineSummary] {
        var found: [PipelineSummary] = []
        var name = name
        let next = try connection.cachedStatement(
            sql: """
                SELECT pipeline FROM jobs INDEXED BY jobs_by_pipeline WHERE pipeline > ?
                ORDER BY pipeline LIMIT 1
                """)
        while found.count < min(limit, most) {
            guard let after = try String.fetchOne(next, arguments: [name]) else { break }
            if let summary = try summary(after, in: connection) { found.append(summary) }
            name = after
        }
        return found
    }

    /// One pipeline; `nil` when no job names it.
    static func summary(_ name: String, in connection: Database) throws -> PipelineSummary? {
        let last = try connection.cachedStatement(
            sql: """
                SELECT \(Job.columns) FROM jobs WHERE number = (
                    SELECT number FROM jobs INDEXED BY jobs_by_pipeline WHERE pipeline = ?
                    ORDER BY created DESC, number DESC LIMIT 1)
                """)
        guard let row = try Row.fetchOne(last, arguments: [name]) else { return nil }
        var summary = PipelineSummary(name: name, last: try Job(row), counts: [:])
        let rows = try Row.fetchCursor(
            connection.cachedStatement(
                sql: """
                    SELECT state, count(*) FROM jobs INDEXED BY jobs_by_pipeline
                    WHERE pipeline = ? GROUP BY state
                    """), arguments: [name])
        while let row = try rows.next() {
            var fields = Fields(row, of: "jobs")
            let state = try fields.word(JobState.self)
            summary.counts[state] = try fields.int()
        }
        return summary
    }
}

extension MasterDatabase {
    /// Pipelines after a name, in the order of their names.
    func pipelines(
        after name: String, limit: Int
    ) async throws(MasterDatabaseError) -> [PipelineSummary] {
        try await read { try PipelineListing.page(after: name, limit: limit, in: $0) }
    }

    /// One pipeline; `nil` when no job names it.
    func pipeline(_ name: String) async throws(MasterDatabaseError) -> PipelineSummary? {
        try await read { try PipelineListing.summary(name, in: $0) }
    }
}
