import Executor
import PipelineIR

/// The first line of a run.
enum Heading {
    static func render(_ run: RunDescription, _ options: WatchOptions) -> [UInt8] {
        var buffer = TextBuffer(colour: options.terminal.colour)
        let dot = Glyphs(unicode: options.terminal.unicode).dot
        buffer.safe(run.plan.pipeline, .bold)
        var facts = [PlanTable.count(run.plan.steps.count, "step"), "\(run.jobs) at once"]
        if run.isInPlace { facts.append("in place") }
        if !run.job.isEmpty { facts.append("job \(DisplayText.escaped(run.job))") }
        buffer.put(dot + facts.joined(separator: dot), .dim)
        buffer.newline()
        return buffer.bytes
    }
}
