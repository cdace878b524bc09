internal import GRDB
internal import PipelineIR

internal import struct Executor.JobID
internal import struct Executor.Timestamp

/// The trace of a job that has ended: the job, its wait, its compilation, each attempt at a step.
///
/// It is made of what the database has, and its ids of what the job is: whoever makes it again gets
/// the same spans, which a collector then has once.
struct JobTrace: Sendable {
    /// What became of the job as a whole, in order.
    struct Change: Sendable, Equatable {
        var at: Timestamp
        /// The state; `nil` when its plan became known.
        var state: JobState?
    }

    let job: Job
    let steps: [JobStep]
    let attempts: [StepAttempt]
    let changes: [Change]

    private static let mostChanges = 200

    /// Reads what is known of a job; `nil` when there is none, or it has not ended.
    init?(of id: JobID, in connection: Database) throws {
        guard let job = try JobTable.job(id, in: connection), job.state.isTerminal else {
            return nil
        }
        self.job = job
        steps = try StepTable.steps(of: id, in: connection)
        let rows = try Row.fetchAll(
            connection.cachedStatement(
                sql: """
                    SELECT \(StepAttempt.columns) FROM attempts WHERE job = ?
                    ORDER BY step, attempt
                    """), arguments: [job.number])
        attempts = try rows.map { try StepAttempt($0) }
        let events = try Row.fetchAll(
            connection.cachedStatement(
                sql: """
                    SELECT at, kind, body ->> 'to' FROM job_events
                    WHERE job = ? AND kind IN ('state', 'planned') ORDER BY sequence LIMIT ?
                    """), arguments: [job.number, Self.mostChanges])
        changes = try events.map { row in
            var fields = Fields(row, of: "job_events")
            let (at, kind) = (try fields.time(), try fields.word(JobEvent.Kind.self))
            let state = try fields.optionalText().flatMap { JobState(rawValue: $0) }
            return Change(at: at, state: kind == .state ? state : nil)
        }
    }

    /// The id of the trace: that of whoever asked for the job, or one of its own.
    var trace: String { job.request.traceparent?.trace ?? id("trace", digits: 32) }

    /// Whether it is sent: as whoever asked does with theirs, else by the share of all.
    func isKept(_ share: Ratio) -> Bool {
        if let context = job.request.traceparent { return context.isSampled }
        guard let place = UInt64(trace.suffix(16), radix: 16) else { return false }
        return share.includes(place)
    }

    /// All spans, the job's first.
    var spans: [Span] {
        let root = id("job")
        var spans = [rootSpan(root)]
        if let begun = time(of: .scheduling) {
            spans.append(span("queue", root, from: job.created, to: begun))
            spans.append(compilation(root, from: begun))
        }
        var ofStep: [Int: [StepAttempt]] = [:]
        for attempt in attempts { ofStep[attempt.step, default: []].append(attempt) }
        for step in steps {
            let tries = ofStep[step.step] ?? []
            spans += tries.map { span(step, $0, root, isLast: $0.attempt == tries.last?.attempt) }
            if tries.isEmpty, let ended = step.ended { spans.append(untried(step, ended, root)) }
        }
        return spans
    }

    // MARK: Spans

    private var ended: Timestamp { job.ended ?? job.created }

    private func rootSpan(_ root: String) -> Span {
        var span = Span(
            trace: trace, id: root, parent: job.request.traceparent?.span,
            name: "job \(job.request.pipeline)", isRoot: true, start: job.created, end: ended)
        let request = job.request
        span.attributes = [
            .init(name: "cicd.pipeline.name", value: .text(request.pipeline)),
            .init(name: "cicd.pipeline.result", value: .text(Self.result(job.state))),
            .init(name: "cicd.pipeline.run.id", value: .text(job.id.text)),
            .init(name: "danube.job.state", value: .text(job.state.rawValue)),
            .init(name: "danube.job.trigger", value: .text(request.trigger)),
            .init(name: "vcs.repository.url.full", value: .text(request.repository)),
        ]
        span.add("danube.team", request.team)
        span.add("vcs.ref.head.name", request.ref)
        span.add("vcs.ref.head.revision", request.revision)
        span.add("danube.rerun_of", request.rerun?.job.text)
        span.events = changes.map { change in
            .init(at: change.at, name: change.state?.rawValue ?? "planned")
        }
        span.outcome =
            job.state == .success ? .done : .failed(job.reason ?? job.state.rawValue)
        return span
    }

    private func compilation(_ root: String, from begun: Timestamp) -> Span {
        let planned = changes.first { $0.state == nil }
        var span = span("compile", root, from: begun, to: planned?.at ?? ended)
        span.outcome = planned == nil ? .failed(job.reason ?? "there is no plan") : .done
        return span
    }

    private func span(
        _ step: JobStep, _ attempt: StepAttempt, _ root: String, isLast: Bool
    ) -> Span {
        var span = Span(
            trace: trace, id: id("step \(step.step) \(attempt.attempt)"), parent: root,
            name: "step \(step.name)", start: attempt.started, end: attempt.ended ?? ended)
        span.attributes = attributes(of: step, isLast ? step.state.rawValue : "retried")
        span.attributes.append(
            .init(name: "danube.step.attempt", value: .integer(Int64(attempt.attempt))))
        // The exit code stands with the step, whose last attempt it was.
        if let code = attempt.exitCode ?? (isLast ? step.exitCode : nil) {
            span.attributes.append(.init(name: "process.exit.code", value: .integer(Int64(code))))
        }
        switch attempt.state {
        case .succeeded: span.outcome = .done
        case .running, .failed, .cancelled, .lost:
            let reason = attempt.reason ?? (isLast ? step.reason : nil)
            span.outcome = .failed(reason ?? attempt.state.rawValue)
        }
        return span
    }

    /// A step of which nothing was executed: its result was there, or it had not to run.
    private func untried(_ step: JobStep, _ ended: Timestamp, _ root: String) -> Span {
        var span = Span(
            trace: trace, id: id("step \(step.step)"), parent: root, name: "step \(step.name)",
            start: step.started ?? ended, end: ended)
        span.attributes = attributes(of: step, step.state.rawValue)
        span.add("danube.step.cached_from", step.cachedFrom?.text)
        switch step.state {
        case .cached, .succeeded: span.outcome = .done
        case .failed, .cancelled, .lost: span.outcome = .failed(step.reason ?? step.state.rawValue)
        case .waiting, .queued, .running, .skipped, .blocked: break
        }
        return span
    }

    private func attributes(of step: JobStep, _ state: String) -> [Span.Attribute] {
        [
            .init(name: "cicd.pipeline.task.name", value: .text(step.name)),
            .init(name: "cicd.pipeline.task.run.id", value: .text("\(job.id.text)/\(step.id)")),
            .init(name: "danube.step.cached", value: .flag(step.state == .cached)),
            .init(name: "danube.step.state", value: .text(state)),
        ]
    }

    private func span(
        _ name: String, _ root: String, from start: Timestamp, to end: Timestamp
    ) -> Span {
        Span(trace: trace, id: id(name), parent: root, name: name, start: start, end: end)
    }

    // MARK: Facts

    private func time(of state: JobState) -> Timestamp? {
        changes.first { $0.state == state }?.at
    }

    /// The first digits of a digest of what the job is and of a part of it. Names of jobs may be
    /// the same under two masters; what was asked for, and when, is not.
    private func id(_ part: String, digits: Int = 16) -> String {
        let facts =
            "\(job.id.text) \(job.created.sinceEpoch) \(job.number) \(job.request.repository)"
        let hash = Digest(ofUTF8: "danube trace 1\n\(facts)\n\(part)").hex
        return String(hash.prefix(digits))
    }

    /// The words that OpenTelemetry has for what becomes of a pipeline.
    private static func result(_ state: JobState) -> String {
        switch state {
        case .success: "success"
        case .timeout: "timeout"
        case .cancelled: "cancellation"
        case .failure, .pending, .waiting, .scheduling, .running: "failure"
        }
    }
}

extension Span {
    /// Adds a text, when there is one.
    fileprivate mutating func add(_ name: String, _ text: String?) {
        if let text { attributes.append(.init(name: name, value: .text(text))) }
    }
}
