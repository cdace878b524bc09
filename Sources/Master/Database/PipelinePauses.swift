internal import GRDB

internal import struct Executor.Timestamp

/// Pipelines that are paused: their jobs wait, and say so.
enum PipelinePauses {
    /// Why a job waits.
    static let reason = "its pipeline is paused"
}

extension MasterDatabase {
    /// The pipelines that are paused.
    func pausedPipelines() async throws(MasterDatabaseError) -> Set<String> {
        try await read { connection in
            Set(
                try String.fetchAll(
                    connection.cachedStatement(
                        sql: "SELECT name FROM pipelines WHERE is_paused = 1")))
        }
    }

    /// Pauses a pipeline, or ends that, with the words of its jobs that wait.
    func pause(
        _ pipeline: String, _ isPaused: Bool, at time: Timestamp = .now()
    ) async throws(MasterDatabaseError) {
        try await write { try $0.pause(pipeline, isPaused, at: time) }
    }
}

extension WriteTransaction {
    fileprivate func pause(_ pipeline: String, _ isPaused: Bool, at time: Timestamp) throws {
        let name: String = try FieldLimit.pipeline.checkFilled(pipeline)
        try run(
            """
            INSERT INTO pipelines (name, repository, file, is_paused, created, changed)
            VALUES (?, '', '', ?, ?, ?)
            ON CONFLICT (name) DO UPDATE SET is_paused = excluded.is_paused,
                changed = excluded.changed
            """, [name, isPaused ? 1 : 0, time.sinceEpoch, time.sinceEpoch])
        let rows = try Row.fetchAll(
            connection.cachedStatement(
                sql: """
                    SELECT \(Job.columns) FROM jobs WHERE number IN (
                        SELECT number FROM jobs INDEXED BY jobs_unfinished
                        WHERE state IN ('pending', 'scheduling', 'waiting', 'running'))
                        AND pipeline = ? AND state = ?
                    """), arguments: [name, isPaused ? "pending" : "waiting"])
        for job in try rows.map({ try Job($0) }) {
            if isPaused {
                _ = try transition(job.id, to: .waiting, reason: PipelinePauses.reason, at: time)
            } else if job.reason == PipelinePauses.reason {
                _ = try transition(job.id, to: .pending, reason: nil, at: time)
            }
        }
    }
}
