internal import GRDB

/// Mirrors that jobs may be reading.
enum UsedMirrors {
    /// The names of the mirrors of all jobs that have begun and not ended.
    static func names(in connection: Database) throws -> Set<String> {
        let repositories = try String.fetchAll(
            connection,
            sql: """
                SELECT DISTINCT repository FROM jobs INDEXED BY jobs_unfinished
                WHERE state IN ('pending', 'scheduling', 'waiting', 'running')
                    AND state IN ('scheduling', 'running')
                """)
        return Set(repositories.map { SourceMirror.name(of: $0) })
    }
}
