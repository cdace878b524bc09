internal import GRDB
internal import PipelineIR

internal import struct Executor.JobID
internal import struct Executor.Timestamp

/// Steps of jobs and the tries at them.
enum StepTable {
    /// The most changes that one event tells of; more become several events.
    static let mostChangesPerEvent = 1000

    /// The steps of a job's plan, in its order; none while the plan is not known.
    static func steps(of job: JobID, in connection: Database) throws -> [JobStep] {
        let rows = try Row.fetchCursor(
            connection.cachedStatement(
                sql: """
                    SELECT \(JobStep.columns) FROM steps
                    WHERE job = (SELECT number FROM jobs WHERE id = ?) ORDER BY step
                    """), arguments: [job.text])
        var steps: [JobStep] = []
        while let row = try rows.next() { steps.append(try JobStep(row)) }
        return steps
    }

    /// The tries at a job's steps, in the order of steps; of one step when that is given.
    static func attempts(
        of job: JobID, step: Int?, in connection: Database
    ) throws -> [StepAttempt] {
        let rows = try Row.fetchCursor(
            connection.cachedStatement(
                sql: """
                    SELECT \(StepAttempt.columns) FROM attempts
                    WHERE job = (SELECT number FROM jobs WHERE id = ?1)
                        AND (?2 IS NULL OR step = ?2)
                    ORDER BY step, attempt
                    """), arguments: [job.text, step])
        var attempts: [StepAttempt] = []
        while let row = try rows.next() { attempts.append(try StepAttempt(row)) }
        return attempts
    }
}

extension WriteTransaction {
    /// Gives a job its plan, which is in the database, and its steps, which wait. A job that is
    /// compiled again after a restart may be given the same plan again.
    func setPlan(
        _ plan: PlanDigest, steps: [JobStep], of id: JobID, at time: Timestamp
    ) throws {
        let job = try JobTable.existing(id, in: connection)
        if job.plan == plan { return }
        guard job.plan == nil, !job.state.isTerminal else {
            throw MasterDatabaseError.invalid(
                field: "plan", reason: "of job \(id) is \(job.plan?.description ?? "over") already")
        }
        try run(
            "UPDATE jobs SET plan = ? WHERE number = ?", [plan.digest.blob, job.number])
        for step in steps {
            try run(
                "INSERT INTO steps (job, step, id, name, state) VALUES (?, ?, ?, ?, ?)",
                [
                    job.number, step.step, try FieldLimit.stepName.check(step.id) as String,
                    try FieldLimit.stepName.check(step.name) as String,
                    JobStep.State.waiting.rawValue,
                ])
        }
        try append(.planned, job: id, number: job.number, at: time) {
            $0.field("plan", plan.description)
            $0.field("steps", steps.count)
        }
    }

    /// Records what became of steps of a job, in order.
    func record(_ changes: [StepChange], of id: JobID) throws {
        guard let last = changes.last else { return }
        let job = try JobTable.existing(id, in: connection)
        for change in changes { try record(change, id, job.number) }
        for start in stride(from: 0, to: changes.count, by: StepTable.mostChangesPerEvent) {
            let part = changes[start...].prefix(StepTable.mostChangesPerEvent)
            try append(.steps, job: id, number: job.number, at: last.at) { writer in
                writer.key("steps")
                writer.beginArray()
                for change in part { change.write(to: &writer) }
                writer.endArray()
            }
        }
    }

    /// Ends the steps of a job that have not ended, because the job does: those that ran are lost,
    /// the others come into a state.
    func endSteps(of id: JobID, as state: JobStep.State, at time: Timestamp) throws {
        let job = try JobTable.existing(id, in: connection)
        let rows = try Row.fetchCursor(
            connection.cachedStatement(
                sql: """
                    SELECT step, attempts, state = 'running' FROM steps
                    WHERE job = ? AND state IN ('waiting', 'queued', 'running')
                    """), arguments: [job.number])
        var changes: [StepChange] = []
        while let row = try rows.next() {
            var fields = Fields(row, of: "steps")
            var change = StepChange(step: try fields.int(), state: state, at: time)
            let attempt = try fields.int()
            if try fields.int() == 1 {
                change.state = .lost
                change.attempt = StepChange.Attempt(number: attempt, state: .lost)
                change.reason = "its job ended, and what became of it is unknown"
            }
            changes.append(change)
        }
        try record(changes, of: id)
    }

    private func record(_ change: StepChange, _ id: JobID, _ job: Int64) throws {
        let now = change.at.sinceEpoch
        let reason = FieldLimit.reason.cut(change.reason)
        try run(
            """
            UPDATE steps SET state = ?, attempts = max(attempts, ?), exit_code = ?, reason = ?,
                started = coalesce(started, ?), ended = ?, cached_from = ?
            WHERE job = ? AND step = ?
            """,
            [
                change.state.rawValue, change.attempt?.number ?? 0, change.exitCode, reason,
                change.state == .running ? now : nil, change.state.isTerminal ? now : nil,
                change.cachedFrom?.text, job, change.step,
            ])
        guard changedRows == 1 else {
            throw MasterDatabaseError.missing(what: "step", name: "\(change.step) of job \(id)")
        }
        guard let attempt = change.attempt else { return }
        try run(
            """
            INSERT INTO attempts (job, step, attempt, state, started, ended, exit_code, reason)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?)
            ON CONFLICT (job, step, attempt) DO UPDATE SET state = excluded.state,
                ended = coalesce(ended, excluded.ended), exit_code = excluded.exit_code,
                reason = excluded.reason
            """,
            [
                job, change.step, attempt.number, attempt.state.rawValue, now,
                attempt.state == .running ? nil : now, change.exitCode, reason,
            ])
    }
}

extension StepChange {
    fileprivate func write(to writer: inout JSONWriter) {
        writer.beginObject()
        writer.field("at", Int(at.sinceEpoch))
        writer.field("attempt", attempt?.number)
        writer.field("attemptState", attempt?.state.rawValue)
        writer.field("cachedFrom", cachedFrom?.text)
        writer.field("exitCode", exitCode)
        writer.field("reason", FieldLimit.reason.cut(reason))
        writer.field("state", state.rawValue)
        writer.field("step", step)
        writer.endObject()
    }
}

extension MasterDatabase {
    /// Gives a job its plan and its steps. The plan is in the database already (`put(plan:)`).
    func setPlan(
        _ plan: PlanDigest, steps: [JobStep], of id: JobID, at time: Timestamp = .now()
    ) async throws(MasterDatabaseError) {
        try await write { try $0.setPlan(plan, steps: steps, of: id, at: time) }
    }

    /// Records what became of steps of a job: all of it, or nothing.
    func record(_ changes: [StepChange], of id: JobID) async throws(MasterDatabaseError) {
        try await write { try $0.record(changes, of: id) }
    }

    /// The steps of a job's plan, in its order; none while the plan is not known.
    func steps(of job: JobID) async throws(MasterDatabaseError) -> [JobStep] {
        try await read { try StepTable.steps(of: job, in: $0) }
    }

    /// The tries at a job's steps, in the order of steps; of one step when that is given.
    func attempts(
        of job: JobID, step: Int? = nil
    ) async throws(MasterDatabaseError) -> [StepAttempt] {
        try await read { try StepTable.attempts(of: job, step: step, in: $0) }
    }
}
