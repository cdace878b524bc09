internal import GRDB
internal import PipelineIR

internal import struct Executor.JobID

extension WriteTransaction {
    /// Forgets jobs that have ended, with all that is recorded of them. Those that go on, or are
    /// not there, are left out. Gives the names of those that are gone.
    ///
    /// The guards of the schema let rows of a job go only while the job stands in `removals`, which
    /// is so within this call alone: its savepoint begins and ends without.
    func forget(_ jobs: [JobID]) throws -> [JobID] {
        var gone: [JobID] = []
        for id in jobs {
            guard let job = try JobTable.job(id, in: connection), job.state.isTerminal else {
                continue
            }
            try run("INSERT INTO removals (job) VALUES (?)", [job.number])
            for table in ["attempts", "steps", "artifacts", "job_events"] {
                try run("DELETE FROM \(table) WHERE job = ?", [job.number])
            }
            try run("DELETE FROM jobs WHERE number = ?", [job.number])
            try run("DELETE FROM removals WHERE job = ?", [job.number])
            if let plan = job.plan {
                try run(
                    """
                    DELETE FROM plans WHERE digest = ?1
                        AND NOT EXISTS (SELECT 1 FROM jobs WHERE plan = ?1)
                    """, [plan.digest.blob])
            }
            gone.append(id)
        }
        return gone
    }
}

extension MasterDatabase {
    /// The most jobs that are forgotten in one transaction, so that others do not wait for long.
    static let mostForgotten = 100

    /// Forgets jobs that have ended, with all that is recorded of them; this is the only way in
    /// which events go. Gives the names of those that are gone.
    func forget(_ jobs: [JobID]) async throws(MasterDatabaseError) -> [JobID] {
        var gone: [JobID] = []
        for start in stride(from: 0, to: jobs.count, by: Self.mostForgotten) {
            let part = Array(jobs[start...].prefix(Self.mostForgotten))
            gone += try await write { try $0.forget(part) }
        }
        return gone
    }
}
