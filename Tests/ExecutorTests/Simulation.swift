import PipelineIR

@testable import Executor

/// Runs a schedule in a world that a seed makes up: a virtual clock, attempts that end in every
/// way, and faults. After every event the invariants are checked; `broken` says what did not hold.
struct Simulation {
    private(set) var schedule: Schedule
    let plan: Plan
    let limits: Schedule.Limits
    private(set) var random: Seeded
    private(set) var broken: [String] = []
    private(set) var outcome: JobOutcome?
    private(set) var crashes = 0
    var oracle: Oracle
    private let first: Schedule
    private var log: [(event: Schedule.Event, at: Instant)] = []
    private var now: UInt64 = 0
    private var inFlight: [(event: Schedule.Event, at: UInt64)] = []
    /// Attempts that are alive: by step.
    private var alive: [Int: Int] = [:]
    /// Those of which only the result is still being kept.
    private var vacated: Set<Int> = []
    private var probing: Set<Int> = []
    private let faults: Int
    private let turns = 20_000

    init(_ plan: Plan, seed: UInt64) {
        var random = Seeded(seed ^ 0x5EED)
        self.plan = plan
        limits = Schedule.Limits(
            jobs: 1 + random.below(5), cpuMilli: random.chance(50) ? 1500 : 0,
            memoryBytes: random.chance(50) ? 3 << 30 : 0, probes: 1 + random.below(4),
            usesCache: random.chance(80))
        let priority = plan.steps.indices.map { _ in Int64(random.below(4)) }
        first = Schedule(plan, limits: limits, priority: random.chance(50) ? priority : nil)
        schedule = first
        oracle = Oracle(plan)
        faults = [0, 5, 25][random.below(3)]
        inFlight = [(.start, 0)]
        if random.chance(45) { inFlight.append((.cancel(.orderly), UInt64(random.below(4_000)))) }
        if random.chance(20) { inFlight.append((.cancel(.now), UInt64(random.below(6_000)))) }
        self.random = random
    }

    /// Runs to the end.
    mutating func run() {
        for _ in 0..<turns where broken.isEmpty {
            guard let next = inFlight.indices.min(by: { inFlight[$0].at < inFlight[$1].at }) else {
                break
            }
            let (event, at) = inFlight.remove(at: next)
            now = max(now, at)
            deliver(event)
            if random.chance(faults / 2) { inFlight.append((event, now + time(2_000))) }
            if random.chance(faults / 4) { strayEvent() }
            if random.chance(faults / 3) { replay() }
        }
        if outcome == nil, broken.isEmpty { broken.append("the run does not end") }
        replay()
    }

    private mutating func time(_ most: Int) -> UInt64 { UInt64(random.below(most)) }

    private mutating func deliver(_ event: Schedule.Event) {
        let at = Instant(nanoseconds: now * 1_000_000)
        let before = schedule.ignoredEvents
        let commands = schedule.apply(event, at: at)
        log.append((event, at))
        if schedule.ignoredEvents == before { accept(event) }
        oracle.observe(event, schedule, wasIgnored: schedule.ignoredEvents > before)
        // A crash here: what was commanded is not done, and the state is rebuilt.
        if random.chance(faults / 5), outcome == nil, !commands.contains(where: \.isFinish) {
            crashes += 1
            for case .stop(let step, let attempt, _) in commands {
                endSoon(step, attempt, .cancelled)
            }
            replay()
            recover()
        } else {
            for command in commands { perform(command) }
        }
        broken += oracle.broken
        checkLimits()
        if schedule.isFinished != (outcome != nil) { broken.append("finished without a word") }
    }

    /// The world's side of an event that was taken.
    private mutating func accept(_ event: Schedule.Event) {
        switch event {
        case .probed(let step, _): probing.remove(step.int)
        case .exited(let step, let attempt, _):
            if alive[step.int] != attempt { broken.append("an end of no attempt was taken") }
            alive[step.int] = nil
            vacated.remove(step.int)
        case .uploaded(let step, _): alive[step.int] = nil
        case .vacated(let step, let attempt):
            if alive[step.int] != attempt { broken.append("room of no attempt was taken") }
            if !vacated.insert(step.int).inserted { broken.append("\(step) gave room twice") }
        case .start, .wake, .cancel, .recalled, .resume: break
        }
    }

    private mutating func perform(_ command: Schedule.Command) {
        if outcome != nil { broken.append("\(command) after the end") }
        oracle.check(command, schedule)
        switch command {
        case .probe(let step): probe(step)
        case .start(let step, let attempt):
            if alive[step.int] != nil { broken.append("two attempts of \(step) are alive") }
            alive[step.int] = attempt
            let outcome = randomOutcome(step)
            let end = now + time(1_000)
            if random.chance(40) { inFlight.append((.vacated(step, attempt: attempt), end)) }
            inFlight.append((.exited(step, attempt: attempt, outcome), end + time(50)))
        case .upload(let step):
            if alive[step.int] != nil { broken.append("two uploads of \(step) are alive") }
            alive[step.int] = 1
            let failure = random.chance(faults) ? "full" : nil
            inFlight.append((.uploaded(step, failure: failure), now + time(500)))
        case .stop(let step, let attempt, _):
            if alive[step.int] == nil { broken.append("\(step) is stopped and not alive") }
            endSoon(step, attempt, .cancelled)
        case .wake(let at):
            inFlight.append((.wake, max(now, at.nanoseconds / 1_000_000)))
            if random.chance(faults) { inFlight.append((.wake, now)) }
        case .finish(let found):
            outcome = found
            if !alive.isEmpty { broken.append("\(alive.count) attempts outlive the job") }
        case .skip, .note: break
        }
    }

    private mutating func probe(_ step: StepIndex) {
        if !probing.insert(step.int).inserted { broken.append("\(step) is probed twice") }
        let result: Schedule.ProbeResult =
            switch random.below(100) {
            case ..<faults: .failed("unreadable")
            case ..<50: .miss
            case ..<55: .uncacheable
            default: .hit(StepResult(code: 0, output: plan.steps[step.int].capture ? "a" : nil))
            }
        inFlight.append((.probed(step, result), now + time(50)))
    }

    /// An attempt was told to stop: it ends soon, or late, or with what it would have said.
    private mutating func endSoon(_ step: StepIndex, _ attempt: Int, _ outcome: AttemptOutcome) {
        if random.chance(30) { return }
        inFlight.append((.exited(step, attempt: attempt, outcome), now + time(3_000)))
    }

    private mutating func randomOutcome(_ step: StepIndex) -> AttemptOutcome {
        if random.chance(faults) {
            let all: [AttemptOutcome] = [
                .lost("node"), .couldNotStart("fork"), .noSpace("/"), .imagePullFailed("x"),
                .timedOut, .outOfMemory, .badOutput("no text"), .cancelled,
                .exitCode(-7, output: nil), .exitCode(.max, output: nil),
            ]
            return all[random.below(all.count)]
        }
        let output = plan.steps[step.int].capture ? ["", "a", "a b"][random.below(3)] : nil
        return .exitCode(random.chance(22) ? Int32(1 + random.below(3)) : 0, output: output)
    }

    /// An event for something that is not there.
    private mutating func strayEvent() {
        let step = StepIndex([-1, 0, plan.steps.count - 1, plan.steps.count][random.below(4)])
        let before = schedule.stepsLeft
        let events: [Schedule.Event] = [
            .exited(step, attempt: 77, .exitCode(0, output: nil)),
            .exited(step, attempt: -1, .timedOut), .vacated(step, attempt: 77),
            .start, .uploaded(StepIndex(plan.steps.count), failure: nil),
            .probed(StepIndex(-1), .miss),
        ]
        for event in events {
            log.append((event, Instant(nanoseconds: now * 1_000_000)))
            if !schedule.apply(event, at: Instant(nanoseconds: now * 1_000_000)).isEmpty {
                broken.append("\(event) had an effect")
            }
        }
        if schedule.stepsLeft != before { broken.append("a stray event ended a step") }
    }

    /// Rebuilds a schedule from the events, which must be what it is.
    private mutating func replay() {
        var again = first
        for (event, at) in log { _ = again.apply(event, at: at) }
        if again != schedule { broken.append("replay of \(log.count) events differs") }
        schedule = again
    }

    /// After a crash: what should be alive and is not is lost, what was asked is asked again.
    private mutating func recover() {
        for step in plan.steps.indices {
            let index = StepIndex(step)
            switch schedule.state(of: index) {
            case .running(let attempt) where alive[step] == nil:
                alive[step] = attempt
                let event: Schedule.Event =
                    plan.steps[step].kind == .upload
                    ? .uploaded(index, failure: "lost")
                    : .exited(index, attempt: attempt, .lost("restarted"))
                inFlight.append((event, now + 1))
            case .probing where !probing.contains(step): probe(index)
            default: break
            }
        }
        inFlight.append((.wake, now + 1))
        oracle.crashed(schedule)
    }

    private mutating func checkLimits() {
        let steps = alive.keys.filter { !vacated.contains($0) }
            .map { plan.steps[$0].options?.resources }
        if steps.count > limits.jobs { broken.append("\(steps.count) of \(limits.jobs) jobs") }
        let cpu = steps.reduce(0) { $0 + ($1?.cpuMilli ?? 0) }
        let memory = steps.reduce(0) { $0 + ($1?.memoryBytes ?? 0) }
        if steps.count < 2 { return }
        if limits.cpuMilli > 0, cpu > limits.cpuMilli { broken.append("\(cpu) thousandths") }
        if limits.memoryBytes > 0, memory > limits.memoryBytes { broken.append("\(memory) bytes") }
    }
}

extension Schedule.Command {
    var isFinish: Bool { if case .finish = self { true } else { false } }
}
