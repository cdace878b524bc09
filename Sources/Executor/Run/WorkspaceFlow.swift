internal import PipelineIR

/// From which steps a step gets its workspace, and to which ones it hands it on.
struct WorkspaceFlow {
    private let plan: Plan
    /// Steps that get their workspace from a step, by position: one list after the other.
    private let followers: [Int32]
    private let begins: [Int32]
    /// How many steps that follow have not ended.
    private(set) var waiting: [Int32]

    /// Reads the edges of a plan.
    init(_ plan: Plan) {
        self.plan = plan
        var begins = [Int32](repeating: 0, count: plan.steps.count + 1)
        for step in plan.steps.indices {
            for before in Self.sources(plan.steps[step]) { begins[before.int + 1] += 1 }
        }
        for index in 1..<begins.count { begins[index] += begins[index - 1] }
        var followers = [Int32](repeating: 0, count: Int(begins.last ?? 0))
        var next = begins
        for step in plan.steps.indices {
            for before in Self.sources(plan.steps[step]) {
                followers[Int(next[before.int])] = Int32(step)
                next[before.int] += 1
            }
        }
        waiting = zip(begins, begins.dropFirst()).map { $1 - $0 }
        self.begins = begins
        self.followers = followers
    }

    /// The steps whose workspaces a step gets, joined: those of `needs`, or of program order.
    static func sources(_ step: Step) -> [StepIndex] { step.needs ?? step.order }

    /// The steps whose workspaces a step gets.
    func sources(of step: StepIndex) -> [StepIndex] { Self.sources(plan.steps[step.int]) }

    /// The steps that get the workspace of a step.
    func followers(of step: StepIndex) -> ArraySlice<Int32> {
        followers[Int(begins[step.int])..<Int(begins[step.int + 1])]
    }

    /// The steps whose workspaces nobody gets, where there are several: the end of the job joins
    /// them, as another step would.
    var ends: Set<StepIndex> {
        let ends = plan.steps.indices.lazy.map { StepIndex($0) }.filter {
            followers(of: $0).isEmpty
        }
        let found = Set(ends)
        return found.count > 1 ? found : []
    }

    /// Notes that a step has ended; gives the steps whose workspace nobody will ask for.
    mutating func end(_ step: StepIndex) -> [StepIndex] {
        var unneeded: [StepIndex] = []
        for before in sources(of: step) {
            waiting[before.int] -= 1
            if waiting[before.int] == 0 { unneeded.append(before) }
        }
        if waiting[step.int] == 0 { unneeded.append(step) }
        return unneeded
    }

    /// Whether a step is the only one that still wants the workspace that `holder` left, so that it
    /// may go on in it. `hasPassed` says of a step that it does nothing and hands on what it got.
    func isAlone(_ step: StepIndex, after holder: StepIndex, hasPassed: (StepIndex) -> Bool) -> Bool
    {
        var todo = [holder]
        var seen = 0
        while let one = todo.popLast() {
            for follower in followers(of: one) where follower != step.value {
                let other = StepIndex(Int(follower))
                seen += 1
                // A wide fork has many followers, and the first one tells.
                if seen > 64 { return false }
                if sources(of: other).contains(step) { continue }
                guard hasPassed(other) else { return false }
                todo.append(other)
            }
        }
        return true
    }
}
