internal import GRDB
internal import PipelineIR

internal import struct Executor.JobID
internal import struct Executor.Timestamp

/// Jobs: how they are accepted and come from state to state.
enum JobTable {
    /// A job by its name; `nil` when there is none.
    static func job(_ id: JobID, in connection: Database) throws -> Job? {
        let statement = try connection.cachedStatement(
            sql: "SELECT \(Job.columns) FROM jobs WHERE id = ?")
        return try Job.all(statement, [id.text]).first
    }

    /// The job that was accepted under an idempotency key; `nil` when none was.
    static func job(withKey key: String, in connection: Database) throws -> Job? {
        let statement = try connection.cachedStatement(
            sql: "SELECT \(Job.columns) FROM jobs WHERE idempotency_key = ?")
        return try Job.all(statement, [key]).first
    }

    /// A job by its name.
    static func existing(_ id: JobID, in connection: Database) throws -> Job {
        guard let job = try job(id, in: connection) else {
            throw MasterDatabaseError.missing(what: "job", name: id.text)
        }
        return job
    }
}

/// A job that was asked for.
struct Submission: Sendable, Equatable {
    var job: Job
    /// Whether it was made now; else it was there under the same idempotency key.
    var isNew: Bool
}

extension WriteTransaction {
    /// Accepts a job.
    func submit(_ request: NewJob, at time: Timestamp) throws -> Submission {
        let request = try request.checked()
        if let key = request.idempotencyKey {
            if let job = try JobTable.job(withKey: key, in: connection) {
                return Submission(job: job, isNew: false)
            }
        }
        let id = try newID(at: time)
        try insert(request, id, time)
        let number = connection.lastInsertedRowID
        try append(.state, job: id, number: number, at: time) {
            $0.field("to", JobState.pending.rawValue)
        }
        return Submission(job: try JobTable.existing(id, in: connection), isNew: true)
    }

    /// Brings a job into another state. `false` when it has ended before.
    func transition(
        _ id: JobID, to state: JobState, reason: String?, at time: Timestamp
    ) throws -> Bool {
        let job = try JobTable.existing(id, in: connection)
        if job.state.isTerminal { return false }
        guard job.state.canBeFollowed(by: state) else {
            throw MasterDatabaseError.illegalTransition(
                job: id.text, from: job.state, to: state)
        }
        let reason = FieldLimit.reason.cut(reason)
        let now = time.sinceEpoch
        try run(
            """
            UPDATE jobs SET state = ?, reason = ?, attempt = attempt + ?,
                started = coalesce(started, ?), ended = ? WHERE number = ?
            """,
            [
                state.rawValue, reason, state == .scheduling ? 1 : 0,
                state == .running ? now : nil, state.isTerminal ? now : nil, job.number,
            ])
        try append(.state, job: id, number: job.number, at: time) {
            $0.field("from", job.state.rawValue)
            $0.field("reason", reason)
            $0.field("to", state.rawValue)
        }
        if state.isTerminal { try countEnded(try JobTable.existing(id, in: connection)) }
        return true
    }

    /// Records that a job is to end. The first wish counts; `false` when there was one, or when the
    /// job has ended.
    func askToStop(
        _ id: JobID, as state: JobState, reason: String?, at time: Timestamp
    ) throws -> Bool {
        guard state == .cancelled || state == .timeout else {
            throw MasterDatabaseError.invalid(field: "state", reason: "is none to stop a job in")
        }
        let job = try JobTable.existing(id, in: connection)
        if job.state.isTerminal || job.stop != nil { return false }
        let reason = FieldLimit.reason.cut(reason)
        try run(
            "UPDATE jobs SET stop_state = ?, stop_reason = ?, stop_asked = ? WHERE number = ?",
            [state.rawValue, reason, time.sinceEpoch, job.number])
        try append(.stopping, job: id, number: job.number, at: time) {
            $0.field("reason", reason)
            $0.field("to", state.rawValue)
        }
        return true
    }

    private func newID(at time: Timestamp) throws -> JobID {
        let last = try String.fetchOne(
            connection.cachedStatement(sql: "SELECT id FROM jobs ORDER BY number DESC LIMIT 1"))
        let random = UInt64.random(in: .min ... .max)
        guard let id = JobID(after: last.flatMap { JobID($0) }, at: time, random: random) else {
            throw MasterDatabaseError.misuse(path: "jobs", reason: "no name is left for a job")
        }
        return id
    }

    private func insert(_ request: NewJob, _ id: JobID, _ time: Timestamp) throws {
        try run(
            """
            INSERT INTO jobs (id, created, state, pipeline, team, trigger, ref, revision,
                repository, file, parameters, priority, concurrency_group, concurrency_rule,
                most_milliseconds, rerun_of, rerun_mode, idempotency_key, requested_by,
                traceparent)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            """,
            [
                id.text, time.sinceEpoch, JobState.pending.rawValue, request.pipeline,
                request.team, request.trigger, request.ref, request.revision,
                request.repository, request.file, request.parameters, request.priority,
                request.concurrency?.group, request.concurrency?.rule.rawValue,
                request.mostMilliseconds, request.rerun?.job.text, request.rerun?.mode.rawValue,
                request.idempotencyKey, request.requestedBy, request.traceparent?.text,
            ])
    }
}

extension MasterDatabase {
    /// Accepts a job: it is on the disk when this returns. The same idempotency key gives the job
    /// that was accepted first.
    func submit(
        _ request: NewJob, at time: Timestamp = .now()
    ) async throws(MasterDatabaseError) -> Submission {
        try await write { try $0.submit(request, at: time) }
    }

    /// Brings a job into another state; `false` when it has ended before, whatever is asked.
    func transition(
        _ id: JobID, to state: JobState, reason: String? = nil, at time: Timestamp = .now()
    ) async throws(MasterDatabaseError) -> Bool {
        try await write { try $0.transition(id, to: state, reason: reason, at: time) }
    }

    /// Records the wish that a job ends; whoever runs it then ends it. The first wish counts.
    func askToStop(
        _ id: JobID, as state: JobState = .cancelled, reason: String? = nil,
        at time: Timestamp = .now()
    ) async throws(MasterDatabaseError) -> Bool {
        try await write { try $0.askToStop(id, as: state, reason: reason, at: time) }
    }

    /// A job; `nil` when there is none of that name.
    func job(_ id: JobID) async throws(MasterDatabaseError) -> Job? {
        try await read { try JobTable.job(id, in: $0) }
    }
}
