import PipelineIR

/// What follows from a condition's parts: a step that exited with a code ran, so the condition
/// of that step held. Such parts need not be said.
struct ConditionFacts {
    let plan: Plan

    /// The operands of a conjunction that do not follow from the others, in program order.
    /// Other conditions stay whole.
    func essential(_ index: ConditionIndex) -> [ConditionIndex] {
        var operands: [ConditionIndex] = []
        flatten(index, into: &operands, depth: 0)
        if operands.count < 2 || operands.count > 64 { return [index] }
        var implied: Set<ConditionIndex> = []
        for operand in operands {
            for step in proves(operand) { collect(step, into: &implied) }
        }
        let equal = operands.compactMap(equality)
        for operand in operands where isImplied(operand, by: equal) { implied.insert(operand) }
        // An operand proves conditions of earlier steps only, so that not all can go.
        let rest = operands.filter { !implied.contains($0) }
        return (rest.isEmpty ? operands : rest).sorted { lastStep($0) < lastStep($1) }
    }

    /// All conditions that held when the step ran.
    private func collect(_ step: StepIndex, into implied: inout Set<ConditionIndex>) {
        var pending = [step]
        var seen: Set<StepIndex> = []
        while let next = pending.popLast(), seen.count < 256 {
            guard seen.insert(next).inserted, plan.steps.indices.contains(next.int),
                let condition = plan.steps[next.int].condition
            else { continue }
            var parts: [ConditionIndex] = [condition]
            flatten(condition, into: &parts, depth: 0)
            for part in parts {
                implied.insert(part)
                pending += proves(part)
            }
        }
    }

    /// Whether a text that equals one constant makes an inequality with another needless to say.
    private func isImplied(
        _ index: ConditionIndex, by equal: [(text: Template, constant: String)]
    ) -> Bool {
        guard case .not(let inner) = plan.conditions[index.int], let other = equality(inner)
        else { return false }
        return equal.contains { $0.text == other.text && $0.constant != other.constant }
    }

    /// The two sides of `text == "constant"`.
    private func equality(_ index: ConditionIndex) -> (text: Template, constant: String)? {
        guard plan.conditions.indices.contains(index.int),
            case .compare(.equal, let left, let right) = plan.conditions[index.int]
        else { return nil }
        if let constant = right.literal, left.literal == nil { return (left, constant) }
        if let constant = left.literal, right.literal == nil { return (right, constant) }
        return nil
    }

    private func flatten(
        _ index: ConditionIndex, into operands: inout [ConditionIndex], depth: Int
    ) {
        guard plan.conditions.indices.contains(index.int), operands.count <= 64 else { return }
        if case .all(let inner) = plan.conditions[index.int], depth < 24 {
            for operand in inner { flatten(operand, into: &operands, depth: depth + 1) }
        } else if !operands.contains(index) {
            operands.append(index)
        }
    }

    /// The steps that ran when the condition holds.
    private func proves(_ index: ConditionIndex) -> [StepIndex] {
        guard plan.conditions.indices.contains(index.int) else { return [] }
        switch plan.conditions[index.int] {
        case .code(let step, _), .ok(let step): return [step]
        case .compare, .defined:
            var steps: [StepIndex] = []
            plan.conditions[index.int].forEachStep { steps.append($0) }
            return steps
        case .all, .any, .not: return []
        }
    }

    /// The last step that a condition looks at.
    private func lastStep(_ index: ConditionIndex) -> Int {
        var last = -1
        var pending = [index]
        var visited = 0
        while let next = pending.popLast(), visited < 256 {
            visited += 1
            guard plan.conditions.indices.contains(next.int) else { continue }
            switch plan.conditions[next.int] {
            case .all(let operands), .any(let operands): pending += operands
            case .not(let operand): pending.append(operand)
            default: plan.conditions[next.int].forEachStep { last = max(last, $0.int) }
            }
        }
        return last
    }
}
