import PipelineIR

/// Results of steps, and what conditions are with them.
struct StepResults: Sendable, Equatable {
    /// Whether a step has ended, or is being stopped, so that nothing about it changes any more.
    private(set) var isKnown: [Bool]
    /// Whether it has a result; what is asked of a step without one is false.
    private(set) var ran: [Bool]
    private(set) var codes: [UInt8]
    /// Of steps that capture.
    private(set) var outputs: [String?]
    /// Conditions that are decided: 0 not yet, 1 false, 2 true.
    private var decided: [UInt8]

    /// What a condition is now.
    enum Answer: Equatable {
        case holds
        case fails
        /// It depends on this step, which has not ended.
        case waits(Int32)

        init(_ holds: Bool) { self = holds ? .holds : .fails }
    }

    init(_ graph: ScheduleGraph) {
        isKnown = Array(repeating: false, count: graph.count)
        ran = isKnown
        codes = Array(repeating: 0, count: graph.count)
        outputs = Array(repeating: nil, count: graph.outputCount)
        decided = Array(repeating: 0, count: graph.plan.conditions.count)
    }

    mutating func setRan(_ step: Int32, _ code: UInt8, output: String?, _ graph: ScheduleGraph) {
        isKnown[Int(step)] = true
        ran[Int(step)] = true
        codes[Int(step)] = code
        if let output, let slot = graph.settings(step)?.output, slot >= 0 {
            outputs[Int(slot)] = output
        }
    }

    mutating func setNotRun(_ step: Int32) { isKnown[Int(step)] = true }

    /// A later look at a step as if it had succeeded, for asking what follows from its failure.
    mutating func pretendSuccess(_ step: Int32) { codes[Int(step)] = 0 }

    func output(_ step: Int32, _ graph: ScheduleGraph) -> String? {
        guard let slot = graph.settings(step)?.output, slot >= 0 else { return nil }
        return outputs[Int(slot)]
    }

    /// Forgets what conditions are, after results have been changed.
    mutating func forget() { for index in decided.indices { decided[index] = 0 } }

    /// Takes every step that has not ended for one that does not run.
    mutating func endAll() { for index in isKnown.indices { isKnown[index] = true } }

    /// Decides a condition, and all that it combines.
    mutating func ask(_ condition: ConditionIndex, _ graph: ScheduleGraph) -> Answer {
        if decided[condition.int] != 0 { return Answer(decided[condition.int] == 2) }
        // Operands stand before what combines them, so the stack ends.
        var stack = [condition.value]
        while let top = stack.last {
            if decided[Int(top)] != 0 {
                stack.removeLast()
                continue
            }
            let condition = graph.plan.conditions[Int(top)]
            let value: Bool
            switch condition {
            case .all(let operands), .any(let operands):
                if push(operands, on: &stack) { continue }
                let isAll = if case .all = condition { true } else { false }
                // `all` fails with one that fails, `any` holds with one that holds.
                value = operands.contains { (decided[$0.int] == 2) != isAll } != isAll
            case .not(let operand):
                if push([operand], on: &stack) { continue }
                value = decided[operand.int] != 2
            case .code, .ok, .compare, .defined:
                if let open = firstOpen(condition) { return .waits(open) }
                value = atom(condition, graph)
            }
            decided[Int(top)] = value ? 2 : 1
            stack.removeLast()
        }
        return Answer(decided[condition.int] == 2)
    }

    private func push(_ operands: [ConditionIndex], on stack: inout [Int32]) -> Bool {
        let before = stack.count
        for operand in operands.reversed() where decided[operand.int] == 0 {
            stack.append(operand.value)
        }
        return stack.count > before
    }

    /// A step that a condition mentions and that has not ended.
    private func firstOpen(_ condition: Condition) -> Int32? {
        var open: Int32?
        condition.forEachStep { if open == nil, !isKnown[$0.int] { open = $0.value } }
        return open
    }

    private func atom(_ condition: Condition, _ graph: ScheduleGraph) -> Bool {
        var allRan = true
        condition.forEachStep { if !ran[$0.int] { allRan = false } }
        if !allRan { return false }
        switch condition {
        case .code(let step, let ranges):
            let code = codes[step.int]
            return ranges.contains { $0.contains(code) }
        case .ok(let step): return codes[step.int] == 0
        case .compare(let comparison, let left, let right):
            guard let left = text(left, graph), let right = text(right, graph) else { return false }
            return TemplateText.holds(comparison, left, right)
        case .defined(let template): return text(template, graph) != nil
        case .all, .any, .not: return false
        }
    }

    /// The text of a template without secrets; nil where Python would raise, and where it needs
    /// output that a failed attempt did not give.
    private func text(_ template: Template, _ graph: ScheduleGraph) -> String? {
        try? TemplateText.text(
            of: template, secrets: { _ in nil }, output: { output($0.value, graph) },
            code: { codes[$0.int] })
    }
}
