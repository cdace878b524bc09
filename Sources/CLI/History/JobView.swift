import Compiler
import Executor
import PipelineIR

/// A job as reports show it.
struct JobView {
    var id: String
    var state: String
    var paint: TextBuffer.Paint?
    var pipeline: String
    var started: String
    var took: String
    /// What became of its steps.
    var counts: String
    /// What else is to be told of it, with its name, in order.
    var facts: [(String, String)]
}

extension JobView {
    /// A job that ran on this machine.
    init(_ job: JobRecord) {
        id = job.id.text
        state = job.state.rawValue
        paint =
            switch job.state {
            case .succeeded: .green
            case .failed, .lost: .red
            case .cancelled: .yellow
            case .running, .live: .cyan
            }
        pipeline = job.pipeline
        started = job.started.local
        took = Self.took(job.started, job.ended, goesOn: job.state == .running)
        counts = Self.counts(job)
        facts = [
            ("pipeline", job.pipeline), ("repository", job.repository),
            ("trigger", job.branch.map { "\(job.trigger) on \($0)" } ?? job.trigger),
            ("mode", job.mode), ("plan", job.plan.description), ("started", started),
            ("took", took),
        ]
        if let revision = job.revision { facts.insert(("commit", revision), at: 3) }
        if let repeated = job.repeats { facts.append(("same as", repeated.text)) }
    }

    private static func took(_ started: Timestamp, _ ended: Timestamp?, goesOn: Bool) -> String {
        if let ended { return DurationText.render(ended.since(started)) }
        return goesOn ? DurationText.render(Timestamp.now().since(started)) : ""
    }

    private static func counts(_ job: JobRecord) -> String {
        var parts: [String] = []
        for (state, word) in [
            (StepRecord.State.succeeded, "ran"), (.failed, "failed"), (.lost, "lost"),
            (.cached, "cached"), (.skipped, "skipped"), (.blocked, "blocked"),
            (.cancelled, "cancelled"),
        ] where job.counts[state] > 0 {
            parts.append("\(job.counts[state]) \(word)")
        }
        return parts.isEmpty ? "\(job.stepCount)" : parts.joined(separator: ", ")
    }
}

extension JobView {
    /// A job of a master.
    init(_ job: RemoteJob) {
        id = job.id
        state = job.state
        paint =
            switch job.state {
            case "success": .green
            case "failure", "timeout": .red
            case "cancelled": .yellow
            case "running", "scheduling": .cyan
            default: nil
            }
        pipeline = job.pipeline
        started = job.started?.local ?? ""
        took = job.started.map { Self.took($0, job.ended, goesOn: !job.isTerminal) } ?? ""
        counts = job.done == job.total ? "\(job.total)" : "\(job.done) of \(job.total)"
        if job.failed > 0 { counts += ", \(job.failed) failed" }
        facts = [("pipeline", pipeline), ("repository", job.repository)]
        func add(_ name: String, _ value: String?) {
            if let value, !value.isEmpty { facts.append((name, value)) }
        }
        add("team", job.team)
        let origin = job.branch ?? job.ref
        add("trigger", origin.map { "\(job.trigger) on \($0)" } ?? job.trigger)
        add("commit", job.revision)
        if let parameters = job.parameters.members {
            for parameter in parameters {
                let value = parameter.value.text ?? parameter.value.canonical
                add("parameter", "\(parameter.key)=\(value)")
            }
        }
        add("plan", job.plan)
        add("created", job.created?.local)
        add("started", started)
        add("took", took)
        add("again", job.rerunOf.map { "of \($0)" })
        add("reason", job.reason)
    }
}
