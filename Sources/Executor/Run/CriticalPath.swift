internal import PipelineIR

/// How much work waits behind each step: what is started first when not all can be.
struct CriticalPath {
    /// By step: nanoseconds of the longest way from its beginning to the end of the job. `nil` when
    /// no duration is known, so that program order decides.
    let priorities: [Int64]?

    /// Adds durations up from the end, as steps refer only to steps before them.
    init(_ plan: Plan, durations: [UInt64]) {
        guard durations.contains(where: { $0 > 0 }) else {
            priorities = nil
            return
        }
        // Steps that never ran take as long as the others on average.
        let known = durations.filter { $0 > 0 }
        let usual = known.reduce(0) { $0 + $1 / UInt64(known.count) }
        var behind = [Int64](repeating: 0, count: plan.steps.count)
        for index in plan.steps.indices.reversed() {
            let own = durations[index] > 0 ? durations[index] : usual
            behind[index] = Int64(clamping: UInt64(behind[index]).addingClamped(own))
            plan.steps[index].forEachPredecessor { before in
                behind[before.int] = max(behind[before.int], behind[index])
            }
        }
        priorities = behind
    }
}

extension UInt64 {
    fileprivate func addingClamped(_ other: UInt64) -> UInt64 {
        let (sum, overflow) = addingReportingOverflow(other)
        return overflow ? .max : sum
    }
}
