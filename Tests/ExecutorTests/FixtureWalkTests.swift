import PipelineIR
import Testing

@testable import Executor

@Suite struct FixtureWalkTests {
    /// What runs a schedule: one step at a time, each as soon as it may.
    private static func perform(
        _ plan: Plan, jobs: Int, run: (Int) -> (code: UInt8, output: String)
    ) throws -> (schedule: Schedule, notes: [Int], outcome: JobOutcome) {
        var schedule = Schedule(plan, limits: Schedule.Limits(jobs: jobs, usesCache: false))
        var notes: [Int] = []
        var outcome: JobOutcome?
        var todo = schedule.apply(.start, at: Instant(nanoseconds: 0))[...]
        var turns = 0
        while let command = todo.popFirst() {
            turns += 1
            try #require(turns < 100_000)
            let event: Schedule.Event
            switch command {
            case .start(let step, let attempt):
                let (code, output) = run(step.int)
                let captured = plan.steps[step.int].capture ? output : nil
                event = .exited(
                    step, attempt: attempt, .exitCode(Int32(code), output: captured))
            case .upload(let step): event = .uploaded(step, failure: nil)
            case .stop(let step, let attempt, _):
                event = .exited(step, attempt: attempt, .cancelled)
            case .wake: event = .wake
            case .note(let note):
                notes.append(note)
                continue
            case .finish(let found):
                #expect(outcome == nil)
                outcome = found
                continue
            case .skip, .probe: continue
            }
            todo += schedule.apply(event, at: Instant(nanoseconds: .max))
        }
        return (schedule, notes, try #require(outcome))
    }

    private static func end(_ state: StepState) -> ReferenceWalk.End? {
        switch state {
        case .succeeded: .ran(0)
        case .failed(let outcome): .ran(outcome.code)
        case .skipped: .skipped
        case .blocked: .blocked
        case .cancelled: .cancelled
        default: nil
        }
    }

    static func compare(_ plan: Plan, run: @escaping (Int) -> (code: UInt8, output: String)) throws
    {
        let walk = ReferenceWalk(plan, run: run)
        let (schedule, notes, outcome) = try perform(plan, jobs: 1, run: run)
        for step in plan.steps.indices {
            let state = schedule.state(of: StepIndex(step))
            let isEarly = state == .skipped && walk.mayBeSkipped.contains(step)
            #expect(
                isEarly || end(state) == walk.ends[step],
                "\(plan.steps[step].id): \(state) is not \(walk.ends[step])")
        }
        #expect(notes == walk.notes)
        #expect(outcome == walk.outcome)
        #expect(schedule.ignoredEvents == 0)
    }

    private static let outputs = ["", "main", "v1.0.2-rc a b\nc d", "1"]

    @Test func `there are fixtures`() { #expect(Fixtures.names.count > 80) }

    @Test(arguments: Fixtures.names)
    func `a plan runs as a walk in program order does, whatever fails`(_ name: String) throws {
        for isFast in [true, false] {
            var plan = try Fixtures.plan(name)
            for group in plan.groups.indices where !isFast { plan.groups[group].failFast = false }
            for output in Self.outputs {
                try Self.compare(plan) { _ in (0, output) }
                for failing in plan.steps.indices.prefix(24) {
                    for code: UInt8 in [1, 3] {
                        try Self.compare(plan) { ($0 == failing ? code : 0, output) }
                    }
                    for other in plan.steps.indices.prefix(6) where other < failing {
                        try Self.compare(plan) { ($0 == failing || $0 == other ? 2 : 0, output) }
                    }
                }
            }
            try Self.compare(plan) { _ in (1, "") }
        }
    }
}
