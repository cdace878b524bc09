import Executor
import PipelineIR

/// Shows a run as lines: one for each event, and those that steps write under their names.
final class LineWatch: RunObserver {
    /// Bytes that are gathered before they are sent.
    private static let gathered = 64 << 10

    private let options: WatchOptions
    private let sink: any ByteSink
    private let glyphs: Glyphs
    private var buffer: TextBuffer
    private var record: RunRecord?
    private var lines = LineAssembler()
    private var isHeldBack = false
    private var lastRefresh: UInt64 = 0
    /// Blocked steps that were not told of since the last line.
    private var blocked: [StepIndex] = []
    /// With more of them, the rest is counted.
    private static let namedBlocked = 3

    init(_ options: WatchOptions, sink: any ByteSink) {
        self.options = options
        self.sink = sink
        glyphs = Glyphs(unicode: options.terminal.unicode)
        buffer = TextBuffer(colour: options.terminal.colour)
    }

    func began(_ run: RunDescription) {
        record = RunRecord(run)
        buffer.put(bytes: Heading.render(run, options))
    }

    func explained(_ step: StepIndex, _ explanation: StepExplanation) {
        record?.explained(step, explanation)
        guard options.explains, let record else { return }
        let name = record.names.long(step)
        buffer.put(bytes: MessageText.render(explanation, of: name, options))
        sendWhenMany()
    }

    func started(_ step: StepIndex, attempt: Int) {
        putBlocked()
        record?.started(step, attempt: attempt)
        guard let record else { return }
        buffer.put(glyphs.started + " ", .cyan)
        buffer.put(record.names.long(step))
        if attempt > 1 { buffer.put("  attempt \(attempt)", .dim) }
        buffer.newline()
        sendWhenMany()
    }

    func wrote(_ step: StepIndex, _ stream: OutputStream, _ bytes: UnsafeRawBufferPointer) {
        record?.wrote(step, bytes)
        guard let name = record?.names.long(step) else { return }
        lines.append(bytes, step: step.int, stream) { put($0, of: name) }
        sendWhenMany()
    }

    func replayed(_ step: StepIndex, _ stream: LogStream, _ bytes: UnsafeRawBufferPointer) {
        guard let name = record?.names.long(step) else { return }
        let show = { [self] (line: ArraySlice<UInt8>) in put(line, of: name) }
        switch stream {
        case .note:
            lines.end(step: step.int, line: show)
            let text = String(decoding: bytes, as: UTF8.self)
            told(RunMessage(.note, text, step: step))
        case .standardOutput: lines.append(bytes, step: step.int, .output, line: show)
        case .standardError: lines.append(bytes, step: step.int, .error, line: show)
        }
        sendWhenMany()
    }

    func retrying(
        _ step: StepIndex, attempt: Int, reason: String, after nanoseconds: UInt64
    ) {
        guard let name = record?.names.long(step) else { return }
        lines.end(step: step.int) { put($0, of: name) }
        buffer.put(glyphs.again + " ", .yellow)
        buffer.put(name)
        buffer.put("  ")
        buffer.safe(reason)
        buffer.put(", tried again")
        if nanoseconds > 0 { buffer.put(" in \(Elapsed.estimate(nanoseconds))") }
        buffer.put("  attempt \(attempt)", .dim)
        buffer.newline()
    }

    func ended(_ step: StepIndex, _ end: StepEnd) {
        if end.result != .blocked { putBlocked() }
        record?.ended(step, end)
        if end.result == .blocked { return blocked.append(step) }
        guard let record else { return }
        let name = record.names.long(step)
        lines.end(step: step.int) { put($0, of: name) }
        let (sign, paint) = glyphs.sign(end)
        buffer.put(sign + " ", paint)
        let isFailure = end.isFatal
        if isFailure { buffer.put(name, .bold) } else { buffer.put(name) }
        buffer.put("  ")
        let words = EndWords.text(end, origin: record.origins[step.int])
        buffer.put(words, isFailure ? .red : .dim)
        buffer.put("  [\(record.ended)/\(record.run.plan.steps.count)]", .dim)
        buffer.newline()
        sendWhenMany()
    }

    func noted(_ text: String) { buffer.put(bytes: MessageText.render(note: text, options)) }

    func told(_ message: RunMessage) {
        buffer.put(bytes: MessageText.render(message, record?.names, options))
    }

    func ended(_ summary: RunSummary) {
        guard let record else { return }
        putBlocked()
        buffer.put(bytes: EndReport.render(record, summary, options))
        send()
        sink.finish()
        isHeldBack = false
    }

    func refresh(now: UInt64) {
        send()
        isHeldBack = !sink.push()
        lastRefresh = now
    }

    var wakeAt: UInt64? { isHeldBack ? lastRefresh &+ 20_000_000 : nil }

    func resized() {}

    /// One line for all steps that were blocked by the same failure: thousands of them say no more
    /// than the first few.
    private func putBlocked() {
        guard let record, !blocked.isEmpty else { return }
        let names = blocked.prefix(Self.namedBlocked).map { record.names.long($0) }
        buffer.put(glyphs.sign(.blocked).0 + " ", .dim)
        buffer.put(names.joined(separator: ", "))
        let more = blocked.count - names.count
        if more > 0 { buffer.put(" and \(more) more") }
        buffer.put("  blocked", .dim)
        buffer.put("  [\(record.ended)/\(record.run.plan.steps.count)]", .dim)
        buffer.newline()
        blocked = []
        sendWhenMany()
    }

    /// One line that a step wrote.
    private func put(_ line: ArraySlice<UInt8>, of name: String) {
        buffer.put(name, .cyan)
        buffer.put(" \(glyphs.bar) ", .dim)
        StepText.put(line, columns: .max, colour: buffer.colour, into: &buffer)
        buffer.newline()
    }

    private func sendWhenMany() {
        if buffer.bytes.count > Self.gathered { send() }
    }

    private func send() {
        if buffer.bytes.isEmpty { return }
        sink.send(buffer.bytes)
        buffer = TextBuffer(colour: buffer.colour)
    }
}
