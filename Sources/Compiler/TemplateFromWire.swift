internal import PipelineIR

/// Makes templates and conditions of their messages.
struct TemplateFromWire {
    /// Where they stand: keys, and then the index of the element that is read.
    var place: [String]
    var index: Int

    /// The error for a field of the element.
    func error(_ reason: PlanError.Reason, _ field: String?, _ message: String) -> PlanError {
        var path = PlanPath(place.map { .key($0) }).at(index)
        if let field { path = path.key(field) }
        return PlanError(reason, path, message)
    }

    /// A template.
    func template(_ reader: inout WireReader, _ field: String) throws(PlanError) -> Template {
        let end = try reader.enter()
        var parts: [Template.Part] = []
        while let number = try reader.field(before: end) {
            guard number == 1 else { throw reader.malformed() }
            parts.append(try part(&reader, field))
        }
        reader.leave()
        return Template(parts: parts)
    }

    private func part(
        _ reader: inout WireReader, _ field: String
    ) throws(PlanError) -> Template.Part {
        let end = try reader.enter()
        var part: Template.Part?
        while let number = try reader.field(before: end) {
            switch number {
            case 1: part = .literal(try reader.text())
            case 2: part = .output(Self.step(try reader.small()))
            case 3: part = .code(Self.step(try reader.small()))
            case 4: part = .secret(try reader.text())
            case 5: part = .operation(try operation(&reader, field))
            default: throw reader.malformed()
            }
        }
        reader.leave()
        if let part { return part }
        throw error(.schema, field, "A part of a template has none of the fields it can have.")
    }

    private func operation(
        _ reader: inout WireReader, _ field: String
    ) throws(PlanError) -> Template.Operation {
        let end = try reader.enter()
        var text = ""
        var operation = Template.Operation(name: .strip, base: .empty, limit: 0)
        while let number = try reader.field(before: end) {
            switch number {
            case 1: text = try reader.text()
            case 2: operation.base = try template(&reader, field)
            case 3: operation.arguments.append(try reader.text())
            case 4: operation.index = try reader.signed()
            case 5: operation.limit = try reader.signed()
            default: throw reader.malformed()
            }
        }
        reader.leave()
        guard let name = Template.Operation.Name(rawValue: text) else {
            throw error(.schema, field, "There is no operation `\(text.prefix(64))`.")
        }
        operation.name = name
        return operation
    }

    /// A condition.
    func condition(_ reader: inout WireReader) throws(PlanError) -> Condition {
        let end = try reader.end()
        var condition: Condition?
        while let number = try reader.field(before: end) {
            switch number {
            case 1: condition = try code(&reader)
            case 2: condition = try comparison(&reader)
            case 3: condition = .all(try operands(&reader))
            case 4: condition = .any(try operands(&reader))
            case 5: condition = .not(Self.operand(try reader.small()))
            case 6: condition = .ok(Self.step(try reader.small()))
            case 7: condition = .defined(try template(&reader, "defined"))
            default: throw reader.malformed()
            }
        }
        if let condition { return condition }
        throw error(.schema, nil, "A condition has none of the fields it can have.")
    }

    private func code(_ reader: inout WireReader) throws(PlanError) -> Condition {
        let end = try reader.end()
        var step = StepIndex(0)
        var ranges: [ClosedRange<UInt8>] = []
        while let number = try reader.field(before: end) {
            switch number {
            case 1: step = Self.step(try reader.small())
            case 2: ranges.append(try codes(&reader))
            default: throw reader.malformed()
            }
        }
        return .code(step, ranges)
    }

    private func codes(_ reader: inout WireReader) throws(PlanError) -> ClosedRange<UInt8> {
        let end = try reader.end()
        var bounds: (low: UInt32, high: UInt32) = (0, 0)
        while let number = try reader.field(before: end) {
            switch number {
            case 1: bounds.low = try reader.small()
            case 2: bounds.high = try reader.small()
            default: throw reader.malformed()
            }
        }
        guard bounds.low <= bounds.high, let low = UInt8(exactly: bounds.low),
            let high = UInt8(exactly: bounds.high)
        else {
            throw error(.value, "code", "A range of exit codes ascends and is within 0 to 255.")
        }
        return low...high
    }

    private func comparison(_ reader: inout WireReader) throws(PlanError) -> Condition {
        let end = try reader.end()
        var word = ""
        var sides = (left: Template.empty, right: Template.empty)
        while let number = try reader.field(before: end) {
            switch number {
            case 1: word = try reader.text()
            case 2: sides.left = try template(&reader, "compare")
            case 3: sides.right = try template(&reader, "compare")
            default: throw reader.malformed()
            }
        }
        guard let comparison = Condition.Comparison(rawValue: word) else {
            throw error(.schema, "compare", "There is no operator `\(word.prefix(64))`.")
        }
        return .compare(comparison, sides.left, sides.right)
    }

    private func operands(_ reader: inout WireReader) throws(PlanError) -> [ConditionIndex] {
        let end = try reader.end()
        var operands: [ConditionIndex] = []
        while let number = try reader.field(before: end) {
            guard number == 1 else { throw reader.malformed() }
            try reader.numbers(to: &operands, Self.operand)
        }
        return operands
    }

    /// An index of a step. One that is too large stays too large.
    static func step(_ value: UInt32) -> StepIndex { StepIndex(Int(Int32(clamping: value))) }

    private static func operand(_ value: UInt32) -> ConditionIndex {
        ConditionIndex(Int(Int32(clamping: value)))
    }
}
