internal import PipelineIR
internal import Wire

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

    /// A template. It is as deep as its message, which the decoder bounds.
    func template(
        _ message: Danube_Plan_V1_Template, _ field: String
    ) throws(PlanError) -> Template {
        if message.parts.count == 1, case .literal(let text)? = message.parts[0].part {
            return Template(text)
        }
        var parts: [Template.Part] = []
        parts.reserveCapacity(message.parts.count)
        for part in message.parts { parts.append(try self.part(part, field)) }
        return Template(parts: parts)
    }

    private func part(
        _ message: Danube_Plan_V1_Part, _ field: String
    ) throws(PlanError) -> Template.Part {
        switch message.part {
        case .literal(let text): return .literal(text)
        case .output(let step): return .output(Self.step(step))
        case .code(let step): return .code(Self.step(step))
        case .secret(let key): return .secret(key)
        case .operation(let operation):
            guard let name = Template.Operation.Name(rawValue: operation.name) else {
                throw error(
                    .schema, field, "There is no operation `\(operation.name.prefix(64))`.")
            }
            return .operation(
                Template.Operation(
                    name: name, base: try template(operation.base, field),
                    arguments: operation.arguments, index: operation.index,
                    limit: operation.limit))
        case nil:
            throw error(.schema, field, "A part of a template has none of the fields it can have.")
        }
    }

    /// A condition.
    func condition(_ message: Danube_Plan_V1_Condition) throws(PlanError) -> Condition {
        switch message.predicate {
        case .code(let code):
            var ranges: [ClosedRange<UInt8>] = []
            for range in code.ranges {
                guard range.low <= range.high, let low = UInt8(exactly: range.low),
                    let high = UInt8(exactly: range.high)
                else {
                    throw error(
                        .value, "code", "A range of exit codes ascends and is within 0 to 255.")
                }
                ranges.append(low...high)
            }
            return .code(Self.step(code.step), ranges)
        case .compare(let compare):
            guard let comparison = Condition.Comparison(rawValue: compare.operator) else {
                throw error(
                    .schema, "compare", "There is no operator `\(compare.operator.prefix(64))`.")
            }
            return .compare(
                comparison, try template(compare.left, "compare"),
                try template(compare.right, "compare"))
        case .all(let operands): return .all(operands.conditions.map(Self.operand))
        case .any(let operands): return .any(operands.conditions.map(Self.operand))
        case .not(let operand): return .not(Self.operand(operand))
        case .ok(let step): return .ok(Self.step(step))
        case .defined(let value): return .defined(try template(value, "defined"))
        case nil: throw error(.schema, nil, "A condition has none of the fields it can have.")
        }
    }

    /// An index of a step. One that is too large stays too large.
    static func step(_ value: UInt32) -> StepIndex { StepIndex(Int(Int32(clamping: value))) }

    private static func operand(_ value: UInt32) -> ConditionIndex {
        ConditionIndex(Int(Int32(clamping: value)))
    }
}
