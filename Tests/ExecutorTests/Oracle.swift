import PipelineIR

@testable import Executor

/// Watches a schedule from outside and knows the rules by itself: what it recorded of the events
/// decides what a command may be.
struct Oracle {
    let plan: Plan
    private(set) var broken: [String] = []
    /// Steps whose end was seen, with the code that conditions see; nil when they did not run.
    private var ends: [UInt8??]
    private var outputs: [Int: String] = [:]
    private var last: [Int: AttemptOutcome] = [:]
    private var attempts: [Int]
    /// Steps that failed in a way that nothing catches.
    private var fatal: Set<Int> = []
    private var blocked: Set<Int> = []
    private var raised: Set<Int> = []
    private var cancelled: Schedule.Urgency?
    /// Steps that were started, or found in the cache.
    private var begun: Set<Int> = []
    /// When the job was cancelled: those that had begun or could have, and those that ran.
    private var entered: Set<Int> = []
    private var running: Set<Int> = []

    init(_ plan: Plan) {
        self.plan = plan
        ends = Array(repeating: nil, count: plan.steps.count)
        attempts = Array(repeating: 0, count: plan.steps.count)
    }

    /// Takes note of what an event did.
    mutating func observe(_ event: Schedule.Event, _ schedule: Schedule, wasIgnored: Bool) {
        if wasIgnored { return }
        switch event {
        case .exited(let step, _, let outcome): last[step.int] = outcome
        case .uploaded(let step, let failure):
            last[step.int] = failure.map { .uploadFailed($0) } ?? .exitCode(0, output: nil)
        case .cancel(let urgency):
            if cancelled == nil {
                entered = begun.union(plan.steps.indices.filter(isDue))
                running = begun.filter { ends[$0] == nil && plan.steps[$0].kind == .run }
            }
            if cancelled != .now { cancelled = urgency }
        case .start, .wake, .probed, .vacated, .recalled, .resume: break
        }
        // Failures first: what one event ends besides, they explain.
        let open = plan.steps.indices.filter { ends[$0] == nil }
        let ownStep: Int? = if case .exited(let step, _, _) = event { step.int } else { nil }
        func isFailure(_ step: Int) -> Bool {
            switch schedule.state(of: StepIndex(step)) {
            case .failed, .lost: true
            default: step == ownStep
            }
        }
        let failures = open.filter(isFailure)
        for step in failures { look(step, schedule) }
        for step in open where !failures.contains(step) { look(step, schedule) }
    }

    private mutating func look(_ step: Int, _ schedule: Schedule) {
        let state = schedule.state(of: StepIndex(step))
        guard state.isTerminal else { return }
        let (check, isFatal) = (plan.steps[step].check, plan.steps[step].fatal)
        switch state {
        case .succeeded(let result):
            expect(last[step]?.code == 0, "\(step) succeeded after \(last[step] as Any)")
            ends[step] = .some(0)
            outputs[step] = result.output
        case .cached(let result):
            begun.insert(step)
            ends[step] = .some(0)
            outputs[step] = result.output
        case .failed(let outcome): fail(step, outcome, check, isFatal)
        case .lost(let reason): fail(step, .lost(reason), check, isFatal)
        case .cancelled:
            let ran = schedule.result(of: StepIndex(step)) != nil
            ends[step] = .some(ran ? 130 : nil)
            let isOwn = last[step] == .cancelled && cancelled == nil && !isBeside(step)
            expect(isOwn || cancelled != nil || isBeside(step), "\(step) was cancelled by nothing")
            let hasStarted = begun.contains(step) || !ran || outermost(step) != nil
            if cancelled == .orderly, !hasStarted {
                expect(!isOwedCleanup(step), "\(step) does not clean up after what was stopped")
            }
            if ran, isOwn { raise(step, check, isFatal) }
        case .blocked:
            ends[step] = .some(nil)
            blocked.insert(step)
            expect(!fatal.isEmpty, "\(step) is blocked by nothing")
        default: ends[step] = .some(nil)
        }
    }

    private mutating func fail(
        _ step: Int, _ outcome: AttemptOutcome, _ check: Bool, _ isFatal: Bool
    ) {
        expect(last[step] == outcome, "\(step) failed with \(outcome), not \(last[step] as Any)")
        ends[step] = .some(outcome.code)
        if case .exitCode(_, let output) = outcome { outputs[step] = output }
        let hasCode =
            switch outcome {
            case .exitCode, .timedOut, .outOfMemory, .cancelled: true
            default: false
            }
        raise(step, check || !hasCode, isFatal || !check)
    }

    private mutating func raise(_ step: Int, _ raises: Bool, _ isFatal: Bool) {
        guard raises else { return }
        raised.insert(step)
        if isFatal { fatal.insert(step) }
    }

    /// Whether a command may be.
    mutating func check(_ command: Schedule.Command, _ schedule: Schedule) {
        switch command {
        case .start(let step, let attempt):
            begun.insert(step.int)
            attempts[step.int] += 1
            let most = 1 + Int(plan.steps[step.int].options?.retry?.attempts ?? 0)
            expect(attempt == attempts[step.int], "\(step) has attempt \(attempt)")
            expect(attempt <= most, "\(step) is tried \(attempt) times")
            mayStart(step.int)
        case .upload(let step):
            mayStart(step.int)
            begun.insert(step.int)
        case .probe(let step): mayStart(step.int)
        case .skip(let step):
            expect(!holds(plan.steps[step.int].condition), "\(step) is skipped and holds")
        case .note(let note):
            let isEnded = (0..<Int(plan.notes[note].after)).allSatisfy { ends[$0] != nil }
            expect(isEnded, "note \(note) is said before its time")
            expect(holds(plan.notes[note].condition), "note \(note) does not hold")
            expect(cancelled == nil, "note \(note) is said after cancelling")
        case .finish(let outcome):
            expect(ends.allSatisfy { $0 != nil }, "a step has not ended")
            expect((outcome == .cancelled) == (cancelled != nil), "\(outcome)")
            for step in blocked { expect(isBlocked(step), "\(step) is blocked without reason") }
            if cancelled == nil {
                let first = fatal.min().map { JobOutcome.failed(StepIndex($0)) }
                expect(outcome == first ?? exit(), "\(outcome), not \(String(describing: first))")
            }
        case .stop, .wake: break
        }
    }

    /// Attempts are counted on from what is there: a command may have been lost.
    mutating func crashed(_ schedule: Schedule) {
        for step in plan.steps.indices { attempts[step] = schedule.attempts(of: StepIndex(step)) }
    }

    private mutating func mayStart(_ step: Int) {
        let one = plan.steps[step]
        let hard = one.order + one.data + (one.needs ?? [])
        expect((hard + one.conditional).allSatisfy { ends[$0.int] != nil }, "\(step) is too early")
        expect(holds(one.condition), "\(step) starts and its condition does not hold")
        expect(!isBlocked(step), "\(step) is blocked and starts")
        expect(!isBeside(step), "\(step) starts in a block that is cancelled")
        expect(cancelled != .now, "\(step) starts after all was to end")
        if cancelled == .orderly {
            let handled = plan.steps.indices.contains {
                let isHandled = plan.steps[$0].check && !plan.steps[$0].fatal
                return isHandled && (ends[$0].flatMap { $0 } ?? 130) != 0
            }
            expect(
                handled || mayCleanUp(step), "\(step) starts after cancelling and cleans nothing up"
            )
        }
    }

    // MARK: Rules

    /// Whether all that a step waits for has ended.
    private func isDue(_ step: Int) -> Bool {
        let one = plan.steps[step]
        let before = one.order + one.data + one.conditional + (one.needs ?? [])
        return ends[step] == nil && before.allSatisfy { ends[$0.int] != nil }
    }

    /// Whether a `try` was entered that a step cleans up after, or one around it.
    private func mayCleanUp(_ step: Int) -> Bool {
        guard let range = plan.steps[step].options?.cleanup else { return false }
        return (range.first.int...range.last.int).contains { entered.contains($0) }
            || mayCleanUp(range.first.int)
    }

    /// Whether a step in the `try` was running, which itself cleans nothing up.
    private func isOwedCleanup(_ step: Int) -> Bool {
        guard let range = plan.steps[step].options?.cleanup else { return false }
        return (range.first.int...range.last.int).contains {
            running.contains($0) && plan.steps[$0].options?.cleanup == nil
        }
    }

    /// Whether a failure keeps a step from running, by an edge or by its place in the program.
    private func isBlocked(_ step: Int) -> Bool {
        let one = plan.steps[step]
        let hard = one.order + one.data + (one.needs ?? [])
        return hard.contains { fatal.contains($0.int) || blocked.contains($0.int) }
            || one.conditional.contains { fatal.contains($0.int) }
            || fatal.contains { $0 < step && (hasEnded($0, step) || isInSequence($0, step)) }
    }

    private func hasEnded(_ failure: Int, _ step: Int) -> Bool {
        outermost(failure) == nil || outermost(failure) != outermost(step)
    }

    private func isInSequence(_ failure: Int, _ step: Int) -> Bool {
        let mine = blocks(step)
        let common = blocks(failure).filter { mine.contains($0) }
        guard plan.steps[step].needs == nil, let inner = common.first else { return false }
        return plan.groups[inner].kind == .sequence
            && common.contains { plan.groups[$0].kind == .parallel }
    }

    private func exit() -> JobOutcome {
        for (index, exit) in plan.exits.enumerated() where holds(exit.condition) {
            switch exit.kind {
            case .success: return .succeeded
            case .failure: return .failedAtExit(index)
            case .live: return .live(exit: index)
            }
        }
        return plan.exits.isEmpty ? .succeeded : .noExit
    }

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

    /// Whether another branch of a block that fails fast has failed.
    private func isBeside(_ step: Int) -> Bool {
        raised.contains { failure in
            let (mine, its) = (blocks(step), blocks(failure))
            guard let common = its.first(where: { mine.contains($0) }) else { return false }
            let group = plan.groups[common]
            return failure != step && group.kind == .parallel && group.failFast
                || mine.contains { one in
                    guard plan.groups[one].kind == .parallel, plan.groups[one].failFast,
                        let my = mine.firstIndex(of: one), let its = its.firstIndex(of: one)
                    else { return false }
                    let (myBranch, itsBranch) = (
                        my > 0 ? mine[my - 1] : -1 - step,
                        its > 0 ? blocks(failure)[its - 1] : -1 - failure
                    )
                    return myBranch != itsBranch
                }
        }
    }

    private func holds(_ condition: ConditionIndex?) -> Bool {
        guard let condition else { return true }
        switch plan.conditions[condition.int] {
        case .all(let operands): return operands.allSatisfy { holds($0) }
        case .any(let operands): return operands.contains { holds($0) }
        case .not(let operand): return !holds(operand)
        case .code(let step, let ranges):
            guard let code = ends[step.int].flatMap({ $0 }) else { return false }
            return ranges.contains { $0.contains(code) }
        case .ok(let step): return ends[step.int].flatMap { $0 } == 0
        case .compare(let comparison, let left, let right):
            guard let left = text(left), let right = text(right) else { return false }
            return TemplateText.holds(comparison, left, right)
        case .defined(let template): return text(template) != nil
        }
    }

    private func text(_ template: Template) -> String? {
        try? TemplateText.text(
            of: template, secrets: { _ in nil }, output: { outputs[$0.int] }, code: { _ in 0 })
    }

    private mutating func expect(_ holds: Bool, _ message: String) {
        if !holds { broken.append(message) }
    }
}
