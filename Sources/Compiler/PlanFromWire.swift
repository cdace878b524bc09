internal import PipelineIR

/// Makes a plan of its message, which `WireScan` has bounded.
///
/// What a number or a word may be is checked here or by `Plan.validate()`; nothing is taken on the
/// word of the scan.
struct PlanFromWire {
    private var plan = Plan(pipeline: "")

    /// Reads a plan that has a number of steps.
    init(steps: Int) { plan.steps.reserveCapacity(steps) }

    /// What the bytes of one say.
    consuming func plan(_ bytes: [UInt8]) throws(PlanError) -> Plan {
        var reader = WireReader(bytes, at: 0)
        while let number = try reader.field(before: bytes.count) {
            switch number {
            // The scan has looked at the version.
            case 1: _ = try reader.number()
            case 2: plan.pipeline = try reader.text()
            case 3: plan.entry = try reader.text()
            case 4: plan.parameters.append(try parameter(&reader))
            case 5: plan.steps.append(try StepFromWire(index: plan.steps.count).step(&reader))
            case 6:
                let conditions = TemplateFromWire(
                    place: ["conditions"], index: plan.conditions.count)
                plan.conditions.append(try conditions.condition(&reader))
            case 7: plan.exits.append(try exit(&reader))
            case 8: plan.frames.append(try frame(&reader))
            case 9: plan.sources.append(try source(&reader))
            case 10: plan.notes.append(try note(&reader))
            case 11: plan.context.append(try contextValue(&reader))
            case 12: plan.defaultImage = try reader.text()
            case 13: plan.groups.append(try group(&reader))
            case 14: plan.description = try reader.text()
            case 15: plan.concurrency = try reader.text()
            case 16: plan.concurrencyRule = try reader.text()
            default: throw reader.malformed()
            }
        }
        return plan
    }

    /// An index of which 1 + it was written; `nil` for 0. One that is too large stays too large.
    static func reference(_ value: UInt32) -> Int? {
        value == 0 ? nil : min(Int(value) - 1, Int(Int32.max))
    }

    /// Reads such an index.
    static func reference(_ reader: inout WireReader) throws(PlanError) -> Int? {
        reference(try reader.small())
    }

    private func parameter(_ reader: inout WireReader) throws(PlanError) -> Parameter {
        let end = try reader.end()
        var parameter = Parameter(name: "", type: "", valueJSON: "")
        while let number = try reader.field(before: end) {
            switch number {
            case 1: parameter.name = try reader.text()
            case 2: parameter.type = try reader.text()
            case 3: parameter.valueJSON = try reader.text()
            default: throw reader.malformed()
            }
        }
        return parameter
    }

    private func contextValue(_ reader: inout WireReader) throws(PlanError) -> ContextValue {
        let end = try reader.end()
        var value = ContextValue(name: "", valueJSON: "")
        while let number = try reader.field(before: end) {
            switch number {
            case 1: value.name = try reader.text()
            case 2: value.valueJSON = try reader.text()
            default: throw reader.malformed()
            }
        }
        return value
    }

    private func frame(_ reader: inout WireReader) throws(PlanError) -> PipelineIR.Frame {
        let end = try reader.end()
        var frame = PipelineIR.Frame(
            file: "", line: 0, column: 0, endLine: 0, endColumn: 0, function: "", parent: nil)
        while let number = try reader.field(before: end) {
            switch number {
            case 1: frame.file = try reader.text()
            case 2: frame.line = Int32(clamping: try reader.small())
            case 3: frame.column = Int32(clamping: try reader.small())
            case 4: frame.endLine = Int32(clamping: try reader.small())
            case 5: frame.endColumn = Int32(clamping: try reader.small())
            case 6: frame.function = try reader.text()
            case 7: frame.parent = try Self.reference(&reader).map(FrameIndex.init)
            default: throw reader.malformed()
            }
        }
        return frame
    }

    private func group(_ reader: inout WireReader) throws(PlanError) -> Group {
        let end = try reader.end()
        var group = Group(kind: .parallel, name: "", parent: nil, failFast: false, frame: nil)
        while let number = try reader.field(before: end) {
            switch number {
            case 1: group.kind = try kind(&reader, "groups", plan.groups.count)
            case 2: group.name = try reader.text()
            case 3: group.parent = try Self.reference(&reader).map(GroupIndex.init)
            case 4: group.failFast = try reader.flag()
            case 5: group.frame = try Self.reference(&reader).map(FrameIndex.init)
            default: throw reader.malformed()
            }
        }
        return group
    }

    private func source(_ reader: inout WireReader) throws(PlanError) -> Source {
        let end = try reader.end()
        var source = Source(path: "", kind: .file, digest: "")
        while let number = try reader.field(before: end) {
            switch number {
            case 1: source.path = try reader.text()
            case 2: source.kind = try kind(&reader, "sources", plan.sources.count)
            case 3: source.digest = try reader.text()
            default: throw reader.malformed()
            }
        }
        return source
    }

    private func note(_ reader: inout WireReader) throws(PlanError) -> Note {
        let end = try reader.end()
        let templates = TemplateFromWire(place: ["notes"], index: plan.notes.count)
        var note = Note(text: .empty, condition: nil, frame: nil, after: 0)
        while let number = try reader.field(before: end) {
            switch number {
            case 1: note.text = try templates.template(&reader, "text")
            case 2: note.condition = try Self.reference(&reader).map(ConditionIndex.init)
            case 3: note.frame = try Self.reference(&reader).map(FrameIndex.init)
            case 4: note.after = Int32(clamping: try reader.small())
            default: throw reader.malformed()
            }
        }
        return note
    }

    private func exit(_ reader: inout WireReader) throws(PlanError) -> Exit {
        let end = try reader.end()
        var exit = Exit(
            kind: .success, condition: nil, message: "", frame: nil, code: "", expression: "")
        while let number = try reader.field(before: end) {
            switch number {
            case 1: exit.kind = try kind(&reader, "exits", plan.exits.count)
            case 2: exit.condition = try Self.reference(&reader).map(ConditionIndex.init)
            case 3: exit.message = try reader.text()
            case 4: exit.frame = try Self.reference(&reader).map(FrameIndex.init)
            case 5: exit.code = try reader.text()
            case 6: exit.expression = try reader.text()
            default: throw reader.malformed()
            }
        }
        return exit
    }

    private func kind<Kind: RawRepresentable>(
        _ reader: inout WireReader, _ key: String, _ index: Int
    ) throws(PlanError) -> Kind where Kind.RawValue == UInt8 {
        let number = try reader.number()
        if let kind = UInt8(exactly: number).flatMap(Kind.init(rawValue:)) { return kind }
        throw PlanError(
            .schema, [.key(key), .index(index), .key("kind")], "There is no kind \(number).")
    }
}
