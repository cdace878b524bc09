import PipelineIR

@testable import Executor

/// What becomes of the steps of a plan that runs one step at a time in program order, worked out
/// as plainly as docs/plan.md says it. What the schedule does is compared with this.
struct ReferenceWalk {
    enum End: Equatable {
        case ran(UInt8)
        case skipped, blocked, cancelled

        var code: UInt8? {
            switch self {
            case .ran(let code): code
            case .cancelled: 130
            case .skipped, .blocked: nil
            }
        }
    }

    let plan: Plan
    /// The exit code and output of a step, if it runs.
    let run: (Int) -> (code: UInt8, output: String)
    private(set) var ends: [End] = []
    /// Blocked steps whose condition does not hold: they are skipped when that is known earlier
    /// than the failure.
    private(set) var mayBeSkipped: Set<Int> = []
    private(set) var notes: [Int] = []
    private(set) var outputs: [Int: String] = [:]
    private var fatal: [Int] = []
    /// For each failure that raises: its index.
    private var raised: [Int] = []

    init(_ plan: Plan, run: @escaping (Int) -> (code: UInt8, output: String)) {
        self.plan = plan
        self.run = run
        say(0)
        for step in plan.steps.indices {
            ends.append(end(step))
            say(step + 1)
        }
    }

    var outcome: JobOutcome {
        if let first = fatal.min() { return .failed(StepIndex(first)) }
        for (index, exit) in plan.exits.enumerated() where holds(exit.condition) {
            switch exit.kind {
            case .success: return .succeeded
            case .failure: return .failedAtExit(index)
            case .live: return .live(exit: index)
            }
        }
        return plan.exits.isEmpty ? .succeeded : .noExit
    }

    private mutating func end(_ number: Int) -> End {
        let step = plan.steps[number]
        if hasEnded(before: number) || sequenceFailed(before: number) {
            if !holds(step.condition) { mayBeSkipped.insert(number) }
            return .blocked
        }
        let hard = step.order + step.data + (step.needs ?? [])
        if hard.contains(where: { ends[$0.int] == .blocked || fatal.contains($0.int) })
            || step.conditional.contains(where: { fatal.contains($0.int) })
        {
            return .blocked
        }
        if !holds(step.condition) { return .skipped }
        if isCancelled(number) { return .cancelled }
        let (code, output) = step.kind == .upload ? (0, "") : run(number)
        if step.capture { outputs[number] = output }
        if code != 0, step.check {
            raised.append(number)
            if step.fatal { fatal.append(number) }
        }
        return .ran(code)
    }

    /// Blocks around a step, innermost first.
    private func blocks(_ step: Int) -> [Int] {
        var found: [Int] = []
        var group = plan.steps[step].group
        while let one = group {
            found.append(one.int)
            group = plan.groups[one.int].parent
        }
        return found
    }

    private func outermost(_ step: Int) -> Int? {
        blocks(step).last { plan.groups[$0].kind == .parallel }
    }

    private func hasEnded(before step: Int) -> Bool {
        fatal.contains { outermost($0) == nil || outermost($0) != outermost(step) }
    }

    private func sequenceFailed(before step: Int) -> Bool {
        if plan.steps[step].needs != nil { return false }
        return fatal.contains { failure in
            let mine = blocks(step)
            let common = blocks(failure).filter { mine.contains($0) }
            guard let inner = common.first, plan.groups[inner].kind == .sequence else {
                return false
            }
            return common.contains { plan.groups[$0].kind == .parallel }
        }
    }

    /// Whether another branch of a block that fails fast has failed.
    private func isCancelled(_ step: Int) -> Bool {
        raised.contains { failure in
            let (mine, its) = (blocks(step), blocks(failure))
            return its.enumerated().contains { place, group in
                guard plan.groups[group].kind == .parallel, plan.groups[group].failFast,
                    let mineAt = mine.firstIndex(of: group)
                else { return false }
                // The branch is the block next inside, or the step itself.
                let branch = place > 0 ? its[place - 1] : -1
                return branch < 0 || mineAt == 0 || mine[mineAt - 1] != branch
            }
        }
    }

    private mutating func say(_ after: Int) {
        for (index, note) in plan.notes.enumerated() where Int(note.after) == after {
            let ended = fatal.contains {
                outermost($0) == nil || after == 0 || outermost($0) != outermost(after - 1)
            }
            if !ended, holds(note.condition) { notes.append(index) }
        }
    }

    // MARK: Conditions

    private func holds(_ condition: ConditionIndex?) -> Bool {
        guard let condition else { return true }
        switch plan.conditions[condition.int] {
        case .all(let operands): return operands.allSatisfy { holds($0) }
        case .any(let operands): return operands.contains { holds($0) }
        case .not(let operand): return !holds(operand)
        case .code(let step, let ranges):
            guard let code = code(step) else { return false }
            return ranges.contains { $0.contains(code) }
        case .ok(let step): return code(step) == 0
        case .compare(let comparison, let left, let right):
            guard let left = text(left), let right = text(right) else { return false }
            return TemplateText.holds(comparison, left, right)
        case .defined(let template): return text(template) != nil
        }
    }

    private func code(_ step: StepIndex) -> UInt8? {
        step.int < ends.count ? ends[step.int].code : nil
    }

    private func text(_ template: Template) -> String? {
        var allRan = true
        template.forEachStep { if code($0) == nil { allRan = false } }
        if !allRan { return nil }
        return try? TemplateText.text(
            of: template, secrets: { _ in nil }, output: { outputs[$0.int] },
            code: { code($0) ?? 0 })
    }
}
