import Executor
import PipelineIR

/// What every watch remembers of a run: how steps ended and what failed ones wrote last.
struct RunRecord {
    /// A step that failed, and the end of what it wrote.
    struct Failure {
        var step: StepIndex
        var end: StepEnd
        var tail: LogTail
    }

    /// Failures whose output is kept; further ones are only counted.
    static let keptFailures = 100

    let run: RunDescription
    let names: StepNames
    private(set) var failures: [Failure] = []
    private(set) var ended = 0
    private(set) var counts: [StepEnd.Result: Int] = [:]
    /// Failures that end the job, and those that do not.
    private(set) var fatal = 0
    private(set) var allowed = 0
    /// Jobs that results were taken from.
    private(set) var origins: [Int: String] = [:]
    private var tails: [Int: LogTail] = [:]

    init(_ run: RunDescription) {
        self.run = run
        names = StepNames(run.plan)
    }

    /// What a step wrote last.
    func tail(of step: StepIndex) -> LogTail? { tails[step.int] }

    mutating func explained(_ step: StepIndex, _ explanation: StepExplanation) {
        if case .hit(_, let job) = explanation { origins[step.int] = job }
    }

    mutating func started(_ step: StepIndex, attempt: Int) {
        // What an earlier attempt said is no explanation of this one's failure.
        if attempt > 1 { tails[step.int] = nil }
    }

    mutating func wrote(_ step: StepIndex, _ bytes: UnsafeRawBufferPointer) {
        tails[step.int, default: LogTail()].append(bytes)
    }

    mutating func ended(_ step: StepIndex, _ end: StepEnd) {
        ended += 1
        counts[end.result, default: 0] += 1
        let tail = tails.removeValue(forKey: step.int)
        guard end.result == .failed || end.result == .lost else { return }
        if end.isFatal { fatal += 1 } else { allowed += 1 }
        if failures.count < Self.keptFailures {
            failures.append(Failure(step: step, end: end, tail: tail ?? LogTail()))
        }
    }
}
