import PipelineIR
import Testing

@testable import Executor

/// A run whose engine is ended anywhere and that another goes on with, as often as a seed says.
private struct InterruptedRun {
    let plan: Plan
    var random: Seeded
    var facts: [EarlierRun.Event] = []
    var broken: [String] = []
    var engines = 0
    var outcome: JobOutcome?
    var isRefused = false
    /// How many attempts of each step were begun.
    var begun: [Int: Int] = [:]
    private var limits: Schedule.Limits { Schedule.Limits(jobs: 3) }

    init(_ plan: Plan, seed: UInt64) {
        self.plan = plan
        random = Seeded(seed)
    }

    mutating func run() {
        var before: Schedule?
        for _ in 0..<50 where outcome == nil && broken.isEmpty && !isRefused {
            engines += 1
            let lasts = engines > 3 ? Int.max : random.below(plan.steps.count * 2)
            before = engine(after: before, events: lasts)
        }
        if outcome == nil, !isRefused { broken.append("the run does not end") }
    }

    /// One engine, which is ended after some events. Gives its schedule as it was then.
    private mutating func engine(after before: Schedule?, events: Int) -> Schedule {
        var schedule = Schedule(plan, limits: limits, recalls: before != nil)
        var commands = schedule.apply(.start, at: Instant(nanoseconds: 0))
        if let before {
            recall(&schedule, &commands)
            check(schedule, against: before)
            if isRefused { return schedule }
            commands += schedule.apply(.resume, at: Instant(nanoseconds: 1))
        }
        var now: UInt64 = 1_000_000_000
        for _ in 0..<min(events, 100_000) {
            guard !commands.isEmpty, outcome == nil, broken.isEmpty else { break }
            now += 1_000_000_000
            let at = Instant(nanoseconds: now)
            switch commands.remove(at: random.below(commands.count)) {
            case .probe(let step) where random.chance(50):
                facts.append(.taken(step, output: "a", isWithheld: false))
                commands += schedule.apply(.probed(step, .hit(StepResult(output: "a"))), at: at)
            case .probe(let step): commands += schedule.apply(.probed(step, .miss), at: at)
            case .start(let step, let attempt):
                facts.append(.began(step, attempt: attempt, lane: nil))
                begun[step.int, default: 0] += 1
                if begun[step.int] != attempt { broken.append("attempt \(attempt) of \(step)") }
                // As if it ran for a while: something else may come first.
                if random.chance(30) { return schedule }
                let code: Int32 = random.chance(70) ? 0 : 1
                let end = AttemptOutcome.exitCode(code, output: "a")
                facts.append(.ended(step, attempt: attempt, end, isWithheld: false))
                commands += schedule.apply(.exited(step, attempt: attempt, end), at: at)
            case .upload(let step):
                facts.append(.uploaded(step, failure: nil))
                commands += schedule.apply(.uploaded(step, failure: nil), at: at)
            case .wake(let time):
                now = max(now, time.nanoseconds)
                commands += schedule.apply(.wake, at: Instant(nanoseconds: now))
            case .finish(let found): outcome = found
            case .stop, .skip, .note: break
            }
        }
        return schedule
    }

    private mutating func recall(_ schedule: inout Schedule, _ commands: inout [Schedule.Command]) {
        var alive: [StepIndex: Int] = [:]
        let at = Instant(nanoseconds: 1)
        var starts = RecalledStarts(facts)
        for fact in facts {
            if fact.isFailure {
                for (step, attempt) in starts.due(in: schedule) where starts.take(step, attempt) {
                    commands += schedule.apply(.recalled(step, attempt: attempt), at: at)
                }
            }
            let step = fact.step
            var attempt = 0
            switch fact {
            case .began(_, let number, _): attempt = number
            case .ended(_, let number, _, _): attempt = number
            case .uploaded: attempt = schedule.attempts(of: step) + 1
            case .taken: commands += schedule.apply(.recalled(step, attempt: 0), at: at)
            }
            if starts.take(step, attempt) {
                commands += schedule.apply(.recalled(step, attempt: attempt), at: at)
            }
            switch fact {
            case .began: alive[step] = attempt
            case .ended(_, _, let outcome, _):
                alive[step] = nil
                commands += schedule.apply(.exited(step, attempt: attempt, outcome), at: at)
            case .uploaded: commands += schedule.apply(.uploaded(step, failure: nil), at: at)
            case .taken:
                let hit = StepResult(output: "a")
                commands += schedule.apply(.probed(step, .hit(hit)), at: at)
            }
        }
        for (step, attempt) in alive.sorted(by: { $0.key.value < $1.key.value }) {
            let lost = AttemptOutcome.lost("gone")
            facts.append(.ended(step, attempt: attempt, lost, isWithheld: false))
            commands += schedule.apply(.exited(step, attempt: attempt, lost), at: at)
        }
        commands.removeAll { command in
            switch command {
            case .finish, .wake: false
            default: true
            }
        }
    }

    /// What had ended has ended in the same way. A step that was about to be tried again when
    /// another failed may count as failed in place of blocked, since nothing tells that its time
    /// had come. Where a step has not ended that had, nothing is gone on with.
    private mutating func check(_ schedule: Schedule, against before: Schedule) {
        for step in plan.steps.indices where before.phases[step].isTerminal {
            let (was, now) = (before.phases[step], schedule.phases[step])
            if now == was { continue }
            guard now.isTerminal else {
                isRefused = true
                continue
            }
            if was == .blocked || was == .cancelled, now == .lost || now == .failed { continue }
            broken.append("\(step): \(now), was \(was)")
        }
    }
}

@Suite struct ScheduleRecallTests {
    @Test func `a run that is ended anywhere goes on as it was`() throws {
        var engines = 0
        var refused = 0
        for seed in 1...400 as ClosedRange<UInt64> {
            let plan = RandomPlan.plan(seed)
            var run = InterruptedRun(plan, seed: seed)
            run.run()
            #expect(run.broken.isEmpty, "seed \(seed): \(run.broken.prefix(3))")
            engines += run.engines
            refused += run.isRefused ? 1 : 0
        }
        #expect(engines > 800)
        #expect(refused < 4)
    }

    @Test func `nothing starts while what was done is being told`() {
        let plan = RandomPlan.plan(3)
        var schedule = Schedule(plan, limits: Schedule.Limits(jobs: 2), recalls: true)
        let commands = schedule.apply(.start, at: Instant(nanoseconds: 0))
        #expect(commands.allSatisfy { if case .skip = $0 { true } else { false } })
        let started = schedule.apply(.resume, at: Instant(nanoseconds: 0))
        #expect(!started.isEmpty)
    }
}
