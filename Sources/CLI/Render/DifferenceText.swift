import PipelineIR

/// What changed between two plans, for people and for programs.
struct DifferenceText {
    private let old: Plan
    private let new: Plan
    private let difference: PlanDifference
    private let oldWords: ConditionWords
    private let newWords: ConditionWords

    init(from old: Plan, to new: Plan) {
        self.old = old
        self.new = new
        difference = PlanDifference(from: old, to: new)
        oldWords = ConditionWords(old)
        newWords = ConditionWords(new)
    }

    /// The difference as lines: `+` added, `-` removed, `~` changed, `>` waits for others.
    func text(_ layout: PlanTable.Layout, heading: String) -> TextBuffer {
        var buffer = TextBuffer(colour: layout.colour)
        let room = layout.columns.map { max(8, $0 - DisplayText.width(heading) - 2) } ?? .max
        buffer.put(DisplayText.cutInside(new.pipeline, columns: room), .bold)
        buffer.put("  ")
        buffer.safe(heading, .dim)
        buffer.newline()
        buffer.newline()
        for field in difference.plan {
            buffer.put("~ ", .yellow)
            buffer.put(field.rawValue, .bold)
            buffer.newline()
            putValues(values(field), layout, &buffer)
        }
        for step in difference.removed { put("- ", .red, old.steps[step.int], layout, &buffer) }
        for step in difference.added {
            put("+ ", .green, new.steps[step.int], layout, &buffer)
            let command = newWords.templates.text(new.steps[step.int].command)
            if !command.isEmpty, command != new.steps[step.int].name {
                buffer.put("    ")
                buffer.safe(
                    DisplayText.firstLine(command, columns: (layout.columns ?? 400) - 4), .dim)
                buffer.newline()
            }
        }
        for change in difference.changed {
            let mark = change.fields.isEmpty ? (layout.unicode ? "↳ " : "> ") : "~ "
            let paint: TextBuffer.Paint = change.fields.isEmpty ? .cyan : .yellow
            put(mark, paint, new.steps[change.new.int], layout, &buffer)
            for field in change.fields {
                buffer.put("    ")
                buffer.safe(field.word, .bold)
                buffer.newline()
                putValues(values(field, change), layout, &buffer)
            }
            if change.rewired {
                buffer.put("    ")
                buffer.put("after", .bold)
                buffer.newline()
                putValues(predecessors(change), layout, &buffer)
            }
        }
        putCount(layout, &buffer)
        return buffer
    }

    private func put(
        _ mark: String, _ paint: TextBuffer.Paint, _ step: Step, _ layout: PlanTable.Layout,
        _ buffer: inout TextBuffer
    ) {
        buffer.put(mark, paint)
        let room = layout.columns.map { max(8, $0 - 2) } ?? .max
        let name = DisplayText.cutInside(step.name, columns: room)
        buffer.put(name, paint)
        let coordinates = DisplayText.escaped(PlanColumns.coordinates(step))
        let left = room == .max ? room : room - DisplayText.width(name) - 1
        if !coordinates.isEmpty, DisplayText.width(coordinates) <= left {
            buffer.put(" " + coordinates, .dim)
        }
        buffer.newline()
    }

    private func putValues(
        _ values: (old: String, new: String), _ layout: PlanTable.Layout,
        _ buffer: inout TextBuffer
    ) {
        let room = layout.columns.map { max(16, $0 - 8) } ?? .max
        for (mark, value, paint) in [
            ("- ", values.old, TextBuffer.Paint.red), ("+ ", values.new, .green),
        ] where !value.isEmpty {
            buffer.put("      ")
            buffer.put(mark, paint)
            buffer.safe(Self.around(value, other: mark == "- " ? values.new : values.old, room))
            buffer.newline()
        }
    }

    /// A long value from a little before the first difference on, so that the two can be told
    /// apart where they are cut.
    private static func around(_ value: String, other: String, _ room: Int) -> String {
        if room == .max || DisplayText.width(value) <= room { return value }
        let same = zip(value, other).prefix { $0 == $1 }.count
        let dropped = max(0, same - room / 3)
        let shown = dropped > 0 ? "…" + value.dropFirst(dropped) : value
        return DisplayText.fitted(shown, columns: room)
    }

    private func putCount(_ layout: PlanTable.Layout, _ buffer: inout TextBuffer) {
        let wired = difference.changed.count { $0.fields.isEmpty }
        let counts = [
            (difference.added.count, "added"), (difference.removed.count, "removed"),
            (difference.changed.count - wired, "changed"), (wired, "re-wired"),
        ].filter { $0.0 > 0 }.map { "\($0.0) \($0.1)" }
        if difference.isEmpty {
            buffer.put("The plan is the same.")
        } else if !counts.isEmpty {
            buffer.newline()
            buffer.put("steps: " + counts.joined(separator: ", "), .dim)
        }
        buffer.newline()
    }

    // MARK: Values

    private func values(
        _ field: PlanDifference.Field, _ change: PlanDifference.Change
    ) -> (old: String, new: String) {
        (
            FieldText(plan: old, words: oldWords).text(field, old.steps[change.old.int]),
            FieldText(plan: new, words: newWords).text(field, new.steps[change.new.int])
        )
    }

    private func values(_ field: PlanDifference.PlanField) -> (old: String, new: String) {
        (
            FieldText(plan: old, words: oldWords).text(field),
            FieldText(plan: new, words: newWords).text(field)
        )
    }

    private func predecessors(_ change: PlanDifference.Change) -> (old: String, new: String) {
        func names(_ step: Step, _ plan: Plan) -> String {
            let all = Predecessors.of(step).map { $0.int }.filter(plan.steps.indices.contains)
            let shown = all.prefix(24).map { plan.steps[$0].name }.joined(separator: ", ")
            if all.isEmpty { return "nothing" }
            return all.count > 24 ? "\(shown) and \(all.count - 24) more" : shown
        }
        return (names(old.steps[change.old.int], old), names(new.steps[change.new.int], new))
    }

    // MARK: JSON

    /// The difference as JSON; the schema is printed by `danube schema difference`.
    func json() -> [UInt8] {
        var json = JSONWriter()
        json.beginObject()
        json.key("added")
        json.ids(difference.added.map { new.steps[$0.int].id })
        json.key("changed")
        json.beginArray()
        for change in difference.changed { put(change, &json) }
        json.endArray()
        json.key("plan")
        json.beginArray()
        for field in difference.plan { json.put(field.rawValue, values(field)) }
        json.endArray()
        json.key("removed")
        json.ids(difference.removed.map { old.steps[$0.int].id })
        json.endObject()
        return json.bytes + [0x0a]
    }

    private func put(_ change: PlanDifference.Change, _ json: inout JSONWriter) {
        json.beginObject()
        if change.rewired {
            json.key("after")
            json.beginObject()
            let before = Predecessors.of(old.steps[change.old.int]).map { old.steps[$0.int].id }
            let after = Predecessors.of(new.steps[change.new.int]).map { new.steps[$0.int].id }
            json.key("new")
            json.ids(after)
            json.key("old")
            json.ids(before)
            json.endObject()
        }
        json.key("fields")
        json.beginArray()
        for field in change.fields { json.put(field.word, values(field, change)) }
        json.endArray()
        json.key("id")
        json.string(new.steps[change.new.int].id)
        json.endObject()
    }
}

extension JSONWriter {
    fileprivate mutating func ids(_ ids: [String]) {
        beginArray()
        for id in ids { string(id) }
        endArray()
    }

    fileprivate mutating func put(_ field: String, _ values: (old: String, new: String)) {
        beginObject()
        key("field")
        string(field)
        key("new")
        string(values.new)
        key("old")
        string(values.old)
        endObject()
    }
}
