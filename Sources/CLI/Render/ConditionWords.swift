import PipelineIR

/// Conditions as a person reads them: `Test failed and {Version} == "1.0"`.
struct ConditionWords {
    let conditions: [Condition]
    let templates: TemplateWords
    private let facts: ConditionFacts
    /// Where a text is cut with `…`, in bytes: conditions share operands, so that the text of a
    /// hostile plan could be exponentially long.
    var limit = 400

    init(_ plan: Plan) {
        conditions = plan.conditions
        facts = ConditionFacts(plan: plan)
        templates = TemplateWords(steps: plan.steps, limit: 200)
    }

    /// The text of a condition of the plan.
    func text(_ condition: ConditionIndex) -> String {
        var result = ""
        append(facts.essential(condition), inner: false, to: &result, depth: 0)
        return result
    }

    /// The text of a condition that may not stand in the plan.
    func text(_ condition: Condition, negated: Bool = false) -> String {
        var result = ""
        append(condition, negated: negated, inner: false, to: &result, depth: 0)
        return result
    }

    private func append(
        _ index: ConditionIndex, negated: Bool, inner: Bool, to result: inout String, depth: Int
    ) {
        guard depth < 24, result.utf8.count < limit, conditions.indices.contains(index.int) else {
            result += "…"
            return
        }
        if case .all = conditions[index.int], !negated {
            let parts = facts.essential(index)
            if parts != [index] { return append(parts, inner: inner, to: &result, depth: depth) }
        }
        append(conditions[index.int], negated: negated, inner: inner, to: &result, depth: depth)
    }

    /// A conjunction without what follows from its other parts.
    private func append(
        _ parts: [ConditionIndex], inner: Bool, to result: inout String, depth: Int
    ) {
        let brackets = inner && parts.count > 1
        if brackets { result += "(" }
        for (number, part) in parts.enumerated() {
            if number > 0 { result += " and " }
            append(
                part, negated: false, inner: inner || parts.count > 1, to: &result,
                depth: depth + 1)
        }
        if brackets { result += ")" }
    }

    private func append(
        _ condition: Condition, negated: Bool, inner: Bool, to result: inout String, depth: Int
    ) {
        switch condition {
        case .code(let step, let ranges):
            result += templates.name(step) + " "
            result += Self.outcome(negated ? Self.complement(ranges) : ranges)
        case .ok(let step):
            result += templates.name(step) + (negated ? " did not succeed" : " succeeded")
        case .defined(let template):
            result += templates.operand(template) + (negated ? " is missing" : " exists")
        case .compare(let comparison, let left, let right):
            result += compare(comparison, left, right, negated: negated)
        case .not(let operand):
            append(operand, negated: !negated, inner: inner, to: &result, depth: depth + 1)
        case .all(let operands), .any(let operands):
            var conjunction = negated
            if case .all = condition { conjunction = !negated }
            let brackets = inner && operands.count > 1
            if brackets { result += "(" }
            for (number, operand) in operands.enumerated() {
                if number > 0 { result += conjunction ? " and " : " or " }
                if result.utf8.count >= limit {
                    result += "…"
                    break
                }
                append(operand, negated: negated, inner: true, to: &result, depth: depth + 1)
            }
            if operands.isEmpty { result += conjunction ? "always" : "never" }
            if brackets { result += ")" }
        }
    }

    private func compare(
        _ comparison: Condition.Comparison, _ left: Template, _ right: Template, negated: Bool
    ) -> String {
        let left = templates.operand(left)
        let right = templates.operand(right)
        switch (comparison, negated) {
        case (.equal, false): return "\(left) == \(right)"
        case (.equal, true): return "\(left) != \(right)"
        case (.less, false), (.codeLess, false): return "\(left) < \(right)"
        case (.less, true), (.codeLess, true): return "\(left) >= \(right)"
        case (.lessOrEqual, false), (.codeLessOrEqual, false): return "\(left) <= \(right)"
        case (.lessOrEqual, true), (.codeLessOrEqual, true): return "\(left) > \(right)"
        case (.contained, false): return "\(left) in \(right)"
        case (.contained, true): return "\(left) not in \(right)"
        case (.startsWith, false): return "\(left) starts with \(right)"
        case (.startsWith, true): return "\(left) does not start with \(right)"
        case (.endsWith, false): return "\(left) ends with \(right)"
        case (.endsWith, true): return "\(left) does not end with \(right)"
        }
    }

    /// The words for a set of exit codes.
    static func outcome(_ ranges: [ClosedRange<UInt8>]) -> String {
        if ranges == [0...0] { return "exited 0" }
        if ranges == [1...255] { return "failed" }
        if ranges == [0...255] { return "ran" }
        if ranges.isEmpty { return "never exits so" }
        let others = complement(ranges)
        if others.count < ranges.count || (others.count == 1 && others[0].count == 1) {
            return "did not exit \(list(others))"
        }
        return "exited \(list(ranges))"
    }

    /// The exit codes that are not in the ranges.
    static func complement(_ ranges: [ClosedRange<UInt8>]) -> [ClosedRange<UInt8>] {
        var result: [ClosedRange<UInt8>] = []
        var next = 0
        for range in ranges {
            if Int(range.lowerBound) > next {
                result.append(UInt8(next)...(range.lowerBound - 1))
            }
            next = max(next, Int(range.upperBound) + 1)
        }
        if next <= 255 { result.append(UInt8(next)...255) }
        return result
    }

    private static func list(_ ranges: [ClosedRange<UInt8>]) -> String {
        let words = ranges.map {
            $0.count == 1 ? "\($0.lowerBound)" : "\($0.lowerBound)–\($0.upperBound)"
        }
        guard let last = words.last, words.count > 1 else { return words.first ?? "" }
        return words.dropLast().joined(separator: ", ") + " or " + last
    }
}
