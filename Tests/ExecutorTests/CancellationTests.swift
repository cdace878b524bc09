import PipelineIR
import Testing

@testable import Executor

@Suite struct CancellationTests {
    /// A run of a fixture in which the first steps have succeeded.
    private func run(_ fixture: String, succeeded: Int) throws -> Run {
        var run = Run(try Fixtures.plan(fixture))
        _ = run.send(.start)
        for step in 0..<succeeded { _ = run.exit(step) }
        return run
    }

    @Test func `finally runs after a cancelled step, and what follows it does not`() throws {
        // start, test, stop (finally), publish
        var run = try run("try-finally", succeeded: 1)
        #expect(run.send(.cancel(.orderly)) == [stop(1)])
        #expect(run.end(1, .cancelled) == [start(2)])
        #expect(run.exit(2) == [skip(3), .finish(.cancelled)])
        #expect(run.state(1) == .cancelled)
        #expect(run.state(2) == .succeeded(StepResult()))
    }

    @Test func `a failure that is handled further in is cleaned up after as well`() throws {
        // apply, undo (except, raises again), next
        var run = try run("try-reraise", succeeded: 0)
        #expect(run.send(.cancel(.orderly)) == [stop(0)])
        #expect(run.end(0, .cancelled) == [skip(2), start(1)])
        #expect(run.exit(1) == [.finish(.cancelled)])
    }

    @Test func `what only goes on after a caught failure does not run`() throws {
        // deploy, roll back (except), verify
        var run = try run("try-except", succeeded: 0)
        #expect(run.send(.cancel(.orderly)) == [stop(0)])
        #expect(run.end(0, .cancelled) == [start(1)])
        #expect(run.exit(1) == [.finish(.cancelled)])
        #expect(run.state(2) == .cancelled)
    }

    @Test func `a caught failure in a parallel block is answered when the job is cancelled`() throws
    {
        // east and west in parallel, undo (except), celebrate (else)
        var run = try run("parallel-caught", succeeded: 0)
        #expect(run.send(.cancel(.orderly)) == [stop(0), stop(1)])
        #expect(run.end(0, .cancelled) == [])
        // It ends by itself after it was told to stop: it is cancelled all the same.
        let commands = run.exit(1)
        #expect(commands == [skip(3), start(2)])
        #expect(run.state(1) == .cancelled)
    }

    // MARK: The finally of steps whose failure raises nothing

    /// 0 before the `try`; 1 and 2 in it; 3 and 4 in its `finally`; 5 after it. Nothing raises.
    private func unchecked(_ change: (inout Plan) -> Void = { _ in }) -> Plan {
        makePlan([[], [0], [1], [2], [3], [4]]) { plan in
            for step in plan.steps.indices {
                plan.steps[step].check = false
                plan.steps[step].fatal = false
                guard step == 3 || step == 4 else { continue }
                var options = Step.Options()
                options.cleanup = Cleanup(first: StepIndex(1), last: StepIndex(2))
                plan.steps[step].options = options
            }
            change(&plan)
        }
    }

    /// The steps that start when the job is cancelled while a step runs, and each ends at once.
    private func started(_ plan: Plan, afterCancelAt step: Int) -> [Int] {
        var run = Run(plan)
        var next = run.send(.start)
        func first(_ commands: [Schedule.Command]) -> Int? {
            for command in commands {
                switch command {
                case .start(let step, _), .upload(let step): return step.int
                default: continue
                }
            }
            return nil
        }
        func end(_ step: Int, _ run: inout Run, _ outcome: AttemptOutcome) -> [Schedule.Command] {
            plan.steps[step].kind == .upload
                ? run.send(.uploaded(StepIndex(step), failure: nil)) : run.end(step, outcome)
        }
        while let one = first(next), one != step {
            next = end(one, &run, .exitCode(0, output: nil))
        }
        _ = run.send(.cancel(.orderly))
        next = end(step, &run, .cancelled)
        var found: [Int] = []
        while let one = first(next) {
            found.append(one)
            next = end(one, &run, .exitCode(0, output: nil))
        }
        return found
    }

    @Test(arguments: [(0, []), (1, [3, 4]), (2, [3, 4]), (3, []), (4, []), (5, [])])
    func `a finally runs when its try was entered and it was not itself interrupted`(
        at: Int, runs: [Int]
    ) { #expect(started(unchecked(), afterCancelAt: at) == runs) }

    @Test(arguments: [(0, []), (1, [3, 4]), (2, [3, 4]), (3, [])])
    func `a try of artifacts alone is entered with the first of them`(at: Int, runs: [Int]) {
        let plan = unchecked { plan in
            for step in [1, 2] {
                plan.steps[step].kind = .upload
                plan.steps[step].check = true
                plan.steps[step].fatal = true
                plan.steps[step].command = .script(.empty)
                plan.steps[step].options = Step.Options()
                plan.steps[step].options?.upload = Upload(
                    path: Template("a"), name: "a", junit: false)
            }
        }
        #expect(started(plan, afterCancelAt: at) == runs)
    }

    @Test func `a clean-up that overtook what it cleans up after goes on`() {
        let plan = unchecked { $0.steps[3].order = [StepIndex(0)] }
        var run = Run(plan)
        _ = run.send(.start)
        #expect(run.exit(0) == [start(1), start(3)])
        #expect(run.send(.cancel(.orderly)) == [stop(1)])
        #expect(run.exit(3) == [start(4)])
    }

    @Test func `nothing starts after a cancelled step that nothing handles`() throws {
        var run = Run(makePlan([[], [0], [1]]) { $0.steps[0].check = false })
        _ = run.send(.start)
        #expect(run.send(.cancel(.orderly)) == [stop(0)])
        #expect(run.exit(0) == [.finish(.cancelled)])
        #expect(run.state(2) == .cancelled)
    }

    @Test func `a clean-up that waits when the job is cancelled still runs, one that runs stops`() {
        // 1 answers the failure of 0; 2 has nothing to do with them.
        let plan = makePlan([[], [0], []]) {
            $0.conditions = [.code(StepIndex(0), [1...255])]
            $0.steps[0].fatal = false
            $0.steps[1].condition = ConditionIndex(0)
            $0.steps[1].conditional = [StepIndex(0)]
        }
        var run = Run(plan, limits: .init(jobs: 1), priority: [9, 1, 5])
        #expect(run.send(.start) == [start(0)])
        #expect(run.exit(0, 4) == [start(2)])
        #expect(run.send(.cancel(.orderly)) == [stop(2)])
        #expect(run.end(2, .cancelled) == [start(1)])
        #expect(run.exit(1) == [.finish(.cancelled)])
        var other = Run(plan)
        _ = other.send(.start)
        #expect(other.exit(0, 4) == [start(1)])
        #expect(other.send(.cancel(.orderly)) == [stop(1), stop(2)])
    }

    @Test func `cancelling now kills what runs and starts nothing`() throws {
        var run = try run("try-finally", succeeded: 1)
        #expect(run.send(.cancel(.orderly)) == [stop(1)])
        #expect(run.send(.cancel(.now)) == [stop(1, immediately: true)])
        #expect(run.send(.cancel(.now)) == [])
        #expect(run.end(1, .cancelled) == [.finish(.cancelled)])
        #expect(run.state(2) == .cancelled)
    }

    @Test func `steps that are looked up, queued or wait for a retry are cancelled at once`() {
        var run = Run(
            makePlan([[], [], [], []]) {
                $0.steps[0].options = Step.Options()
                $0.steps[0].options?.cache = .always
                $0.steps[1].options = Step.Options()
                $0.steps[1].options?.retry = Retry(
                    attempts: 1, delayMilliseconds: 9000, backoff: 1, onCodes: [])
            }, limits: .init(jobs: 1))
        #expect(run.send(.start) == [start(1), .probe(StepIndex(0))])
        let commands = run.exit(1, 1)
        #expect(commands.contains(start(2)))
        #expect(run.send(.cancel(.orderly)) == [stop(2)])
        for step in [0, 1, 3] { #expect(run.state(step) == .cancelled) }
        #expect(run.send(.probed(StepIndex(0), .miss)) == [])
        #expect(run.exit(2, 143) == [.finish(.cancelled)])
    }

    // MARK: Blocks that fail fast

    /// Two branches: step 0, and steps 1 and 2 in a sequence; step 3 after both.
    private func blocks(failFast: Bool) -> Plan {
        makePlan([[], [], [1], [0, 2]]) { plan in
            plan.groups = [
                Group(kind: .parallel, name: "", parent: nil, failFast: failFast, frame: nil),
                Group(
                    kind: .sequence, name: "", parent: GroupIndex(0), failFast: true, frame: nil),
            ]
            plan.steps[0].group = GroupIndex(0)
            plan.steps[1].group = GroupIndex(1)
            plan.steps[2].group = GroupIndex(1)
        }
    }

    @Test func `a failure cancels the other branches of a block that fails fast`() {
        var run = Run(blocks(failFast: true))
        _ = run.send(.start)
        #expect(run.exit(0, 1) == [stop(1)])
        #expect(run.end(1, .cancelled) == [.finish(.failed(StepIndex(0)))])
        #expect(run.state(2) == .cancelled)
        #expect(run.state(3) == .blocked)
    }

    @Test func `without fail_fast the other branches run to their ends`() {
        var run = Run(blocks(failFast: false))
        _ = run.send(.start)
        #expect(run.exit(0, 1) == [])
        #expect(run.exit(1) == [start(2)])
        #expect(run.exit(2) == [.finish(.failed(StepIndex(0)))])
    }

    @Test func `a failure in a sequence ends the sequence and cancels the branch beside it`() {
        var run = Run(blocks(failFast: true))
        _ = run.send(.start)
        #expect(run.exit(1, 1) == [stop(0)])
        #expect(run.state(2) == .blocked)
        #expect(run.exit(0) == [.finish(.failed(StepIndex(1)))])
        #expect(run.state(0) == .cancelled)
    }

    @Test func `a caught failure cancels the other branches and the handler runs`() throws {
        var run = try run("parallel-caught", succeeded: 0)
        #expect(run.exit(1, 1) == [stop(0)])
        #expect(run.end(0, .cancelled) == [skip(3), start(2)])
        #expect(run.exit(2) == [.finish(.succeeded)])
    }

    @Test func `a code that is data cancels nothing`() {
        var plan = blocks(failFast: true)
        plan.steps[0].check = false
        plan.steps[0].fatal = false
        var run = Run(plan)
        _ = run.send(.start)
        #expect(run.exit(0, 1) == [])
        #expect(run.exit(1) == [start(2)])
    }
}
