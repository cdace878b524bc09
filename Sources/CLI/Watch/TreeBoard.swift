import Executor
import PipelineIR

/// Where every step and group of a run stands. All changes cost the depth of the tree.
struct TreeBoard {
    /// Where a step stands.
    enum State: Equatable {
        case waiting
        /// Runs since; `nil` until the clock has been looked at.
        case running(since: UInt64?)
        /// Will be tried again.
        case retrying(until: UInt64?)
        case ended(StepEnd.Result)
    }

    /// What is known of a group's steps.
    struct Count {
        var ended = 0
        var active = 0
        /// Succeeded, cached and skipped ones.
        var good = 0
        var cached = 0
        var failed = 0
        var allowed = 0
        /// When its first step started and when its last one ended.
        var since: UInt64?
        var until: UInt64?
    }

    let shape: TreeShape
    private(set) var states: [State]
    private(set) var ends: [Int: StepEnd] = [:]
    private(set) var counts: [Count]
    private(set) var attempts: [Int: Int] = [:]
    private(set) var reasons: [Int: String] = [:]
    /// Steps that run or will be tried again, in the order of their starts.
    private(set) var active = ActiveSteps()
    private(set) var failed: [Int] = []
    /// The last steps that ended, the latest last.
    private(set) var recent: [Int] = []
    private(set) var ended = 0
    /// Steps whose start has no time yet, and waits that have no end yet.
    private var untimed: [(step: Int, wait: UInt64?)] = []
    /// Steps whose end has no time yet.
    private var untimedEnds: [Int] = []
    /// All steps before it have started or ended.
    private var firstWaiting = 0

    /// How many of the last steps are remembered in order.
    static let remembered = 256

    init(_ plan: Plan) {
        shape = TreeShape(plan)
        states = Array(repeating: .waiting, count: shape.steps)
        counts = Array(repeating: Count(), count: shape.groups)
    }

    mutating func started(_ step: Int, attempt: Int) {
        if !isActive(step) {
            active.append(step)
            change(step) { $0.active += 1 }
        }
        states[step] = .running(since: nil)
        if attempt > 1 { attempts[step] = attempt }
        reasons[step] = nil
        untimed.append((step, nil))
        while firstWaiting < states.count, states[firstWaiting] != .waiting { firstWaiting += 1 }
    }

    mutating func retrying(_ step: Int, reason: String, after nanoseconds: UInt64) {
        guard isActive(step) else { return }
        states[step] = .retrying(until: nil)
        reasons[step] = reason
        untimed.append((step, nanoseconds))
    }

    mutating func explained(_ step: Int, _ reason: String) { reasons[step] = reason }

    mutating func ended(_ step: Int, _ end: StepEnd) {
        if case .ended = states[step] { return }
        let wasActive = isActive(step)
        if wasActive { active.remove(step) }
        states[step] = .ended(end.result)
        ends[step] = end
        ended += 1
        reasons[step] = nil
        let isGood = [.succeeded, .cached, .skipped].contains(end.result)
        let isFailed = end.result == .failed || end.result == .lost
        change(step) { count in
            count.ended += 1
            if wasActive { count.active -= 1 }
            if isGood { count.good += 1 }
            if isFailed, end.isFatal { count.failed += 1 }
            if isFailed, !end.isFatal { count.allowed += 1 }
            if end.result == .cached { count.cached += 1 }
        }
        if isFailed { failed.append(step) }
        untimedEnds.append(step)
        recent.append(step)
        if recent.count > 2 * Self.remembered { recent.removeFirst(Self.remembered) }
        while firstWaiting < states.count, states[firstWaiting] != .waiting { firstWaiting += 1 }
    }

    /// Gives what happened since the last look at the clock the time of this one.
    mutating func stamp(_ now: UInt64) {
        for (step, wait) in untimed {
            if case .running(nil) = states[step] {
                states[step] = .running(since: now)
                change(step) { if $0.since == nil { $0.since = now } }
            }
            if case .retrying(nil) = states[step], let wait {
                let (until, overflow) = now.addingReportingOverflow(wait)
                states[step] = .retrying(until: overflow ? .max : until)
            }
        }
        for step in untimedEnds {
            var next = Int(shape.parent[step])
            while next >= 0 {
                let group = shape.group(next)
                if isOver(group), counts[group].until == nil { counts[group].until = now }
                next = Int(shape.parent[next])
            }
        }
        untimed.removeAll(keepingCapacity: true)
        untimedEnds.removeAll(keepingCapacity: true)
    }

    func isActive(_ step: Int) -> Bool {
        switch states[step] {
        case .running, .retrying: true
        case .waiting, .ended: false
        }
    }

    /// Whether every step of a group has come to a good end.
    func isDone(_ group: Int) -> Bool { counts[group].good == shape.size[group] }

    func isOver(_ group: Int) -> Bool { counts[group].ended == shape.size[group] }

    /// What stands for a step where what succeeded is folded: the outermost group around it that
    /// is done, or itself.
    func folded(_ step: Int) -> Int {
        var found = step
        var next = Int(shape.parent[step])
        while next >= 0 {
            if isDone(shape.group(next)) { found = next }
            next = Int(shape.parent[next])
        }
        return found
    }

    /// The next steps that wait, in program order; looks at a bounded number.
    func waiting(atMost limit: Int) -> [Int] {
        var found: [Int] = []
        var step = firstWaiting
        let end = min(states.count, firstWaiting + 8 * limit)
        while step < end, found.count < limit {
            if states[step] == .waiting { found.append(step) }
            step += 1
        }
        return found
    }

    private mutating func change(_ step: Int, _ body: (inout Count) -> Void) {
        var next = Int(shape.parent[step])
        while next >= 0 {
            body(&counts[shape.group(next)])
            next = Int(shape.parent[next])
        }
    }
}
