import Executor
import PipelineIR

/// Paints the rows of a tree: sign, name, time, what is expected, what was written last.
struct TreePainter {
    /// Where the columns begin.
    struct Layout {
        var columns: Int
        var name: Int
        /// 0 where there is no room for it or nothing is known.
        var expected: Int

        static let time = 7

        /// The column after name and time, from 0.
        var text: Int { name + 2 + Self.time + (expected > 0 ? expected + 3 : 0) + 2 }
    }

    let board: TreeBoard
    let record: RunRecord
    let forecast: Forecast
    let glyphs: Glyphs
    let colour: Bool
    let layout: Layout
    let now: UInt64
    let frame: Int

    func paint(_ row: TreeSelection.Row) -> LiveRegion.Line {
        var line = PaintedLine(colour: colour, columns: layout.columns - 1)
        putRails(row, &line)
        if board.shape.isGroup(row.node) {
            put(group: board.shape.group(row.node), &line)
        } else {
            put(step: row.node, &line)
        }
        return line.line
    }

    /// The row for what runs and has no row.
    func paint(hidden count: Int) -> LiveRegion.Line {
        var line = PaintedLine(colour: colour, columns: layout.columns - 1)
        line.put("\(glyphs.ellipsis) \(count) more running", .dim)
        return line.line
    }

    private func putRails(_ row: TreeSelection.Row, _ line: inout PaintedLine) {
        // A tree that is deeper than half of the name's column is shown flat from there on.
        let depth = min(row.depth, layout.name / 4)
        guard depth > 0 else { return }
        var rails = ""
        for level in 1...depth {
            let open = row.rails & (1 << UInt64(min(level, 62))) != 0
            if level == depth {
                rails += glyphs.unicode ? (open ? "├ " : "└ ") : (open ? "|-" : "`-")
            } else {
                rails += glyphs.unicode ? (open ? "│ " : "  ") : (open ? "| " : "  ")
            }
        }
        line.put(rails, .dim)
    }

    // MARK: Groups

    private func put(group: Int, _ line: inout PaintedLine) {
        let count = board.counts[group]
        let size = board.shape.size[group]
        let name = StepNames.name(record.run.plan.groups[group])
        if count.failed > 0 {
            line.put(glyphs.sign(StepEnd.Result.failed))
        } else if count.allowed > 0, board.isOver(group) {
            line.put((glyphs.sign(StepEnd.Result.failed).0, .yellow))
        } else if board.isDone(group) {
            line.put(glyphs.sign(count.cached == size ? .cached : .succeeded))
        } else if board.isOver(group) {
            line.put(glyphs.sign(StepEnd.Result.cancelled))
        } else if count.active > 0 {
            line.put((glyphs.spinner(frame), .cyan))
        } else {
            line.put((glyphs.waiting, .dim))
        }
        let isWaiting = count.active == 0 && count.ended == 0
        line.put(" ")
        line.put(name, isWaiting ? .dim : nil, columns: layout.name - line.columns)
        line.move(to: layout.name + 2)
        if board.isOver(group) {
            let took = count.since.flatMap { since in count.until.map { $0 &- since } }
            line.right(took.map(Elapsed.text) ?? "", .dim, in: TreePainter.Layout.time)
        } else {
            line.right("\(count.ended)/\(size)", .dim, in: TreePainter.Layout.time)
        }
        line.move(to: layout.text)
        line.put(words(count, size, isOver: board.isOver(group)), .dim)
    }

    private func words(_ count: TreeBoard.Count, _ size: Int, isOver: Bool) -> String {
        var words: [String] = []
        if isOver { words.append(PlanTable.count(size, "step")) }
        if count.active > 0 { words.append("\(count.active) running") }
        if count.failed > 0 { words.append("\(count.failed) failed") }
        if count.allowed > 0 { words.append("\(count.allowed) allowed to fail") }
        if isOver, count.cached > 0 { words.append("\(count.cached) cached") }
        return words.joined(separator: ", ")
    }

    // MARK: Steps

    private func put(step: Int, _ line: inout PaintedLine) {
        let index = StepIndex(step)
        let name = record.names.short(index)
        let room = layout.name - line.columns - 2
        switch board.states[step] {
        case .waiting:
            line.put((glyphs.waiting, .dim))
            line.put(" ")
            line.put(name, .dim, columns: room)
            putExpected(step, &line)
        case .running(let since):
            line.put((glyphs.spinner(frame), .cyan))
            line.put(" ")
            line.put(name, .bold, columns: room)
            let elapsed = since.map { now > $0 ? now - $0 : 0 } ?? 0
            let expected = forecast.expected(step)
            let isLate = expected > 0 && elapsed > expected + expected / 4 + 2_000_000_000
            line.move(to: layout.name + 2)
            let time = Elapsed.running(elapsed)
            line.right(time, isLate ? .yellow : nil, in: TreePainter.Layout.time)
            putExpected(step, &line)
            putLast(step, &line)
        case .retrying(let until):
            line.put((glyphs.again, .yellow))
            line.put(" ")
            line.put(name, nil, columns: room)
            line.move(to: layout.text)
            let left = until.map { $0 > now ? $0 - now : 0 } ?? 0
            let why = DisplayText.escaped(board.reasons[step] ?? "failed")
            line.put("\(why), again in \(Elapsed.estimate(left))", .yellow)
        case .ended(let result):
            line.put(glyphs.sign(board.ends[step] ?? StepEnd(result: result)))
            line.put(" ")
            put(end: step, result, name, room, &line)
        }
    }

    private func put(
        end step: Int, _ result: StepEnd.Result, _ name: String, _ room: Int,
        _ line: inout PaintedLine
    ) {
        let end = board.ends[step] ?? StepEnd(result: result)
        let isFailure = end.isFatal && (result == .failed || result == .lost)
        let isQuiet = result == .skipped || result == .blocked
        line.put(name, isFailure ? .bold : isQuiet ? .dim : nil, columns: room)
        line.move(to: layout.name + 2)
        if end.nanoseconds > 0, result != .cached {
            let time = Elapsed.text(end.nanoseconds)
            line.right(time, isFailure ? .red : .dim, in: TreePainter.Layout.time)
        }
        line.move(to: layout.text)
        switch result {
        case .succeeded:
            if end.attempts > 1 { line.put("\(end.attempts) attempts", .dim) }
        case .failed, .lost, .cancelled:
            line.put(EndWords.why(end), isFailure ? .red : .yellow)
            if end.attempts > 1 { line.put(", \(end.attempts) attempts", .dim) }
            if result == .failed, !end.isFatal { line.put(", allowed", .dim) }
        case .cached, .skipped, .blocked:
            line.put(EndWords.text(end, origin: record.origins[step]), .dim)
        }
    }

    private func putExpected(_ step: Int, _ line: inout PaintedLine) {
        guard layout.expected > 0 else { return }
        line.move(to: layout.name + 2 + Layout.time + 1)
        let expected = forecast.expected(step)
        if expected > 0 {
            let text = glyphs.about + Elapsed.estimate(expected)
            line.right(text, .dim, in: layout.expected)
        }
        if forecast.critical.contains(step) {
            line.move(to: layout.name + 2 + Layout.time + 1 + layout.expected + 1)
            line.put(glyphs.critical, .magenta)
        }
    }

    private func putLast(_ step: Int, _ line: inout PaintedLine) {
        line.move(to: layout.text)
        let last = record.tail(of: StepIndex(step))?.lastLine ?? []
        if !last.isEmpty {
            line.put(output: last)
        } else if let attempt = board.attempts[step] {
            line.put("attempt \(attempt)", .dim)
        } else if let reason = board.reasons[step] {
            line.put(DisplayText.escaped(reason), .dim)
        }
    }
}
