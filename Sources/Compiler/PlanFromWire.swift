internal import PipelineIR
internal import Wire

/// Makes a plan of the pieces of its message, which `WireScan` has bounded.
///
/// What a number or a word may be is checked here or by `Plan.validate()`; nothing is taken on the
/// word of the scan.
struct PlanFromWire {
    var plan = Plan(pipeline: "")

    /// Adds what is in one piece.
    mutating func take(_ message: Danube_Plan_V1_Plan) throws(PlanError) {
        if !message.pipeline.isEmpty { plan.pipeline = message.pipeline }
        if !message.entry.isEmpty { plan.entry = message.entry }
        if !message.description_p.isEmpty { plan.description = message.description_p }
        if !message.defaultImage.isEmpty { plan.defaultImage = message.defaultImage }
        if !message.concurrency.isEmpty { plan.concurrency = message.concurrency }
        if !message.concurrencyRule.isEmpty { plan.concurrencyRule = message.concurrencyRule }
        plan.parameters += message.parameters.map {
            Parameter(name: $0.name, type: $0.type, valueJSON: $0.valueJson)
        }
        plan.context += message.context.map { ContextValue(name: $0.name, valueJSON: $0.valueJson) }
        for step in message.steps {
            plan.steps.append(try StepFromWire(index: plan.steps.count).step(step))
        }
        for condition in message.conditions {
            let reader = TemplateFromWire(place: ["conditions"], index: plan.conditions.count)
            plan.conditions.append(try reader.condition(condition))
        }
        plan.frames += message.frames.map(Self.frame)
        for group in message.groups { plan.groups.append(try self.group(group)) }
        for source in message.sources { plan.sources.append(try self.source(source)) }
        for note in message.notes { plan.notes.append(try self.note(note)) }
        for exit in message.exits { plan.exits.append(try self.exit(exit)) }
    }

    /// An index of which 1 + it was written; `nil` for 0. One that is too large stays too large.
    static func reference(_ value: UInt32) -> Int? {
        value == 0 ? nil : min(Int(value) - 1, Int(Int32.max))
    }

    private static func frame(_ frame: Danube_Plan_V1_Frame) -> PipelineIR.Frame {
        PipelineIR.Frame(
            file: frame.file, line: Int32(clamping: frame.line),
            column: Int32(clamping: frame.column), endLine: Int32(clamping: frame.endLine),
            endColumn: Int32(clamping: frame.endColumn), function: frame.function,
            parent: reference(frame.parent).map(FrameIndex.init))
    }

    private func group(_ group: Danube_Plan_V1_Group) throws(PlanError) -> Group {
        let kind: Group.Kind
        switch group.kind {
        case .parallel: kind = .parallel
        case .sequence: kind = .sequence
        case .UNRECOGNIZED(let number): throw Self.unknownKind("groups", plan.groups.count, number)
        }
        return Group(
            kind: kind, name: group.name, parent: Self.reference(group.parent).map(GroupIndex.init),
            failFast: group.failFast, frame: Self.reference(group.frame).map(FrameIndex.init))
    }

    private func source(_ source: Danube_Plan_V1_Source) throws(PlanError) -> Source {
        let kind: Source.Kind
        switch source.kind {
        case .file: kind = .file
        case .listing: kind = .listing
        case .absent: kind = .absent
        case .UNRECOGNIZED(let number):
            throw Self.unknownKind("sources", plan.sources.count, number)
        }
        return Source(path: source.path, kind: kind, digest: source.digest)
    }

    private func note(_ note: Danube_Plan_V1_Note) throws(PlanError) -> Note {
        let reader = TemplateFromWire(place: ["notes"], index: plan.notes.count)
        return Note(
            text: try reader.template(note.text, "text"),
            condition: Self.reference(note.condition).map(ConditionIndex.init),
            frame: Self.reference(note.frame).map(FrameIndex.init),
            after: Int32(clamping: note.after))
    }

    private func exit(_ exit: Danube_Plan_V1_Exit) throws(PlanError) -> Exit {
        let kind: Exit.Kind
        switch exit.kind {
        case .success: kind = .success
        case .failure: kind = .failure
        case .live: kind = .live
        case .UNRECOGNIZED(let number): throw Self.unknownKind("exits", plan.exits.count, number)
        }
        return Exit(
            kind: kind, condition: Self.reference(exit.condition).map(ConditionIndex.init),
            message: exit.message, frame: Self.reference(exit.frame).map(FrameIndex.init),
            code: exit.code, expression: exit.expression)
    }

    static func unknownKind(_ key: String, _ index: Int, _ number: Int) -> PlanError {
        PlanError(.schema, [.key(key), .index(index), .key("kind")], "There is no kind \(number).")
    }
}
