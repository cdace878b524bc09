import PipelineIR

/// What is expected of a run from what is remembered of its steps.
struct Forecast {
    /// Nanoseconds each step is expected to take; the mean of the others where nothing is known.
    private let expected: [UInt64]
    /// What is remembered, 0 where nothing is.
    private let remembered: [UInt64]
    /// Nanoseconds from the start of a step to the end of the run, along the longest way.
    private let rest: [UInt64]
    /// Steps of the longest way through the plan; empty where it is all of them or unknown.
    let critical: Set<Int>
    /// Whether enough is known to say anything.
    let isKnown: Bool
    private let total: UInt64
    /// What the steps that have not ended are expected to take.
    private var left: UInt64
    private let jobs: UInt64

    init(_ plan: Plan, expected given: [UInt64], jobs: Int) {
        let count = plan.steps.count
        // A day bounds every sum.
        let bound: UInt64 = 86_400_000_000_000
        var times = (0..<count).map { $0 < given.count ? min(given[$0], bound) : 0 }
        let known = times.filter { $0 > 0 }
        isKnown =
            count > 0 && known.count * 2 >= plan.steps.count { $0.kind == .run }
            && !known.isEmpty
        let mean = known.isEmpty ? 0 : known.reduce(0, &+) / UInt64(known.count)
        for index in times.indices where times[index] == 0 && plan.steps[index].kind == .run {
            times[index] = mean
        }
        var after = Array(repeating: UInt64(0), count: count)
        var next = Array(repeating: -1, count: count)
        var rest = after
        for index in times.indices.reversed() {
            rest[index] = times[index] &+ after[index]
            let step = plan.steps[index]
            for list in [step.order, step.data, step.conditional, step.needs ?? []] {
                for before in list where before.int >= 0 && before.int < index {
                    if rest[index] > after[before.int] {
                        after[before.int] = rest[index]
                        next[before.int] = index
                    }
                }
            }
        }
        expected = times
        remembered = given
        self.rest = rest
        total = times.reduce(0, &+)
        left = total
        self.jobs = UInt64(max(1, min(jobs, max(1, count))))
        var way: Set<Int> = []
        if isKnown, var step = rest.indices.max(by: { rest[$0] < rest[$1] }) {
            while step >= 0 {
                way.insert(step)
                step = next[step]
            }
        }
        critical = way.count == count ? [] : way
    }

    /// What a step is expected to take, or 0 where nothing is remembered of it.
    func expected(_ step: Int) -> UInt64 { step < remembered.count ? remembered[step] : 0 }

    mutating func ended(_ step: Int) { left = left > expected[step] ? left - expected[step] : 0 }

    /// How much is done, from 0 to 1, and how many nanoseconds are left, if steps run so long.
    /// `running` holds steps that run or wait for nothing but their turn.
    func progress(running: [(step: Int, elapsed: UInt64)]) -> (done: Double, left: UInt64) {
        var work = left
        var way: UInt64 = 0
        for (step, elapsed) in running {
            let spent = min(elapsed, expected[step])
            work = work > spent ? work - spent : 0
            way = max(way, rest[step] - spent)
        }
        let done = total == 0 ? 0 : 1 - Double(work) / Double(total)
        return (done, max(way, work / jobs))
    }
}
