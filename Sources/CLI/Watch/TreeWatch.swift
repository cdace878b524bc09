import Executor
import PipelineIR

/// Shows a run on a terminal as a live tree of its steps.
///
/// What happens only changes the state; `refresh` draws it, at most fifteen times a second and
/// never more rows than the terminal has. A frame costs what is visible, however large the plan.
final class TreeWatch: RunObserver {
    /// Nanoseconds between two frames.
    static let interval: UInt64 = 66_000_000
    /// Nanoseconds between two frames in which only the clock moves.
    static let tick: UInt64 = 100_000_000
    /// Rows that the tree takes at most, however tall the terminal.
    static let tallest = 40
    /// Steps that run which are looked at to tell what is left.
    private static let forecastSteps = 256

    private var options: WatchOptions
    private let sink: any ByteSink
    private let size: () -> (columns: Int, rows: Int)
    private let glyphs: Glyphs
    private var columns: Int
    private var rows: Int
    private(set) var region: LiveRegion
    private var record: RunRecord?
    private var board: TreeBoard?
    private var forecast: Forecast?
    private var nameWidth = 16
    /// Lines that stay, to be written above the tree.
    private var above: [UInt8] = []
    private var now: UInt64 = 0
    private var drawn: UInt64 = 0
    private var frame = 0
    private var isDirty = false
    private var isOver = false
    private var best = 0.0

    /// `size` tells the columns and rows of the terminal.
    init(
        _ options: WatchOptions, sink: any ByteSink, size: @escaping () -> (columns: Int, rows: Int)
    ) {
        self.options = options
        self.sink = sink
        self.size = size
        glyphs = Glyphs(unicode: options.terminal.unicode)
        (columns, rows) = size()
        region = LiveRegion(columns: columns)
        self.options.terminal.columns = columns
    }

    func began(_ run: RunDescription) {
        record = RunRecord(run)
        board = TreeBoard(run.plan)
        forecast = Forecast(run.plan, expected: run.expected, jobs: run.jobs)
        nameWidth = widestName(run.plan)
        now = run.started
        drawn = run.started
        above += Heading.render(run, options)
        isDirty = true
    }

    func explained(_ step: StepIndex, _ explanation: StepExplanation) {
        record?.explained(step, explanation)
        if case .miss(_, let reasons) = explanation, let reason = reasons.first {
            board?.explained(step.int, reason)
        }
        guard options.explains, let name = record?.names.long(step) else { return }
        above += MessageText.render(explanation, of: name, options)
        isDirty = true
    }

    func started(_ step: StepIndex, attempt: Int) {
        record?.started(step, attempt: attempt)
        board?.started(step.int, attempt: attempt)
        isDirty = true
    }

    func wrote(_ step: StepIndex, _ stream: OutputStream, _ bytes: UnsafeRawBufferPointer) {
        record?.wrote(step, bytes)
        isDirty = true
    }

    func retrying(
        _ step: StepIndex, attempt: Int, reason: String, after nanoseconds: UInt64
    ) {
        board?.retrying(step.int, reason: reason, after: nanoseconds)
        isDirty = true
    }

    func ended(_ step: StepIndex, _ end: StepEnd) {
        record?.ended(step, end)
        board?.ended(step.int, end)
        forecast?.ended(step.int)
        isDirty = true
    }

    func noted(_ text: String) {
        above += MessageText.render(note: text, options)
        isDirty = true
    }

    func told(_ message: RunMessage) {
        above += MessageText.render(message, record?.names, options)
        isDirty = true
    }

    func ended(_ summary: RunSummary) {
        guard let record, !isOver else { return }
        isOver = true
        var last = Self.withReturns(above)
        above = []
        board?.stamp(now)
        if summary.counts[.cached] != board?.ended {
            for line in tree(isOver: true) { last += line.bytes + [0x0d, 0x0a] }
        }
        last += Self.withReturns(EndReport.render(record, summary, options))
        sink.send(region.frame([], above: last, columns: columns))
        sink.finish()
    }

    func refresh(now: UInt64) {
        self.now = max(now, self.now)
        board?.stamp(self.now)
        guard !isOver, board != nil else { return }
        let passed = self.now - drawn
        if passed < Self.interval || (passed < Self.tick && !isDirty) { return }
        // While the terminal takes nothing, nothing is drawn.
        guard sink.push() else { return }
        draw()
    }

    var wakeAt: UInt64? {
        if isOver || board == nil { return nil }
        if isDirty { return drawn &+ Self.interval }
        return (board?.active.count ?? 0) > 0 ? drawn &+ Self.tick : nil
    }

    func resized() {
        (columns, rows) = size()
        options.terminal.columns = columns
        if let record { nameWidth = widestName(record.run.plan) }
        isDirty = true
    }

    // MARK: Frames

    private func draw() {
        drawn = now
        isDirty = false
        frame += 1
        var lines = rows > 3 ? tree(isOver: false) : []
        if let progress = progress() { lines.append(progress) }
        let text = above.isEmpty ? [] : Self.withReturns(above)
        above = []
        let bytes = region.frame(lines, above: text, columns: columns)
        if !bytes.isEmpty { sink.send(bytes) }
    }

    /// The rows of the tree: never more than leave room for the bar and the cursor's line.
    private func tree(isOver: Bool) -> [LiveRegion.Line] {
        guard let board, let record, let forecast else { return [] }
        let room = max(0, min(rows - 3, Self.tallest))
        let selection = TreeSelection(board, rows: room, isOver: isOver)
        let expected = forecast.isKnown && columns >= 64 && !isOver ? 6 : 0
        let painter = TreePainter(
            board: board, record: record, forecast: forecast, glyphs: glyphs,
            colour: options.terminal.colour,
            layout: .init(columns: columns, name: nameWidth, expected: expected), now: now,
            frame: frame)
        var lines = selection.rows.map(painter.paint)
        if selection.hiddenActive > 0 {
            lines.append(painter.paint(hidden: selection.hiddenActive))
        }
        return lines
    }

    private func progress() -> LiveRegion.Line? {
        guard let board, let record, let forecast else { return nil }
        var done = 0.0
        var left: UInt64?
        let elapsed = now &- record.run.started
        if forecast.isKnown {
            var running = board.active.prefix(Self.forecastSteps).map { step in
                var elapsed: UInt64 = 0
                if case .running(let since?) = board.states[step], now > since {
                    elapsed = now - since
                }
                return (step: step, elapsed: elapsed)
            }
            running += board.waiting(atMost: 16).map { (step: $0, elapsed: 0) }
            let progress = forecast.progress(running: running)
            done = progress.done
            left = progress.left
        } else if board.shape.steps > 0 {
            done = Double(board.ended) / Double(board.shape.steps)
            let ran = (record.counts[.succeeded] ?? 0) + (record.counts[.failed] ?? 0)
            if ran >= 10, done > 0.05 { left = UInt64(Double(elapsed) * (1 - done) / done) }
        }
        best = max(best, done)
        return ProgressLine(
            record: record, glyphs: glyphs, colour: options.terminal.colour, columns: columns,
            done: best, left: left, running: board.active.count, elapsed: elapsed,
            hasCritical: !forecast.critical.isEmpty && columns >= 64
        ).paint()
    }

    /// Columns for rails, sign and name of the widest row, within two fifths of the terminal.
    private func widestName(_ plan: Plan) -> Int {
        guard let board, let record else { return 16 }
        let most = max(14, min(columns * 2 / 5, 48))
        var widest = 10
        for step in plan.steps.indices {
            if widest >= most { break }
            let depth = board.shape.ancestors(step).count
            widest = max(
                widest, 2 * depth + 2 + DisplayText.width(record.names.short(StepIndex(step))))
        }
        for group in plan.groups.indices where board.shape.size[group] > 0 {
            if widest >= most { break }
            let depth = board.shape.ancestors(board.shape.steps + group).count
            widest = max(
                widest, 2 * depth + 2 + DisplayText.width(StepNames.name(plan.groups[group])))
        }
        return min(widest, most)
    }

    private static func withReturns(_ bytes: [UInt8]) -> [UInt8] {
        var result: [UInt8] = []
        result.reserveCapacity(bytes.count + 16)
        for byte in bytes {
            if byte == 0x0a { result.append(0x0d) }
            result.append(byte)
        }
        return result
    }
}
