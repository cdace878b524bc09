internal import GRDB

internal import struct Executor.JobID
internal import struct Executor.Timestamp
internal import struct PipelineIR.PlanDigest

/// One execution of a plan, as the database has it.
struct Job: Sendable, Equatable {
    /// A wish that it ends, which outlives the master.
    struct Stop: Sendable, Equatable {
        /// What it becomes: `cancelled` or `timeout`.
        var state: JobState
        var reason: String?
        var asked: Timestamp
    }

    /// Counts jobs in the order of acceptance, with gaps.
    var number: Int64
    /// The name that people see; later ones are greater.
    var id: JobID
    /// What was asked for.
    var request: NewJob
    /// When it was accepted.
    var created: Timestamp
    var state: JobState
    /// Why it is in this state, where that needs a word.
    var reason: String?
    /// What it executes, once that is compiled.
    var plan: PlanDigest?
    /// How often its scheduling began: what a stale engine says has a smaller number.
    var attempt: Int
    var stop: Stop?
    /// When it first ran.
    var started: Timestamp?
    /// When it came into a terminal state.
    var ended: Timestamp?
    /// When what it printed was removed.
    var logsRemoved: Timestamp?

    /// The columns that `init` reads, of the table `jobs`.
    static let columns = """
        number, id, created, state, pipeline, team, trigger, ref, revision, repository, file,
        parameters, priority, concurrency_group, concurrency_rule, most_milliseconds, rerun_of,
        rerun_mode, idempotency_key, requested_by, plan, reason, attempt, stop_state, stop_reason,
        stop_asked, started, ended, logs_removed, traceparent
        """

    /// Reads a row of `columns`.
    init(_ row: Row) throws {
        var fields = Fields(row, of: "jobs")
        try self.init(&fields)
    }

    /// Reads the row that a statement of its columns has come to.
    init(_ statement: Statement) throws {
        var fields = Fields(statement, of: "jobs")
        try self.init(&fields)
    }

    /// The jobs that a statement of their columns gives.
    static func all(_ statement: Statement, _ arguments: StatementArguments) throws -> [Job] {
        let rows = try Row.fetchCursor(statement, arguments: arguments)
        var jobs: [Job] = []
        while try rows.next() != nil { jobs.append(try Job(statement)) }
        return jobs
    }

    private init(_ fields: inout Fields) throws {
        number = try fields.integer()
        id = try fields.job()
        created = try fields.time()
        state = try fields.word()
        let pipeline = try fields.text()
        let team = try fields.optionalText()
        let trigger = try fields.text()
        let ref = try fields.optionalText()
        let revision = try fields.optionalText()
        request = NewJob(pipeline: pipeline, repository: try fields.text())
        request.team = team
        request.trigger = trigger
        request.ref = ref
        request.revision = revision
        request.file = try fields.text()
        request.parameters = try fields.text()
        request.priority = try fields.int()
        let group = try fields.optionalText()
        let rule = try fields.optionalWord(NewJob.ConcurrencyRule.self)
        if let group, let rule {
            request.concurrency = NewJob.Concurrency(group: group, rule: rule)
        }
        request.mostMilliseconds = try fields.optionalInteger()
        let rerun = try fields.optionalJob()
        let mode = try fields.optionalWord(NewJob.RerunMode.self)
        if let rerun, let mode { request.rerun = NewJob.Rerun(job: rerun, mode: mode) }
        request.idempotencyKey = try fields.optionalText()
        request.requestedBy = try fields.optionalText()
        plan = try fields.optionalDigest().map { PlanDigest($0) }
        reason = try fields.optionalText()
        attempt = try fields.int()
        let stopState = try fields.optionalWord(JobState.self)
        let stopReason = try fields.optionalText()
        let asked = try fields.optionalTime()
        if let stopState, let asked {
            stop = Stop(state: stopState, reason: stopReason, asked: asked)
        }
        started = try fields.optionalTime()
        ended = try fields.optionalTime()
        logsRemoved = try fields.optionalTime()
        request.traceparent = try fields.optionalText().flatMap { TraceContext($0) }
    }
}
