import Executor
import PipelineIR

/// The last line of the tree: a bar, how much is done, how long it will still take.
struct ProgressLine {
    let record: RunRecord
    let glyphs: Glyphs
    let colour: Bool
    let columns: Int
    /// From 0 to 1.
    var done: Double
    /// Nanoseconds that are left; `nil` where nothing is known.
    var left: UInt64?
    var running: Int
    /// Nanoseconds since the run began.
    var elapsed: UInt64
    var hasCritical: Bool

    func paint() -> LiveRegion.Line {
        var line = PaintedLine(colour: colour, columns: columns - 1)
        let width = max(8, min(columns / 4, 40))
        putBar(width, &line)
        // The whole is not done before the end.
        let percent = max(0, min(99, Int(done * 100)))
        line.put("  ")
        line.put("\(percent)%", .bold)
        let steps = record.run.plan.steps.count
        line.put("  \(record.ended)/\(steps)")
        if let left {
            let estimate = Elapsed.estimate(left)
            line.put(estimate.hasPrefix("<") ? "  \(estimate) left" : "  ~\(estimate) left", .cyan)
        }
        for fact in facts where DisplayText.width(fact.text) + 3 <= line.room {
            line.put(glyphs.dot, .dim)
            line.put(fact.text, fact.paint)
        }
        return line.line
    }

    private var facts: [(text: String, paint: TextBuffer.Paint?)] {
        var facts: [(text: String, paint: TextBuffer.Paint?)] = []
        let failed = record.fatal
        if failed > 0 { facts.append(("\(failed) failed", .boldRed)) }
        if running > 0 { facts.append(("\(running) running", nil)) }
        if let cached = record.counts[.cached] { facts.append(("\(cached) cached", .green)) }
        facts.append((Elapsed.running(elapsed), .dim))
        if hasCritical { facts.append(("\(glyphs.critical) critical path", .dim)) }
        return facts
    }

    private func putBar(_ width: Int, _ line: inout PaintedLine) {
        let halves = max(0, min(width * 2, Int(done * Double(width * 2))))
        let paint: TextBuffer.Paint = record.fatal > 0 ? .red : .green
        if glyphs.unicode {
            let full = String(repeating: "━", count: halves / 2)
            let half = halves % 2 == 1 ? "╸" : ""
            line.put(full + half, paint)
            line.put(String(repeating: "─", count: width - halves / 2 - halves % 2), .dim)
        } else {
            line.put(String(repeating: "#", count: halves / 2), paint)
            line.put(String(repeating: ".", count: width - halves / 2), .dim)
        }
    }
}
