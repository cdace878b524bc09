package import PipelineIR

/// Decides what happens to the steps of a plan, and does nothing itself: an event comes in, the
/// commands to perform come out. It has no clock, no process and no file.
///
/// `apply` is the only transition. Its whole cost is proportional to steps and edges, whatever the
/// order of events. Equal events give equal schedules, so a schedule is rebuilt by replaying them.
package struct Schedule: Sendable, Equatable {
    let graph: ScheduleGraph
    let limits: Limits
    /// Per step: what it is in.
    var phases: [Phase]
    /// Per step: what happened to it.
    var marks: [Marks]
    /// Per step: edges from steps that have not ended.
    var missing: [Int32]
    /// Per step: attempts that were started.
    var attempts: [UInt32]
    var results: StepResults
    /// Steps that are running, probing or backing off, in no order, and where each stands.
    var live: [Int32] = []
    var place: [Int32]
    var probes = ReadyQueue()
    var starts = ReadyQueue()
    var reserved = Reserved()
    var probing = 0
    /// How each step failed, for the few that do.
    var failures: [Int32: AttemptOutcome] = [:]
    var retries = RetryTimes()
    var ends: FailureReach
    var cancellation: Cancellation?
    /// A failure has just come to reach more steps than before.
    var sweepIsDue = false
    /// Steps whose end was not passed on yet.
    var ended: [Int32] = []
    /// Steps whose condition asks about a step to which they have no edge.
    var askers: [Int32: [Int32]] = [:]
    /// The first step in program order whose own failure nothing catches.
    var firstFailure = Int32.max
    var remaining: Int
    /// Steps at the front of the program that have all ended, and notes said or passed over.
    var prefix = 0
    var notesDone = 0
    private var hasStarted = false
    /// What was done before is being told, so nothing is started.
    var isRecalling: Bool
    /// All steps that have ended, in the order in which they did.
    package internal(set) var endOrder: [StepIndex] = []
    /// Whether `finish` was commanded.
    package private(set) var isFinished = false
    /// Events that were ignored because they came late, twice or for nothing that is there.
    package internal(set) var ignoredEvents = 0

    /// Where a step stands, without what belongs to it.
    enum Phase: UInt8, Sendable {
        case waiting, ready, probing, queued, running, backingOff
        case succeeded, failed, cached, skipped, blocked, cancelled, lost

        var isTerminal: Bool { rawValue >= Phase.succeeded.rawValue }
    }

    /// What happened to a step.
    struct Marks: OptionSet, Sendable {
        let rawValue: UInt8
        /// A step before it, by an edge, ended what it belongs to.
        static let blocked = Marks(rawValue: 1)
        /// Its attempt was told to stop.
        static let stopping = Marks(rawValue: 2)
        /// It failed, and nothing that follows it runs.
        static let fatal = Marks(rawValue: 4)
        /// It was running or about to when the job was cancelled.
        static let interrupted = Marks(rawValue: 8)
        /// Its attempt has ended and gave back what it had reserved.
        static let vacated = Marks(rawValue: 16)
    }

    /// What the attempts alive have reserved.
    struct Reserved: Sendable, Equatable {
        var jobs = 0
        var cpuMilli: UInt64 = 0
        var memoryBytes: UInt64 = 0
    }

    /// Prepares to run a valid plan. Of two steps that could start, that with the higher priority
    /// does; without priorities, and among equals, the one that is first in the program. One that
    /// recalls starts nothing before `resume`: it is told what was done before, in that order.
    package init(
        _ plan: Plan, limits: Limits, priority: [Int64]? = nil, recalls: Bool = false
    ) {
        let graph = ScheduleGraph(plan, priority: priority)
        self.graph = graph
        self.limits = limits
        phases = Array(repeating: .waiting, count: graph.count)
        marks = Array(repeating: [], count: graph.count)
        missing = graph.indegree
        attempts = Array(repeating: 0, count: graph.count)
        results = StepResults(graph)
        place = Array(repeating: -1, count: graph.count)
        ends = FailureReach(graph.blocks)
        remaining = graph.count
        isRecalling = recalls
    }

    /// Takes in what happened and gives what is to be done, in this order.
    package mutating func apply(_ event: Event, at now: Instant) -> [Command] {
        var commands: [Command] = []
        apply(event, at: now, into: &commands)
        return commands
    }

    /// Takes in what happened and appends what is to be done.
    package mutating func apply(
        _ event: Event, at now: Instant, into commands: inout [Command]
    ) {
        if isFinished || hasStarted == (event == .start) {
            ignoredEvents += 1
            return
        }
        switch event {
        case .start: start(&commands)
        case .probed(let step, let result): probed(step, result, &commands)
        case .vacated(let step, let attempt): vacated(step, attempt)
        case .exited(let step, let attempt, let outcome):
            exited(step, attempt, outcome, now, &commands)
        case .uploaded(let step, let failure): uploaded(step, failure, now, &commands)
        case .wake: retries.commanded = nil
        case .cancel(let urgency): cancel(urgency, &commands)
        case .recalled(let step, let attempt): recalled(step, attempt)
        case .resume: isRecalling = false
        }
        if let next = wakeSleepers(now, &commands) { commands.append(.wake(at: next)) }
        settle(&commands)
        sayNotes(&commands)
        if remaining == 0, reserved.jobs == 0 {
            isFinished = true
            commands.append(.finish(outcome()))
        }
    }

    private mutating func start(_ commands: inout [Command]) {
        hasStarted = true
        for step in 0..<Int32(graph.count) where graph.indegree[Int(step)] == 0 {
            decide(step, &commands)
        }
    }

    private mutating func probed(
        _ step: StepIndex, _ result: ProbeResult, _ commands: inout [Command]
    ) {
        guard isThere(step), phases[step.int] == .probing else {
            ignoredEvents += 1
            return
        }
        removeLive(step.value)
        probing -= 1
        if isHindered(step.value) { return endHindered(step.value, &commands) }
        switch result {
        case .hit(let hit):
            record(step.value, hit.code, output: hit.output)
            finish(step.value, as: .cached, &commands)
        case .miss, .uncacheable, .failed: enqueue(step.value)
        }
    }

    private mutating func vacated(_ step: StepIndex, _ attempt: Int) {
        guard isRunning(step, attempt), marks[step.int].insert(.vacated).inserted else {
            ignoredEvents += 1
            return
        }
        release(step.value)
    }

    private func isRunning(_ step: StepIndex, _ attempt: Int) -> Bool {
        isThere(step) && phases[step.int] == .running && attempt == Int(attempts[step.int])
            && !graph.traits[step.int].contains(.upload)
    }

    private mutating func exited(
        _ step: StepIndex, _ attempt: Int, _ outcome: AttemptOutcome, _ now: Instant,
        _ commands: inout [Command]
    ) {
        guard isRunning(step, attempt) else {
            ignoredEvents += 1
            return
        }
        ended(attemptOf: step.value, outcome, now, &commands)
    }

    private mutating func uploaded(
        _ step: StepIndex, _ failure: String?, _ now: Instant, _ commands: inout [Command]
    ) {
        guard isThere(step), phases[step.int] == .running,
            graph.traits[step.int].contains(.upload)
        else {
            ignoredEvents += 1
            return
        }
        let outcome = failure.map { AttemptOutcome.uploadFailed($0) }
        ended(attemptOf: step.value, outcome ?? .exitCode(0, output: nil), now, &commands)
    }

    func isThere(_ step: StepIndex) -> Bool { step.int >= 0 && step.int < graph.count }
}
