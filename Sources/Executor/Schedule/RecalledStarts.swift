import PipelineIR

/// Attempts that a run before this one has begun.
///
/// A start is commanded before it is done, and another step may fail in between, which keeps from
/// starting whatever was not commanded. So what did begin counts as begun before a failure is told.
struct RecalledStarts {
    private var upcoming: [StepIndex: [Int]] = [:]

    /// Finds the attempts in what a run has done; an upload has one each time.
    init(_ events: [EarlierRun.Event]) {
        for event in events {
            switch event {
            case .began(let step, let attempt, _): add(step, attempt)
            case .ended(let step, let attempt, _, _): add(step, attempt)
            case .uploaded(let step, _): upcoming[step, default: []].append(uploads(step) + 1)
            case .taken: break
            }
        }
    }

    private mutating func add(_ step: StepIndex, _ attempt: Int) {
        if upcoming[step]?.last != attempt { upcoming[step, default: []].append(attempt) }
    }

    private func uploads(_ step: StepIndex) -> Int { upcoming[step]?.count ?? 0 }

    /// Takes a start, once; `nil` when it was taken.
    mutating func take(_ step: StepIndex, _ attempt: Int) -> Bool {
        guard upcoming[step]?.first == attempt else { return false }
        upcoming[step]?.removeFirst()
        return true
    }

    /// The number of the next start of a step; `nil` when none is left.
    func next(_ step: StepIndex) -> Int? { upcoming[step]?.first }

    /// Starts that were not taken, of steps that are about to start.
    func due(in schedule: Schedule) -> [(step: StepIndex, attempt: Int)] {
        let sleeping = schedule.live.filter { schedule.phases[Int($0)] == .backingOff }
        return (schedule.starts.steps + schedule.probes.steps + sleeping).sorted()
            .compactMap { number in
                let step = StepIndex(Int(number))
                guard let attempt = next(step), attempt == schedule.attempts(of: step) + 1 else {
                    return nil
                }
                return (step, attempt)
            }
    }
}

extension EarlierRun.Event {
    /// Whether it may keep others from starting.
    var isFailure: Bool {
        switch self {
        case .ended(_, _, let outcome, _): !outcome.isSuccess
        case .uploaded(_, let failure): failure != nil
        case .began, .taken: false
        }
    }
}
