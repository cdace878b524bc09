import Executor

/// A step of a job as reports show it.
struct StepView {
    var name: String
    var state: String
    var paint: TextBuffer.Paint?
    var code: String
    var took: String
    var tries: String
    var why: String
}

extension StepView {
    /// A step that ran on this machine.
    init(_ step: JobStep) {
        let record = step.record
        name = step.name
        state = record.state.word
        paint = Self.paint(record.state.word)
        code = record.exitCode.map(String.init) ?? ""
        took = record.duration.map(DurationText.render) ?? ""
        tries = record.attempts.count > 1 ? String(record.attempts.count) : ""
        if !record.reason.isEmpty {
            why = record.reason
        } else if let source = record.source {
            why = "result of job \(source)"
        } else {
            why = record.attempts.last?.outcome ?? ""
        }
    }

    /// A step of a master's job.
    init(_ step: RemoteStep) {
        name = step.name
        state = step.state
        paint = Self.paint(step.state)
        code = step.exitCode.map(String.init) ?? ""
        took = step.duration.map(DurationText.render) ?? ""
        tries = step.attempts > 1 ? String(step.attempts) : ""
        why = step.reason ?? step.cachedFrom.map { "result of job \($0)" } ?? ""
    }

    private static func paint(_ state: String) -> TextBuffer.Paint? {
        switch state {
        case "succeeded", "success", "cached": .green
        case "failed", "failure", "timeout", "lost": .red
        case "cancelled": .yellow
        case "running": .cyan
        default: .dim
        }
    }
}
