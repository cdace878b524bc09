import PipelineIR

/// Steps × events: what of a pipeline runs when.
struct EventMatrix {
    /// How a step stands in one plan.
    enum Cell: String, Sendable {
        case always
        case conditional
        /// Another command, image or environment than in the first plan that has it.
        case different
        case absent
    }

    /// A step of any of the plans.
    struct Row {
        var id: String
        var name: String
        var cells: [Cell]
    }

    let events: [String]
    private(set) var rows: [Row] = []
    /// Whether the plan of the event ends live.
    private let live: [Bool]

    init(_ plans: [(event: String, plan: Plan)]) {
        events = plans.map(\.event)
        live = plans.map { $0.plan.exits.contains { $0.kind == .live } }
        var all: [Row] = []
        var identities: [Identity] = []
        var places: [String: Int] = [:]
        // A linked list: a step goes behind the one before it in its own plan. -1 is the head.
        var next: [Int: Int] = [:]
        for (column, entry) in plans.enumerated() {
            var last = -1
            let texts = TemplateWords(steps: entry.plan.steps)
            for step in entry.plan.steps {
                let identity = Identity(step, entry.plan, texts)
                var cell: Cell = step.condition == nil ? .always : .conditional
                if let place = places[step.id] {
                    if identities[place] != identity { cell = .different }
                    all[place].cells[column] = cell
                    last = place
                    continue
                }
                let place = all.count
                var row = Row(
                    id: step.id, name: step.name,
                    cells: Array(repeating: .absent, count: plans.count))
                row.cells[column] = cell
                all.append(row)
                identities.append(identity)
                places[step.id] = place
                next[place] = next[last]
                next[last] = place
                last = place
            }
        }
        rows.reserveCapacity(all.count)
        var place = next[-1]
        while let index = place {
            rows.append(all[index])
            place = next[index]
        }
    }

    /// What a step is, apart from when it runs.
    private struct Identity: Equatable {
        var command: String
        var image: String
        var env: [String]
        init(_ step: Step, _ plan: Plan, _ texts: TemplateWords) {
            command = texts.text(step.command)
            image = plan.image(of: step)
            env = step.env.map { $0.name + "=" + texts.text($0.value) }
        }
    }

    /// The matrix for a terminal.
    func table(_ layout: PlanTable.Layout) -> TextBuffer {
        var buffer = TextBuffer(colour: layout.colour)
        let widths = events.map { $0.utf8.count + 2 }
        let room = (layout.columns ?? 100) - widths.reduce(2, +)
        let longest = rows.map { DisplayText.width($0.name) }.max() ?? 4
        let name = max(12, min(longest, room))
        buffer.put("STEP", .dim)
        buffer.blanks(name - 4 + 2)
        for event in events { buffer.put(event + "  ", .bold) }
        buffer.newline()
        for row in rows {
            buffer.blanks(name - buffer.safe(row.name, columns: name) + 2)
            for (column, cell) in row.cells.enumerated() {
                let (glyph, paint) = Self.glyph(cell, layout.unicode)
                buffer.put(glyph, paint)
                buffer.blanks(widths[column] - 1)
            }
            buffer.newline()
        }
        if live.contains(true) {
            buffer.put("then live", .yellow)
            buffer.blanks(name - 9 + 2)
            for (column, isLive) in live.enumerated() {
                buffer.put(isLive ? (layout.unicode ? "▸" : ">") : " ", .yellow)
                buffer.blanks(widths[column] - 1)
            }
            buffer.newline()
        }
        buffer.newline()
        let words: [(Cell, String)] = [
            (.always, "runs"), (.conditional, "runs if"), (.different, "runs with other content"),
            (.absent, "not in the plan"),
        ]
        let used = words.filter { word in rows.contains { $0.cells.contains(word.0) } }
        let legend = used.map { "\(Self.glyph($0.0, layout.unicode).0) \($0.1)" }
        buffer.put(legend.joined(separator: "   "), .dim)
        buffer.newline()
        return buffer
    }

    private static func glyph(_ cell: Cell, _ unicode: Bool) -> (String, TextBuffer.Paint) {
        switch cell {
        case .always: (unicode ? "●" : "x", .green)
        case .conditional: (unicode ? "◐" : "?", .yellow)
        case .different: (unicode ? "◆" : "#", .magenta)
        case .absent: (unicode ? "·" : ".", .dim)
        }
    }

    /// `{"events":[…],"steps":[{"cells":[…],"id":"…","name":"…"}]}`.
    func json() -> [UInt8] {
        var json = JSONWriter()
        json.beginObject()
        json.key("events")
        json.beginArray()
        for event in events { json.string(event) }
        json.endArray()
        json.key("live")
        json.beginArray()
        for isLive in live { json.bool(isLive) }
        json.endArray()
        json.key("steps")
        json.beginArray()
        for row in rows {
            json.beginObject()
            json.key("cells")
            json.beginArray()
            for cell in row.cells { json.string(cell.rawValue) }
            json.endArray()
            json.key("id")
            json.string(row.id)
            json.key("name")
            json.string(row.name)
            json.endObject()
        }
        json.endArray()
        json.endObject()
        return json.bytes + [0x0a]
    }
}
