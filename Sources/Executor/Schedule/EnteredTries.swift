import PipelineIR

/// Which `try` a cancelled job was in: what decides whether a step of a `finally` runs.
///
/// Cancelling is an exception at each step that runs, or at the first that is about to. The step of
/// a `finally` runs when that is in its `try`; or when something of the `try` ran and nothing of
/// the `finally` did, for then the exception comes between the two. It does not run when the `try`
/// was not entered, nor when the `finally` itself was interrupted.
struct EnteredTries: Sendable, Equatable {
    /// Steps that ran or were running, and the first of those about to: ascending.
    private var begun: [Int32] = []
    /// Those of them at which the exception is raised.
    private var interrupted: [Int32] = []
    /// A `try` in a `finally` in a `finally`…: as many are looked at.
    private static let depth = 128

    /// What is known about a step when the job is cancelled, in program order.
    enum Observation { case ran, running, due }

    /// Takes in the next step. False when the exception is not raised at it, because it stands in
    /// the `finally` of what was interrupted before.
    mutating func add(_ step: Int32, _ seen: Observation, isFirst: Bool, _ plan: Plan) -> Bool {
        switch seen {
        case .ran:
            begun.append(step)
            return true
        case .running:
            if followsInterruption(step, plan) { return false }
            interrupted.append(step)
        case .due:
            if cleansUp(step, plan) { return false }
            guard isFirst else { return true }
            interrupted.append(step)
        }
        begun.append(step)
        return true
    }

    /// Whether a step stands in the `finally` of a `try` that the exception leaves.
    func cleansUp(_ step: Int32, _ plan: Plan) -> Bool {
        if followsInterruption(step, plan) { return true }
        var inner = cleanup(of: step, plan)
        for _ in 0..<Self.depth {
            guard let range = inner else { return false }
            if Self.has(begun, from: range.last.value + 1, before: step) { return false }
            if Self.has(begun, from: range.first.value, before: range.last.value + 1) {
                return true
            }
            inner = cleanup(of: range.first.value, plan)
        }
        return false
    }

    /// Whether something was interrupted in the `try` of a step, or in one that is around it: the
    /// first step of a `try` inside a `finally` cleans up after the outer one.
    private func followsInterruption(_ step: Int32, _ plan: Plan) -> Bool {
        var inner = cleanup(of: step, plan)
        for _ in 0..<Self.depth {
            guard let range = inner else { return false }
            if Self.has(interrupted, from: range.first.value, before: range.last.value + 1) {
                return true
            }
            inner = cleanup(of: range.first.value, plan)
        }
        return false
    }

    private func cleanup(of step: Int32, _ plan: Plan) -> Cleanup? {
        plan.steps[Int(step)].options?.cleanup
    }

    /// Whether one of ascending numbers lies in a range.
    private static func has(_ numbers: [Int32], from first: Int32, before end: Int32) -> Bool {
        var low = 0
        var high = numbers.count
        while low < high {
            let middle = (low + high) / 2
            if numbers[middle] < first { low = middle + 1 } else { high = middle }
        }
        return low < numbers.count && numbers[low] < end
    }
}
