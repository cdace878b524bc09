import PipelineIR
import Testing

@testable import Executor

/// A schedule with a clock that the test moves.
struct Run {
    var schedule: Schedule
    var milliseconds: UInt64 = 0

    init(_ plan: Plan, limits: Schedule.Limits = .init(jobs: 8), priority: [Int64]? = nil) {
        schedule = Schedule(plan, limits: limits, priority: priority)
    }

    mutating func send(_ event: Schedule.Event) -> [Schedule.Command] {
        schedule.apply(event, at: Instant(nanoseconds: milliseconds * 1_000_000))
    }

    mutating func exit(_ step: Int, _ code: Int32 = 0, attempt: Int = 1) -> [Schedule.Command] {
        send(.exited(StepIndex(step), attempt: attempt, .exitCode(code, output: nil)))
    }

    mutating func end(
        _ step: Int, _ outcome: AttemptOutcome, attempt: Int = 1
    ) -> [Schedule.Command] {
        send(.exited(StepIndex(step), attempt: attempt, outcome))
    }

    func state(_ step: Int) -> StepState { schedule.state(of: StepIndex(step)) }
}

func start(_ step: Int, attempt: Int = 1) -> Schedule.Command {
    .start(StepIndex(step), attempt: attempt)
}

func stop(_ step: Int, immediately: Bool = false) -> Schedule.Command {
    .stop(StepIndex(step), attempt: 1, immediately: immediately)
}

func skip(_ step: Int) -> Schedule.Command { .skip(StepIndex(step)) }

/// A plan of steps that follow what they say.
func makePlan(_ steps: [[Int]], _ change: (inout Plan) -> Void = { _ in }) -> Plan {
    var plan = Plan(pipeline: "p")
    for (index, before) in steps.enumerated() {
        var step = Step(id: "s\(index)", name: "s\(index)", command: .script(Template("x")))
        step.order = before.map { StepIndex($0) }
        plan.steps.append(step)
    }
    change(&plan)
    return plan
}

@Suite struct ScheduleTests {
    @Test func `a chain runs one after the other and ends once`() {
        var run = Run(makePlan([[], [0], [1]]))
        #expect(run.send(.start) == [start(0)])
        #expect(run.exit(0) == [start(1)])
        #expect(run.exit(1) == [start(2)])
        #expect(run.exit(2) == [.finish(.succeeded)])
        #expect(run.send(.cancel(.now)) == [])
        #expect(run.schedule.ignoredEvents == 1)
    }

    @Test func `an empty plan ends at once`() {
        var run = Run(Plan(pipeline: "p"))
        #expect(run.send(.start) == [.finish(.succeeded)])
    }

    @Test func `a second exit, another attempt and unknown steps are ignored and counted`() {
        var run = Run(makePlan([[], [0]]))
        _ = run.send(.start)
        #expect(run.exit(0, attempt: 2) == [])
        #expect(run.exit(0) == [start(1)])
        #expect(run.exit(0) == [])
        #expect(run.exit(-1) == [])
        #expect(run.exit(2) == [])
        #expect(run.send(.start) == [])
        #expect(run.send(.probed(StepIndex(0), .miss)) == [])
        #expect(run.send(.uploaded(StepIndex(1), failure: nil)) == [])
        #expect(run.schedule.ignoredEvents == 7)
    }

    @Test func `no event before the start has an effect`() {
        var run = Run(makePlan([[]]))
        #expect(run.send(.cancel(.now)) == [])
        #expect(run.exit(0) == [])
        #expect(run.send(.start) == [start(0)])
    }

    // MARK: Limits

    @Test func `no more steps run than there are jobs, and they start by priority`() {
        var run = Run(
            makePlan([[], [], [], []]), limits: .init(jobs: 2), priority: [0, 5, 1, 5])
        #expect(run.send(.start) == [start(1), start(3)])
        #expect(run.exit(3) == [start(2)])
        #expect(run.exit(1) == [start(0)])
    }

    @Test func `a step that is larger than the limit runs alone, and is not put off`() {
        var run = Run(
            makePlan([[], [], []]) { plan in
                plan.steps[1].options = Step.Options()
                plan.steps[1].options?.resources = Resources(
                    cpuMilli: 9000, memoryBytes: 0, diskBytes: 0, gpu: 0)
            }, limits: .init(jobs: 4, cpuMilli: 2000))
        #expect(run.send(.start) == [start(0)])
        #expect(run.exit(0) == [start(1)])
        #expect(run.exit(1) == [start(2)])
    }

    @Test func `what steps reserve together stays within the limits`() {
        var run = Run(
            makePlan([[], [], []]) { plan in
                for step in 0..<3 {
                    plan.steps[step].options = Step.Options()
                    plan.steps[step].options?.resources = Resources(
                        cpuMilli: 500, memoryBytes: 1 << 30, diskBytes: 0, gpu: 0)
                }
            }, limits: .init(jobs: 4, cpuMilli: 2000, memoryBytes: 2 << 30))
        #expect(run.send(.start) == [start(0), start(1)])
        #expect(run.exit(1) == [start(2)])
    }

    // MARK: Cache

    @Test func `a cacheable step is looked up before it takes a job, and a hit takes none`() {
        let plan = makePlan([[], [], [0]]) { plan in
            plan.steps[0].options = Step.Options()
            plan.steps[0].options?.inputs = ["a"]
            plan.steps[0].options?.outputs = ["b"]
            plan.steps[0].capture = true
            plan.steps[2].command = .script(Template(parts: [.output(StepIndex(0))]))
        }
        var run = Run(plan, limits: .init(jobs: 1))
        #expect(run.send(.start) == [start(1), .probe(StepIndex(0))])
        let hit = StepResult(code: 0, output: "v1")
        #expect(run.send(.probed(StepIndex(0), .hit(hit))) == [])
        #expect(run.state(0) == .cached(hit))
        #expect(run.exit(1) == [start(2)])
        let text = try? run.schedule.text(
            of: Template(parts: [.literal("t-"), .output(StepIndex(0))]), secrets: { _ in nil })
        #expect(text == "t-v1")
    }

    /// What cannot run for a long time is not looked up yet; what is in the cache does not wait.
    @Test(arguments: [(Schedule.ProbeResult.miss, 10), (.hit(StepResult(code: 0)), 100)])
    func `lookups stay a little ahead of what runs`(_ result: Schedule.ProbeResult, _ most: Int) {
        let plan = makePlan(Array(repeating: [], count: 100)) { plan in
            for step in plan.steps.indices {
                plan.steps[step].options = Step.Options()
                plan.steps[step].options?.cache = .always
            }
        }
        var run = Run(plan, limits: .init(jobs: 1, probes: 2))
        var open = run.send(.start)
        var lookups = 0
        while let command = open.popLast() {
            guard case .probe(let step) = command else { continue }
            lookups += 1
            open += run.send(.probed(step, result))
        }
        // One that runs, eight that wait for it, and one that was asked for before that.
        #expect(lookups == most)
    }

    @Test(arguments: [Schedule.ProbeResult.miss, .uncacheable, .failed("unreadable")])
    func `a step that is not in the cache runs`(_ result: Schedule.ProbeResult) {
        var run = Run(
            makePlan([[]]) {
                $0.steps[0].options = Step.Options()
                $0.steps[0].options?.cache = .always
            })
        #expect(run.send(.start) == [.probe(StepIndex(0))])
        #expect(run.send(.probed(StepIndex(0), result)) == [start(0)])
        #expect(run.send(.probed(StepIndex(0), result)) == [])
    }

    // MARK: Retries

    private func retrying(_ retry: Retry) -> Plan {
        makePlan([[], [0]]) {
            $0.steps[0].options = Step.Options()
            $0.steps[0].options?.retry = retry
        }
    }

    @Test func `a failed step is tried again after a growing delay, and no more often than said`() {
        let retry = Retry(attempts: 2, delayMilliseconds: 100, backoff: 3, onCodes: [])
        var run = Run(retrying(retry))
        _ = run.send(.start)
        let at = { (ms: UInt64) in Instant(nanoseconds: ms * 1_000_000) }
        #expect(run.exit(0, 1) == [.wake(at: at(100))])
        #expect(run.state(0) == .backingOff(until: at(100)))
        run.milliseconds = 60
        // Woken too early, it asks again.
        #expect(run.send(.wake) == [.wake(at: at(100))])
        run.milliseconds = 100
        #expect(run.send(.wake) == [start(0, attempt: 2)])
        #expect(run.end(0, .lost("node"), attempt: 2) == [.wake(at: at(400))])
        run.milliseconds = 400
        #expect(run.send(.wake) == [start(0, attempt: 3)])
        #expect(run.exit(0, 2, attempt: 3) == [.finish(.failed(StepIndex(0)))])
        #expect(run.state(0) == .failed(.exitCode(2, output: nil)))
        #expect(run.state(1) == .blocked)
    }

    @Test func `only listed codes are tried again`() {
        let retry = Retry(attempts: 5, delayMilliseconds: 0, backoff: 2, onCodes: [7, 124])
        for (outcome, isRetried) in [
            (AttemptOutcome.exitCode(7, output: nil), true), (.timedOut, true),
            (.exitCode(8, output: nil), false), (.lost("node"), false),
        ] {
            var run = Run(retrying(retry))
            _ = run.send(.start)
            #expect((run.end(0, outcome) == [start(0, attempt: 2)]) == isRetried)
        }
    }

    @Test(arguments: [0, 0.5, 1e308, .greatestFiniteMagnitude])
    func `no factor makes a delay longer than a day`(_ backoff: Double) {
        let retry = Retry(
            attempts: .max, delayMilliseconds: 1 << 52, backoff: backoff, onCodes: [])
        var run = Run(retrying(retry))
        _ = run.send(.start)
        for attempt in 1...3 {
            let commands = run.exit(0, 1, attempt: attempt)
            run.milliseconds += Schedule.longestDelayMilliseconds
            let next = start(0, attempt: attempt + 1)
            #expect(commands == [next] || run.send(.wake) == [next])
        }
    }

    @Test func `a retry does not start once the job has failed`() {
        var run = Run(
            makePlan([[], []]) {
                $0.steps[1].options = Step.Options()
                $0.steps[1].options?.retry = Retry(
                    attempts: 9, delayMilliseconds: 1000, backoff: 1, onCodes: [])
            })
        #expect(run.send(.start) == [start(0), start(1)])
        _ = run.exit(1, 3)
        #expect(run.exit(0, 1) == [.finish(.failed(StepIndex(0)))])
        #expect(run.state(1) == .failed(.exitCode(3, output: nil)))
    }

    // MARK: Failures

    @Test func `what was overtaken still runs after a failure, what is later does not`() {
        // 2 and 3 do not follow 0; 1 does.
        var run = Run(makePlan([[], [0], [], [2], [1, 3]]))
        #expect(run.send(.start) == [start(0), start(2)])
        #expect(run.exit(2, 1) == [])
        #expect(run.state(3) == .blocked)
        #expect(run.exit(0) == [start(1)])
        #expect(run.exit(1) == [.finish(.failed(StepIndex(2)))])
        #expect(run.state(4) == .blocked)
    }

    @Test func `the first failure in program order is the job's`() {
        var run = Run(makePlan([[], []]))
        _ = run.send(.start)
        #expect(run.exit(1, 1) == [])
        #expect(run.exit(0, 1) == [.finish(.failed(StepIndex(0)))])
    }

    @Test func `a code is data with check=False, a lost runner is not`() {
        let plan = makePlan([[], [0]]) {
            $0.steps[0].check = false
            $0.steps[0].fatal = false
        }
        var run = Run(plan)
        _ = run.send(.start)
        #expect(run.end(0, .timedOut) == [start(1)])
        #expect(run.schedule.result(of: StepIndex(0)) == StepResult(code: 124))
        var other = Run(plan)
        _ = other.send(.start)
        #expect(other.end(0, .lost("gone")) == [.finish(.failed(StepIndex(0)))])
        #expect(other.state(0) == .lost("gone"))
    }

    @Test func `a blocked step blocks what follows it, not what asks about it`() {
        // All in one block that runs to its end: 1 follows the failed 0, 2 asks about 1, 3 about 0.
        let plan = makePlan([[], [0], [], []]) { plan in
            plan.groups = [
                Group(kind: .parallel, name: "", parent: nil, failFast: false, frame: nil)
            ]
            for step in plan.steps.indices { plan.steps[step].group = GroupIndex(0) }
            plan.conditions = [.ok(StepIndex(1)), .not(ConditionIndex(0)), .ok(StepIndex(0))]
            plan.conditions.append(.not(ConditionIndex(2)))
            plan.steps[2].condition = ConditionIndex(1)
            plan.steps[2].conditional = [StepIndex(1)]
            plan.steps[3].condition = ConditionIndex(3)
            plan.steps[3].conditional = [StepIndex(0)]
        }
        var run = Run(plan)
        _ = run.send(.start)
        #expect(run.exit(0, 1) == [start(2)])
        #expect(run.state(1) == .blocked)
        #expect(run.state(3) == .blocked)
        #expect(run.exit(2) == [.finish(.failed(StepIndex(0)))])
    }

    @Test func `a failure in a branch keeps what is later in it from starting, edge or no edge`() {
        var run = Run(
            makePlan([[], [], [], []]) { plan in
                plan.groups = [
                    Group(kind: .parallel, name: "", parent: nil, failFast: false, frame: nil),
                    Group(
                        kind: .sequence, name: "", parent: GroupIndex(0), failFast: true,
                        frame: nil),
                ]
                for step in 0..<3 { plan.steps[step].group = GroupIndex(1) }
                plan.steps[3].group = GroupIndex(0)
                // `needs` replaces program order, also for what a failure stops.
                plan.steps[2].needs = []
            }, limits: .init(jobs: 1))
        #expect(run.send(.start) == [start(0)])
        #expect(run.exit(0, 1) == [start(2)])
        #expect(run.state(1) == .blocked)
        #expect(run.exit(2) == [start(3)])
    }

    @Test func `an upload that fails fails the job`() {
        var run = Run(
            makePlan([[], [0]]) {
                $0.steps[0].kind = .upload
            })
        #expect(run.send(.start) == [.upload(StepIndex(0))])
        let commands = run.send(.uploaded(StepIndex(0), failure: "full"))
        #expect(commands == [.finish(.failed(StepIndex(0)))])
        #expect(run.state(0) == .failed(.uploadFailed("full")))
    }

    @Test func `a condition without an edge waits for the step that it asks about`() {
        var run = Run(
            makePlan([[], []]) {
                $0.conditions = [.code(StepIndex(0), [3...3])]
                $0.steps[0].check = false
                $0.steps[0].fatal = false
                $0.steps[1].condition = ConditionIndex(0)
            })
        #expect(run.send(.start) == [start(0)])
        #expect(run.exit(0, 3) == [start(1)])
    }

    @Test func `notes are said in program order, once all before them has ended`() {
        var run = Run(
            makePlan([[], [], [1]]) { plan in
                plan.notes = [0, 1, 2, 3].map {
                    Note(text: Template("n"), condition: nil, frame: nil, after: $0)
                }
            })
        #expect(run.send(.start) == [start(0), start(1), .note(0)])
        #expect(run.exit(1) == [start(2)])
        #expect(run.exit(0) == [.note(1), .note(2)])
        #expect(run.exit(2, 1) == [.finish(.failed(StepIndex(2)))])
    }
}
