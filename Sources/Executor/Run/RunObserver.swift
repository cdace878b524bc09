package import PipelineIR

/// Hears of everything that happens in a run, in order. It is called on the thread that runs the
/// steps, so it never waits for anything.
package protocol RunObserver: AnyObject {
    /// The run begins; nothing has started yet.
    func began(_ run: RunDescription)
    /// Why a cacheable step will run, or what it was taken from, once that is known.
    func explained(_ step: StepIndex, _ explanation: StepExplanation)
    /// An attempt is about to start, in the lane with this number if any. It does not when this
    /// throws.
    func starting(_ step: StepIndex, attempt: Int, lane: Int?) throws
    /// Something happened that a later engine has to know, if this one is ended from outside.
    func keep(_ event: EarlierRun.Event)
    /// An attempt has started.
    func started(_ step: StepIndex, attempt: Int)
    /// A step wrote something; secrets have been taken out. Bytes are valid during the call only.
    func wrote(_ step: StepIndex, _ stream: OutputStream, _ bytes: UnsafeRawBufferPointer)
    /// A result was taken from the cache, and this is what the step wrote when it was made. A note
    /// is about what was written, a whole one. Bytes are valid during the call only.
    func replayed(_ step: StepIndex, _ stream: LogStream, _ bytes: UnsafeRawBufferPointer)
    /// An attempt failed and the step will be tried again after some nanoseconds.
    func retrying(_ step: StepIndex, attempt: Int, reason: String, after nanoseconds: UInt64)
    /// A step has come to its end.
    func ended(_ step: StepIndex, _ end: StepEnd)
    /// The danubefile said something with `print`.
    func noted(_ text: String)
    /// Something that the user should know.
    func told(_ message: RunMessage)
    /// The run is over.
    func ended(_ summary: RunSummary)
    /// Called at least whenever something happened and after `wakeAt`; draws what has to be drawn.
    func refresh(now: UInt64)
    /// Monotonic nanoseconds at which `refresh` wants to be called even if nothing happens.
    var wakeAt: UInt64? { get }
    /// The size of the terminal has changed.
    func resized()
}

extension RunObserver {
    /// Lets it start.
    package func starting(_ step: StepIndex, attempt: Int, lane: Int?) throws {}

    /// Keeps nothing: whoever watches ends with the engine.
    package func keep(_ event: EarlierRun.Event) {}

    /// Shows nothing: what is shown of a step while it runs is over.
    package func replayed(
        _ step: StepIndex, _ stream: LogStream, _ bytes: UnsafeRawBufferPointer
    ) {}
}

/// What is known when a run begins.
package struct RunDescription {
    /// Id of the job in the history.
    package var job: String
    /// What is executed.
    package var plan: Plan
    /// Its digest.
    package var digest: String
    /// Expected nanoseconds of each step by what is remembered of it; 0 where nothing is.
    package var expected: [UInt64]
    /// How many steps may run at once.
    package var jobs: Int
    /// Whether steps run in the working copy.
    package var isInPlace: Bool
    /// Monotonic nanoseconds at which the job began.
    package var started: UInt64

    /// Creates a description.
    package init(
        job: String, plan: Plan, digest: String, expected: [UInt64], jobs: Int, isInPlace: Bool,
        started: UInt64
    ) {
        self.job = job
        self.plan = plan
        self.digest = digest
        self.expected = expected
        self.jobs = jobs
        self.isInPlace = isInPlace
        self.started = started
    }
}

/// What is found out about a step before it runs.
package enum StepExplanation: Sendable, Equatable {
    /// It is taken from the cache: made by that job.
    case hit(key: String, job: String)
    /// It has to run. Each line is one reason: `src/x.c changed`, `never ran before`.
    case miss(key: String, reasons: [String])
    /// It is never taken from the cache, and why.
    case uncacheable(reason: String)
}

/// How a step ended.
package struct StepEnd: Sendable, Equatable {
    /// What became of it.
    package enum Result: String, Sendable {
        case succeeded, failed, cached, skipped, blocked, cancelled, lost
    }
    /// What became of it.
    package var result: Result
    /// Exit code, where it ran.
    package var code: Int32?
    /// Why, where the exit code does not say it: `timed out after 10 s`.
    package var reason: String?
    /// Nanoseconds that its last attempt took; 0 where it did not run.
    package var nanoseconds: UInt64
    /// How many attempts it had.
    package var attempts: Int
    /// Whether the failure ends the job.
    package var isFatal: Bool

    /// Creates an end.
    package init(
        result: Result, code: Int32? = nil, reason: String? = nil, nanoseconds: UInt64 = 0,
        attempts: Int = 0, isFatal: Bool = false
    ) {
        self.result = result
        self.code = code
        self.reason = reason
        self.nanoseconds = nanoseconds
        self.attempts = attempts
        self.isFatal = isFatal
    }
}

/// Something that the user should know.
package struct RunMessage: Sendable, Equatable {
    /// How bad it is.
    package enum Level: String, Sendable { case note, warning, error }
    /// How bad it is.
    package var level: Level
    /// What it is, with the exact name.
    package var text: String
    /// The next action.
    package var hint: String?
    /// The step that it is about.
    package var step: StepIndex?

    /// Creates a message.
    package init(
        _ level: Level, _ text: String, hint: String? = nil, step: StepIndex? = nil
    ) {
        self.level = level
        self.text = text
        self.hint = hint
        self.step = step
    }
}

/// What became of a run.
package struct RunSummary: Sendable {
    /// The outcome of the job.
    package enum Outcome: String, Sendable { case success, failure, cancelled, live }
    /// The outcome of the job.
    package var outcome: Outcome
    /// What the danubefile says of a failure or why the rest is live.
    package var message: String?
    /// Nanoseconds from begin to end.
    package var nanoseconds: UInt64
    /// How many steps ended in which way.
    package var counts: [StepEnd.Result: Int]
    /// Folders and files that were uploaded: name and place on this machine.
    package var artifacts: [(name: String, path: String)]
    /// Failing tests of JUnit reports by name, at most a hundred, and how many tests there were.
    package var failedTests: [String]
    /// How many tests the reports hold: all, failed, skipped.
    package var tests: (total: Int, failed: Int, skipped: Int)

    /// Steps that failed and whose workspaces are kept, for `danube shell`.
    package var reopenable: Set<StepIndex> = []

    /// Creates a summary.
    package init(outcome: Outcome, message: String? = nil, nanoseconds: UInt64) {
        self.outcome = outcome
        self.message = message
        self.nanoseconds = nanoseconds
        counts = [:]
        artifacts = []
        failedTests = []
        tests = (0, 0, 0)
    }
}
