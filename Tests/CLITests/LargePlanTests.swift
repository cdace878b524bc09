import Executor
import PipelineIR
import Testing

@testable import CLI

/// What a plan of thousands of steps costs on a terminal.
struct LargePlanTests {
    /// A plan of `count` steps in groups of fifty, `jobs` of which run at any time.
    struct Run {
        let sink = RecordedSink()
        let watch: TreeWatch
        var now: UInt64 = 1_000_000_000
        var next = 0
        let jobs: Int
        let count: Int

        init(count: Int, jobs: Int, columns: Int = 120, rows: Int = 40) {
            self.count = count
            self.jobs = jobs
            let terminal = Terminal(
                interactive: true, colour: true, columns: columns, unicode: true)
            watch = TreeWatch(WatchOptions(terminal), sink: sink) { (columns, rows) }
            var plan = Plan(pipeline: "large")
            for group in 0..<(count + 49) / 50 {
                plan.groups.append(
                    Group(
                        kind: .parallel, name: "group \(group)", parent: nil, failFast: true,
                        frame: nil))
            }
            for step in 0..<count {
                var new = Step(
                    id: "s\(step)", name: "step number \(step)",
                    command: .script(Template(parts: [])))
                new.group = GroupIndex(step / 50)
                plan.steps.append(new)
            }
            watch.began(
                RunDescription(
                    job: "j", plan: plan, digest: "", expected: [], jobs: jobs, isInPlace: true,
                    started: now))
        }

        /// One step ends, one starts and writes, a frame is drawn.
        mutating func turn() {
            if next >= jobs {
                watch.ended(
                    StepIndex(next - jobs), StepEnd(result: .succeeded, nanoseconds: 5_000_000))
            }
            watch.started(StepIndex(next), attempt: 1)
            var line = Array("line of step \(next)\n".utf8)
            line.withUnsafeMutableBytes {
                watch.wrote(StepIndex(next), .output, UnsafeRawBufferPointer($0))
            }
            next += 1
            now += TreeWatch.interval
            watch.refresh(now: now)
        }
    }

    @Test(arguments: [3, 4, 10, 24, 60], [20, 40, 80, 300])
    func `a frame fits the terminal`(rows: Int, columns: Int) {
        var run = Run(count: 400, jobs: 80, columns: columns, rows: rows)
        for _ in 0..<300 { run.turn() }
        let shown = run.watch.region.shown
        #expect(!shown.isEmpty)
        // The cursor stands on a line of its own.
        #expect(shown.count < rows)
        #expect(shown.allSatisfy { $0.columns < columns })
    }

    @Test func `a frame of five thousand steps is no larger than one of two hundred`() {
        func bytes(_ count: Int) -> Int {
            var run = Run(count: count, jobs: 16)
            for _ in 0..<100 { run.turn() }
            let before = run.sink.bytes.count
            for _ in 0..<50 { run.turn() }
            return run.sink.bytes.count - before
        }
        #expect(bytes(5_000) < bytes(200) * 11 / 10)
    }
}
