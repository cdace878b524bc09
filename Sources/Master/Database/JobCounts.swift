internal import GRDB

/// How many jobs of a pipeline ended in a state, of one class of durations.
struct JobCount: Sendable, Equatable {
    var pipeline: String
    var state: JobState
    /// Of the histogram.
    var bucket: Int
    var jobs: Int
    /// Of all of them together.
    var milliseconds: Int64
}

extension WriteTransaction {
    /// Keeps the figures of a job that is forgotten.
    func countForgotten(_ job: Job) throws {
        let milliseconds = JobMetrics.milliseconds(job)
        try run(
            """
            INSERT INTO forgotten_counts (pipeline, state, bucket, jobs, milliseconds)
            VALUES (?, ?, ?, 1, ?)
            ON CONFLICT (pipeline, state, bucket) DO UPDATE SET jobs = jobs + 1,
                milliseconds = milliseconds + excluded.milliseconds
            """,
            [
                job.request.pipeline, job.state.rawValue, JobMetrics.bucket(milliseconds),
                milliseconds,
            ])
    }
}

extension MasterDatabase {
    /// The figures of all jobs that ever ended, forgotten ones too. It reads an index, not rows.
    func endedJobs() async throws(MasterDatabaseError) -> [JobCount] {
        let buckets = JobMetrics.bounds.enumerated().map { "WHEN ms <= \($1) THEN \($0)" }
            .joined(separator: " ")
        return try await read { connection in
            let rows = try Row.fetchCursor(
                connection,
                sql: """
                    SELECT pipeline, state, bucket, sum(jobs), sum(milliseconds) FROM (
                        SELECT pipeline, state, CASE \(buckets) ELSE \(JobMetrics.bounds.count) END
                            AS bucket, count(*) AS jobs, sum(ms) AS milliseconds
                        FROM (
                            SELECT pipeline, state, max(0, ended - coalesce(started, ended)) AS ms
                            FROM jobs INDEXED BY jobs_by_end WHERE ended IS NOT NULL)
                        GROUP BY 1, 2, 3
                        UNION ALL
                        SELECT pipeline, state, bucket, jobs, milliseconds FROM forgotten_counts)
                    GROUP BY 1, 2, 3
                    """)
            var counts: [JobCount] = []
            while let row = try rows.next() {
                var fields = Fields(row, of: "jobs")
                counts.append(
                    JobCount(
                        pipeline: try fields.text(), state: try fields.word(),
                        bucket: try fields.int(), jobs: try fields.int(),
                        milliseconds: try fields.integer()))
            }
            return counts
        }
    }
}
