import PipelineIR

/// A plan as a table: a tree of steps with image, predecessors and conditions.
struct PlanTable {
    /// What the head and the foot say beside the plan.
    struct Heading: Sendable {
        /// `sha256:…`.
        var digest = ""
        /// Why it was compiled: `push on main`.
        var occasion = ""
        /// Seconds the compilation took; `nil` when the plan was read.
        var seconds: Double?
        var memoised = false
    }

    /// How it is laid out.
    struct Layout: Sendable {
        var colour = false
        /// `nil`: nothing is cut or wrapped.
        var columns: Int?
        var unicode = true
        /// Fold long runs of similar steps.
        var collapse = false
    }

    private let plan: Plan
    private let heading: Heading
    private let layout: Layout
    private let rows: PlanRows
    private var details: StepDetails
    private var buffer: TextBuffer
    private let widths: PlanColumns

    /// Renders all of it.
    static func render(_ plan: Plan, heading: Heading, layout: Layout) -> TextBuffer {
        var table = PlanTable(plan, heading, layout)
        table.putHead()
        if !plan.steps.isEmpty { table.putTitles() }
        for row in table.rows.rows { table.put(row) }
        table.putLive()
        table.putFoot()
        return table.buffer
    }

    private init(_ plan: Plan, _ heading: Heading, _ layout: Layout) {
        self.plan = plan
        self.heading = heading
        self.layout = layout
        rows = PlanRows(plan, collapse: layout.collapse)
        details = StepDetails(plan)
        widths = PlanColumns(plan, rows, layout, details.conditions.templates)
        buffer = TextBuffer(colour: layout.colour, capacity: 256 + plan.steps.count * 72)
    }

    // MARK: Head and foot

    private mutating func putHead() {
        buffer.begin(.bold)
        buffer.safe(plan.pipeline, columns: layout.columns.map { max(8, $0 - 21) } ?? .max)
        buffer.end()
        if !heading.digest.isEmpty {
            buffer.put("  ")
            buffer.put(String(heading.digest.prefix(19)), .cyan)
        }
        buffer.newline()
        var facts: [String] = []
        if !plan.entry.isEmpty { facts.append(plan.entry) }
        if !heading.occasion.isEmpty { facts.append(heading.occasion) }
        for parameter in plan.parameters {
            facts.append("\(parameter.name)=\(parameter.valueJSON)")
        }
        if !plan.concurrency.isEmpty {
            let rule = plan.concurrencyRule.isEmpty ? "" : " (\(plan.concurrencyRule))"
            facts.append("concurrency \(plan.concurrency)\(rule)")
        }
        if widths.image > 0 {
            if !plan.defaultImage.isEmpty { facts.append("image \(plan.defaultImage)") }
        } else if !widths.imagesInRemarks,
            let image = plan.steps.first(where: { $0.kind == .run }).map(plan.image(of:)),
            !image.isEmpty
        {
            facts.append("image \(image)")
        }
        putWrapped(facts.map { .init(text: DisplayText.escaped($0), paint: .dim) }, indent: 0)
        let description = plan.description.split(separator: "\n").first ?? ""
        if !description.isEmpty {
            buffer.safe(String(description), columns: layout.columns ?? .max)
            buffer.newline()
        }
        buffer.newline()
    }

    private mutating func putLive() {
        for exit in plan.exits where exit.kind == .live {
            let line = exit.frame.flatMap { frame in
                plan.frames.indices.contains(frame.int) ? plan.frames[frame.int] : nil
            }
            let mark = layout.unicode ? "▸ " : "> "
            var words = mark + "live" + (line.map { " from line \($0.line)" } ?? "")
            if let condition = exit.condition {
                words += " if " + DisplayText.escaped(details.conditions.text(condition))
            }
            var remarks = [StepDetails.Remark(text: words, paint: .boldYellow)]
            if !exit.expression.isEmpty {
                let shown = DisplayText.fitted(exit.expression, columns: 200)
                remarks.append(.init(text: shown, paint: .dim))
            }
            if !exit.code.isEmpty {
                remarks.append(.init(text: DisplayText.escaped(exit.code), paint: .dim))
            }
            putWrapped(
                remarks, indent: widths.number + 2,
                PlanRows.Row(content: .note(0), depth: 0))
            buffer.newline()
        }
    }

    private mutating func putFoot() {
        if !plan.steps.isEmpty { buffer.newline() }
        var facts = [Self.count(plan.steps.count, "step")]
        let conditional = plan.steps.count { $0.condition != nil }
        if conditional > 0 { facts.append("\(conditional) conditional") }
        if plan.exits.count > 1 { facts.append(Self.count(plan.exits.count, "path")) }
        if rows.hidden > 0 { facts.append("\(rows.hidden) not shown (--all shows them)") }
        if let seconds = heading.seconds {
            let time = Self.milliseconds(seconds)
            facts.append(heading.memoised ? "memoised, \(time)" : "compiled in \(time)")
        }
        putWrapped(facts.map { .init(text: $0, paint: .dim) }, indent: 0)
    }

    private static func milliseconds(_ seconds: Double) -> String {
        let tenths = Int((min(max(seconds, 0), 1e6) * 10000).rounded())
        return tenths < 100 ? "\(tenths / 10).\(tenths % 10) ms" : "\((tenths + 5) / 10) ms"
    }

    static func count(_ number: Int, _ noun: String) -> String {
        "\(number) \(noun)\(number == 1 ? "" : "s")"
    }

    // MARK: Lines

    private mutating func putTitles() {
        buffer.begin(.dim)
        buffer.blanks(widths.number + 2)
        putTitle("STEP", widths.name + 2)
        if widths.command > 0 { putTitle("COMMAND", widths.command + 2) }
        if widths.image > 0 { putTitle("IMAGE", widths.image + 2) }
        if widths.after > 0 { putTitle("AFTER", 0) }
        buffer.newline()
        buffer.end()
    }

    private mutating func putTitle(_ title: String, _ width: Int) {
        buffer.put(title)
        buffer.blanks(width - title.utf8.count)
    }

    private mutating func put(_ row: PlanRows.Row) {
        switch row.content {
        case .step(let index): put(plan.steps[index], number: index + 1, row)
        case .group(let index, let again):
            buffer.blanks(widths.number + 2)
            putRails(row)
            let group = plan.groups[index]
            buffer.put(group.kind == .parallel ? "parallel" : "sequence", .boldCyan)
            if !group.name.isEmpty {
                buffer.put(" ")
                let taken = widths.number + 2 + 2 * row.depth + 9 + 12
                let room = layout.columns.map { max(8, $0 - taken) } ?? .max
                buffer.put(DisplayText.cutInside(group.name, columns: room))
            }
            if group.kind == .parallel, !group.failFast { buffer.put(", all finish", .dim) }
            if again { buffer.put(", continued", .dim) }
            buffer.newline()
        case .note(let index):
            buffer.blanks(widths.number + 2)
            putRails(row)
            let text = details.conditions.templates.text(plan.notes[index].text)
            buffer.begin(.dim)
            buffer.put(layout.unicode ? "» " : "# ")
            let room = layout.columns.map { $0 - widths.number - 4 - 2 * row.depth } ?? .max
            buffer.safe(text, columns: max(16, room))
            buffer.end()
            buffer.newline()
        case .more(let count):
            buffer.blanks(widths.number + 2)
            putRails(row)
            buffer.put("… \(count) more like these", .dim)
            buffer.newline()
        }
    }

    private mutating func put(_ step: Step, number: Int, _ row: PlanRows.Row) {
        buffer.begin(.dim)
        let digits = String(number)
        buffer.blanks(widths.number - digits.utf8.count)
        buffer.put(digits)
        buffer.end()
        buffer.put("  ")
        let tree = putRails(row)
        let used = tree + putName(step, columns: widths.name - tree)
        let after = Predecessors.words(step, dash: widths.dash)
        let image = widths.image > 0 ? plan.image(of: step) : ""
        let remarks = remarks(step)
        var column = used
        if widths.command > 0 {
            buffer.blanks(widths.name + 2 - column)
            buffer.begin(.dim)
            column = buffer.safe(widths.command(of: step), columns: widths.command)
            buffer.end()
            buffer.blanks(widths.command + 2 - column)
        } else {
            buffer.blanks(widths.name + 2 - column)
        }
        if widths.image > 0 {
            buffer.begin(.blue)
            let fits = layout.columns == nil ? Int.max : widths.image
            let shown = PlanColumns.shortened(image: image, columns: fits)
            buffer.put(shown)
            column = DisplayText.width(shown)
            buffer.end()
            buffer.blanks(widths.image + 2 - column)
        }
        column = 0
        if !after.isEmpty {
            let fits = layout.columns == nil ? Int.max : widths.after
            column = buffer.safe(after, columns: fits)
        }
        if !remarks.isEmpty {
            if widths.after > 0 { buffer.blanks(max(1, widths.after + 2 - column)) }
            put(remarks, row)
        }
        buffer.newline()
    }

    private mutating func remarks(_ step: Step) -> [StepDetails.Remark] {
        let remarks = details.remarks(step)
        let image = widths.imagesInRemarks ? plan.image(of: step) : ""
        if image.isEmpty { return remarks }
        return remarks + [.init(text: DisplayText.escaped(image), paint: .blue)]
    }

    private mutating func putName(_ step: Step, columns: Int) -> Int {
        let limit = layout.columns == nil ? Int.max : max(8, columns)
        let coordinates = PlanColumns.coordinates(step)
        // Names of many steps begin alike and differ at their ends.
        let room = coordinates.isEmpty ? limit : max(8, limit - coordinates.utf8.count - 1)
        let name = DisplayText.cutInside(step.name, columns: room)
        buffer.put(name)
        let used = DisplayText.width(name)
        if coordinates.isEmpty { return used }
        guard used + 1 < limit else { return used }
        buffer.put(" ")
        buffer.begin(.dim)
        defer { buffer.end() }
        return used + 1 + buffer.safe(coordinates, columns: limit - used - 1)
    }

    @discardableResult
    private mutating func putRails(_ row: PlanRows.Row) -> Int {
        guard row.depth > 0 else { return 0 }
        buffer.begin(.dim)
        for level in 1...row.depth {
            let open = row.rails & (1 << UInt64(min(level, 63))) != 0
            if level == row.depth {
                buffer.put(layout.unicode ? (open ? "├ " : "└ ") : (open ? "|-" : "`-"))
            } else {
                buffer.put(layout.unicode ? (open ? "│ " : "  ") : (open ? "| " : "  "))
            }
        }
        buffer.end()
        return 2 * row.depth
    }

    /// Puts remarks at the end of the line or, where they do not fit, on lines beneath.
    private mutating func put(_ remarks: [StepDetails.Remark], _ row: PlanRows.Row) {
        guard let columns = layout.columns else {
            putJoined(remarks)
            return
        }
        let separators = 3 * (remarks.count - 1)
        let needed = remarks.reduce(separators) { $0 + $1.columns }
        if needed <= columns - widths.remarks {
            putJoined(remarks)
            return
        }
        buffer.newline()
        putWrapped(remarks, indent: widths.number + 4, row)
    }

    private mutating func putJoined(_ remarks: [StepDetails.Remark]) {
        for (number, remark) in remarks.enumerated() {
            if number > 0 { buffer.put(layout.unicode ? " · " : ", ", .dim) }
            buffer.put(remark.text, remark.paint)
        }
    }
}

extension PlanTable {
    /// Puts remarks on as many lines as they need; the last is not ended when a row is given.
    private mutating func putWrapped(
        _ remarks: [StepDetails.Remark], indent: Int, _ row: PlanRows.Row? = nil
    ) {
        let room = layout.columns ?? .max
        let start = indent + 2 * (row?.depth ?? 0)
        var column = 0
        for remark in remarks {
            var words = [remark.text]
            if start + remark.columns > room {
                words = remark.text.split(separator: " ").map {
                    DisplayText.cutInside(String($0), columns: max(8, room - start))
                }
            }
            for (number, word) in words.enumerated() {
                let separator = number > 0 ? 1 : 3
                let width = DisplayText.width(word)
                if column == 0 {
                    column = putIndent(indent, row)
                    buffer.begin(remark.paint)
                } else if column + separator + width > room {
                    if number > 0 { buffer.end() }
                    buffer.newline()
                    column = putIndent(indent, row)
                    buffer.begin(remark.paint)
                } else {
                    if number > 0 {
                        buffer.put(" ")
                    } else {
                        buffer.put(layout.unicode ? " · " : ", ", .dim)
                        buffer.begin(remark.paint)
                    }
                    column += number > 0 || layout.unicode ? separator : 2
                }
                buffer.put(word)
                column += width
            }
            buffer.end()
        }
        if row == nil, column > 0 { buffer.newline() }
    }

    private mutating func putIndent(_ indent: Int, _ row: PlanRows.Row?) -> Int {
        guard let row else { return 0 }
        buffer.blanks(indent - 2)
        buffer.begin(.dim)
        if row.depth > 0 {
            for level in 1...row.depth {
                let open = row.rails & (1 << UInt64(min(level, 63))) != 0
                buffer.put(open ? (layout.unicode ? "│ " : "| ") : "  ")
            }
        }
        buffer.end()
        buffer.put("  ")
        return indent + 2 * row.depth
    }
}
