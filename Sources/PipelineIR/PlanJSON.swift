extension Plan {
    /// The canonical JSON of the plan: one plan, one sequence of bytes.
    ///
    /// Keys ascend, there is no white space, and what has its default is left out. The form is
    /// described by `proto/danube/plan/v1/plan.schema.json` and `docs/plan.md`.
    package func canonicalJSON() -> [UInt8] {
        var writer = PlanWriter(plan: self)
        _ = writer.write { false }
        return writer.json.bytes
    }

    /// The same within a time: `isOver` is asked once in a while, and `nil` is given once it is so.
    package func canonicalJSON(unless isOver: () -> Bool) -> [UInt8]? {
        var writer = PlanWriter(plan: self)
        return writer.write(unless: isOver) ? writer.json.bytes : nil
    }
}

/// Writes a plan as canonical JSON. Keys stand in the code in the order they are written.
struct PlanWriter {
    let plan: Plan
    var json: JSONWriter

    init(plan: Plan) {
        self.plan = plan
        // Room for a usual step, so that a large plan is not copied while it grows.
        json = JSONWriter(capacity: 1024 + 320 * plan.steps.count + 96 * plan.frames.count)
    }

    /// Whether there was the time to write all of it.
    mutating func write(unless isOver: () -> Bool) -> Bool {
        json.beginObject()
        text("concurrency", plan.concurrency)
        text("concurrency_rule", plan.concurrencyRule)
        list("conditions", plan.conditions) { $0.condition($1) }
        list("context", plan.context) { $0.named($1.name, type: nil, value: $1.valueJSON) }
        text("description", plan.description)
        text("entry", plan.entry)
        list("exits", plan.exits) { $0.exit($1) }
        list("frames", plan.frames) { $0.frame($1) }
        list("groups", plan.groups) { $0.group($1) }
        text("image", plan.defaultImage)
        list("notes", plan.notes) { $0.note($1) }
        list("parameters", plan.parameters) {
            $0.named($1.name, type: $1.type, value: $1.valueJSON)
        }
        json.key("pipeline")
        json.string(plan.pipeline)
        list("sources", plan.sources) { $0.source($1) }
        json.key("steps")
        json.beginArray()
        for (index, step) in plan.steps.enumerated() {
            if index & 0x7 == 0x7, isOver() { return false }
            write(step)
        }
        json.endArray()
        json.key("version")
        json.integer(Plan.schemaVersion)
        json.endObject()
        return true
    }

    // MARK: Pieces that several objects share

    mutating func list<Element>(
        _ name: StaticString, _ elements: [Element], _ write: (inout Self, Element) -> Void
    ) {
        if elements.isEmpty { return }
        json.key(name)
        json.beginArray()
        for element in elements { write(&self, element) }
        json.endArray()
    }

    mutating func text(_ name: StaticString, _ value: String) {
        if value.isEmpty { return }
        json.key(name)
        json.string(value)
    }

    mutating func number(_ name: StaticString, _ value: some FixedWidthInteger) {
        if value == 0 { return }
        json.key(name)
        json.integer(value)
    }

    mutating func flag(_ name: StaticString, _ value: Bool, default usual: Bool) {
        if value == usual { return }
        json.key(name)
        json.bool(value)
    }

    /// An index; absent is left out and 0 is not.
    mutating func index(_ name: StaticString, _ value: Int32?) {
        guard let value else { return }
        json.key(name)
        json.integer(value)
    }

    mutating func template(_ name: StaticString, _ value: Template) {
        if value.parts.isEmpty { return }
        json.key(name)
        template(value)
    }

    mutating func step(_ index: StepIndex) {
        // A dangling index is our bug; it is written as a text that no reader takes for an id.
        json.string(plan.steps.indices.contains(index.int) ? plan.steps[index.int].id : "")
    }

    mutating func template(_ template: Template) {
        if let literal = template.literal {
            json.string(literal)
            return
        }
        json.beginArray()
        for part in template.parts { self.part(part) }
        json.endArray()
    }

    private mutating func part(_ part: Template.Part) {
        switch part {
        case .literal(let text):
            json.string(text)
            return
        case .operation(let operation):
            self.operation(operation)
            return
        case .output(let index):
            json.beginObject()
            json.key("output")
            step(index)
        case .code(let index):
            json.beginObject()
            json.key("code")
            step(index)
        case .secret(let key):
            json.beginObject()
            json.key("secret")
            json.string(key)
        }
        json.endObject()
    }

    private mutating func operation(_ operation: Template.Operation) {
        json.beginObject()
        list("args", operation.arguments) { $0.json.string($1) }
        json.key("base")
        template(operation.base)
        if operation.name.picksElement { index("index", operation.index) }
        if operation.limit != -1 { index("limit", operation.limit) }
        json.key("op")
        json.string(operation.name.rawValue)
        json.endObject()
    }

    private mutating func index(_ name: StaticString, _ value: Int64) {
        json.key(name)
        json.integer(value)
    }

    // MARK: What stands beside the steps

    private mutating func named(_ name: String, type: String?, value: String) {
        json.beginObject()
        json.key("name")
        json.string(name)
        if let type { text("type", type) }
        json.key("value")
        json.raw(value.utf8)
        json.endObject()
    }

    private mutating func condition(_ condition: Condition) {
        json.beginObject()
        switch condition {
        case .all(let operands): list("all", operands: operands)
        case .any(let operands): list("any", operands: operands)
        case .not(let operand): index("not", operand.value)
        case .code(let index, let ranges):
            json.key("code")
            json.beginObject()
            list("in", ranges) { $0.range($1) }
            json.key("step")
            step(index)
            json.endObject()
        case .ok(let index):
            json.key("ok")
            step(index)
        case .defined(let value):
            json.key("defined")
            template(value)
        case .compare(let comparison, let left, let right):
            json.key("compare")
            json.beginObject()
            json.key("left")
            template(left)
            json.key("operator")
            json.string(comparison.rawValue)
            json.key("right")
            template(right)
            json.endObject()
        }
        json.endObject()
    }

    private mutating func list(_ name: StaticString, operands: [ConditionIndex]) {
        json.key(name)
        json.beginArray()
        for operand in operands { json.integer(operand.value) }
        json.endArray()
    }

    private mutating func range(_ range: ClosedRange<UInt8>) {
        json.beginArray()
        json.integer(range.lowerBound)
        json.integer(range.upperBound)
        json.endArray()
    }

    private mutating func exit(_ exit: Exit) {
        json.beginObject()
        text("code", exit.code)
        text("expression", exit.expression)
        index("frame", exit.frame?.value)
        json.key("kind")
        json.string(exit.kind.word)
        text("message", exit.message)
        index("when", exit.condition?.value)
        json.endObject()
    }

    private mutating func frame(_ frame: Frame) {
        json.beginObject()
        number("column", frame.column)
        number("end_column", frame.endColumn)
        number("end_line", frame.endLine)
        json.key("file")
        json.string(frame.file)
        text("function", frame.function)
        number("line", frame.line)
        index("parent", frame.parent?.value)
        json.endObject()
    }

    private mutating func group(_ group: Group) {
        json.beginObject()
        flag("fail_fast", group.failFast, default: true)
        index("frame", group.frame?.value)
        json.key("kind")
        json.string(group.kind.word)
        text("name", group.name)
        index("parent", group.parent?.value)
        json.endObject()
    }

    private mutating func note(_ note: Note) {
        json.beginObject()
        number("after", note.after)
        index("frame", note.frame?.value)
        json.key("text")
        template(note.text)
        index("when", note.condition?.value)
        json.endObject()
    }

    private mutating func source(_ source: Source) {
        json.beginObject()
        text("digest", source.digest)
        json.key("kind")
        json.string(source.kind.word)
        json.key("path")
        json.string(source.path)
        json.endObject()
    }
}
