import Compiler
import Glibc

/// `danube why` of a step on a master: what the master recorded of it.
extension WhyCommand {
    func run(on jobs: RemoteJobs) throws(Failure) {
        guard against == nil else {
            throw .mistake("--against is for jobs on this machine")
        }
        let job = try jobs.job(self.job)
        let steps = try jobs.steps(step, of: job)
        if json {
            let values = steps.map { step in
                var value = step.json
                value.set(["job"], to: .string(job.id))
                return value
            }
            let report = JSONValue.object([
                .init("steps", .array(values)), .init("v", .integer(Int64(WhyReport.version))),
            ])
            return Output.out(report.line)
        }
        let terminal = Terminal.of(STDOUT_FILENO, choice: colour.color)
        var buffer = TextBuffer(colour: terminal.colour)
        for step in steps {
            buffer.put("`")
            buffer.safe(step.name, .bold)
            buffer.put("` ")
            buffer.safe(Self.sentence(step, job))
            buffer.newline()
        }
        Output.out(terminal.shown(buffer))
    }

    /// The answer, after the step's name.
    private static func sentence(_ step: RemoteStep, _ job: RemoteJob) -> String {
        let place = "in job \(job.id)"
        let reason = step.reason.map { ": \($0)" } ?? ""
        switch step.state {
        case "cached":
            let source = step.cachedFrom.map { ": job \($0) made it" } ?? ""
            return "was taken from the cache \(place)\(source)"
        case "skipped": return "was skipped \(place)\(reason)"
        case "blocked": return "did not run \(place)\(reason)"
        case "cancelled": return "was cancelled \(place)\(reason)"
        case "lost": return "was lost \(place)\(reason)"
        default:
            if step.attempts > 0 { return "ran \(place)\(reason)" }
            return job.isTerminal ? "did not run \(place)\(reason)" : "waits \(place)\(reason)"
        }
    }
}
