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
    /// Counts a job, in the transaction that ends it. So figures need not be made of all jobs when
    /// a master starts.
    func countEnded(_ job: Job) throws {
        let milliseconds = JobMetrics.milliseconds(job)
        try run(
            """
            INSERT INTO job_counts (pipeline, state, bucket, jobs, milliseconds)
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
    /// The figures of all jobs that ever ended, forgotten ones too.
    func endedJobs() async throws(MasterDatabaseError) -> [JobCount] {
        try await read { connection in
            let rows = try Row.fetchCursor(
                connection,
                sql: "SELECT pipeline, state, bucket, jobs, milliseconds FROM job_counts")
            var counts: [JobCount] = []
            while let row = try rows.next() {
                var fields = Fields(row, of: "job_counts")
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
