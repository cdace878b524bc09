import Executor
import PipelineIR

/// One failed step: what became of it, its place in the danubefile, the last that it wrote.
struct FailureText {
    /// Lines of output that are shown.
    static let shownLines = 20
    /// Calls that are shown beside the step's own place.
    static let shownCalls = 8

    let failure: RunRecord.Failure
    /// Whether its workspace is kept.
    let isReopenable: Bool
    let record: RunRecord
    let options: WatchOptions
    let glyphs: Glyphs
    private(set) var buffer: TextBuffer

    init(
        _ failure: RunRecord.Failure, _ record: RunRecord, _ options: WatchOptions,
        _ glyphs: Glyphs, colour: Bool, isReopenable: Bool = false
    ) {
        self.failure = failure
        self.isReopenable = isReopenable
        self.record = record
        self.options = options
        self.glyphs = glyphs
        buffer = TextBuffer(colour: colour)
    }

    mutating func put() {
        let (sign, paint) = glyphs.sign(failure.end)
        buffer.put("\(sign) ", paint)
        buffer.put(record.names.long(failure.step), .bold)
        buffer.put(": ")
        buffer.put(EndWords.text(failure.end, origin: nil), .red)
        buffer.newline()
        putPlace()
        putTail()
        putHint()
        if isReopenable { putNext() }
    }

    /// Words of tools to which something is missing.
    private static let missing = ["No such file", "not found", "annot find", "does not exist"]

    /// A step that declares what it reads may lack what it did not declare.
    private mutating func putHint() {
        let plan = record.run.plan
        guard !record.run.isInPlace, plan.steps.indices.contains(failure.step.int),
            let settings = plan.steps[failure.step.int].options, settings.inputs != nil,
            settings.outputs != nil || settings.cache == .always, failure.end.result == .failed
        else { return }
        let tail = failure.tail.last(Self.shownLines).map { String(decoding: $0, as: UTF8.self) }
        guard tail.contains(where: { line in Self.missing.contains { line.contains($0) } }) else {
            return
        }
        buffer.put("  hint: ", .cyan)
        buffer.put(
            "It began with the files of its inputs= and nothing else, not even folders to write to."
        )
        buffer.newline()
    }

    /// What to do next, for a person who can.
    private mutating func putNext() {
        guard options.terminal.interactive else { return }
        buffer.put("  look around where it failed: ", .dim)
        buffer.put("danube shell ")
        buffer.put(record.names.word(failure.step, in: record.run.plan))
        buffer.newline()
    }

    // MARK: Place

    private mutating func putPlace() {
        let plan = record.run.plan
        guard plan.steps.indices.contains(failure.step.int) else { return }
        var next = plan.steps[failure.step.int].frame
        var shown = 0
        while let index = next, plan.frames.indices.contains(index.int) {
            let frame = plan.frames[index.int]
            if shown == Self.shownCalls {
                buffer.put("  called from further places", .dim)
                buffer.newline()
                return
            }
            putPlace(frame, isCall: shown > 0)
            shown += 1
            next = frame.parent
        }
    }

    private mutating func putPlace(_ frame: Frame, isCall: Bool) {
        buffer.put(isCall ? "  called from " : "  ", .dim)
        buffer.begin(isCall ? .dim : .bold)
        buffer.safe(frame.file)
        if frame.line > 0 { buffer.put(":\(frame.line)") }
        if frame.line > 0, frame.column > 0 { buffer.put(":\(frame.column)") }
        buffer.end()
        buffer.newline()
        guard frame.line > 0, let text = sourceLine(frame) else { return }
        let place = Diagnostic.Place(
            file: frame.file, line: frame.line, column: frame.column, endLine: frame.endLine,
            endColumn: frame.endColumn, text: text)
        let line = SourceLine(text: text, place: place, columns: options.columns.map { $0 - 10 })
        let number = String(frame.line)
        let gutter = max(7, number.utf8.count + 1)
        putGutter(number, gutter)
        buffer.put(line.shown)
        buffer.newline()
        guard line.carets > 0, !isCall else { return }
        putGutter("", gutter)
        buffer.blanks(line.indent)
        buffer.put(String(repeating: "^", count: line.carets), .boldRed)
        buffer.newline()
    }

    private mutating func putGutter(_ number: String, _ width: Int) {
        buffer.begin(.dim)
        buffer.blanks(width - number.utf8.count)
        buffer.put(number)
        buffer.put(" |")
        buffer.end()
        buffer.put(" ")
    }

    private func sourceLine(_ frame: Frame) -> String? {
        guard let bytes = options.source(frame.file) else { return nil }
        let wanted = Int(frame.line) - 1
        let lines = bytes.split(
            separator: 0x0a, maxSplits: wanted + 1, omittingEmptySubsequences: false)
        guard wanted >= 0, wanted < lines.count, lines[wanted].count < 1 << 16 else { return nil }
        return String(decoding: lines[wanted], as: UTF8.self)
    }

    // MARK: Output

    private mutating func putTail() {
        let lines = failure.tail.last(Self.shownLines)
        if lines.isEmpty {
            let steps = record.run.plan.steps
            if steps.indices.contains(failure.step.int), steps[failure.step.int].kind == .upload {
                return
            }
            buffer.put("  It wrote nothing.", .dim)
            buffer.newline()
            return
        }
        let hidden = failure.tail.lines - lines.count
        if hidden > 0 {
            buffer.put("  \(PlanTable.count(hidden, "line")) before these: ", .dim)
            buffer.put("danube logs ")
            if !record.run.job.isEmpty { buffer.safe(record.run.job + " ") }
            buffer.put(record.names.word(failure.step, in: record.run.plan))
            buffer.newline()
        }
        for line in lines {
            buffer.put("  \(glyphs.bar) ", .dim)
            StepText.put(
                line, columns: options.columns.map { $0 - 5 } ?? 4096,
                colour: buffer.colour, into: &buffer)
            buffer.newline()
        }
    }
}
