package import PipelineIR

/// What a step that ran has given: data for conditions and templates.
package struct StepResult: Sendable, Hashable {
    /// The exit code.
    package var code: UInt8
    /// Captured standard output without its trailing newlines; nil when nothing was captured.
    package var output: String?
    /// A success without output, unless something else is given.
    package init(code: UInt8 = 0, output: String? = nil) {
        self.code = code
        self.output = output
    }
}

/// How one attempt at a step ended. What is not an exit code is an outcome of its own, so that
/// nobody takes a full disk for a failing test.
package enum AttemptOutcome: Sendable, Hashable {
    /// The command ended with a code from 0 to 255. A captured output is given without its
    /// trailing newlines. A death by signal n is the code 128 + n, as in a shell.
    case exitCode(Int32, output: String?)
    /// It was killed because its time was over.
    case timedOut
    /// It was stopped on demand.
    case cancelled
    /// What ran it is gone, and with it the result.
    case lost(String)
    /// It did not start: no process, no working folder, a service that did not become ready.
    case couldNotStart(String)
    /// A file system is full, which is named by a path.
    case noSpace(String)
    /// There is no such image, or it cannot be fetched.
    case imagePullFailed(String)
    /// It was killed because it took more memory than it may.
    case outOfMemory
    /// Captured output that is no text or is too long.
    case badOutput(String)
    /// What is to be kept could not be kept.
    case uploadFailed(String)

    /// The code that conditions see: 124 after a time-out, 130 when cancelled, 137 without memory,
    /// and 125 for what Danube itself could not do, as `timeout` and `docker run` have it.
    package var code: UInt8 {
        switch self {
        case .exitCode(let code, _): UInt8(exactly: code) ?? 255
        case .timedOut: 124
        case .cancelled: 130
        case .outOfMemory: 137
        case .lost, .couldNotStart, .noSpace, .imagePullFailed, .badOutput, .uploadFailed: 125
        }
    }

    /// Whether the command itself gave the result. What else happened is never data that
    /// `check=False` could branch on.
    package var isOfCommand: Bool {
        switch self {
        case .exitCode, .timedOut, .cancelled, .outOfMemory: true
        case .lost, .couldNotStart, .noSpace, .imagePullFailed, .badOutput, .uploadFailed: false
        }
    }
}

/// Where a step stands. Each case says what holds while a step is in it.
package enum StepState: Sendable, Hashable {
    /// A step before it has not ended.
    case waiting
    /// All before it ended and its condition holds; it is to be looked up in the cache.
    case ready
    /// It is being looked up in the cache.
    case probing
    /// It waits for room among the limits.
    case queued
    /// An attempt, counted from 1, is alive.
    case running(attempt: Int)
    /// An attempt failed and the next one starts then.
    case backingOff(until: Instant)
    /// It ran and ended with 0.
    case succeeded(StepResult)
    /// Its last attempt failed, in this way.
    case failed(AttemptOutcome)
    /// Its result was in the cache.
    case cached(StepResult)
    /// Its condition does not hold.
    case skipped
    /// A step failed that ends what it belongs to.
    case blocked
    /// It was stopped, or not started, because the job or its block was cancelled.
    case cancelled
    /// What ran its last attempt is gone.
    case lost(String)

    /// Whether nothing will happen to it any more.
    package var isTerminal: Bool {
        switch self {
        case .waiting, .ready, .probing, .queued, .running, .backingOff: false
        case .succeeded, .failed, .cached, .skipped, .blocked, .cancelled, .lost: true
        }
    }
}

/// How a job ended.
package enum JobOutcome: Sendable, Hashable {
    /// The pipeline function returned.
    case succeeded
    /// This step failed and nothing caught it; the first one in program order.
    case failed(StepIndex)
    /// The pipeline ended at an exit of the plan that is a failure; its index in `Plan.exits`.
    case failedAtExit(Int)
    /// The rest is decided live from this exit of the plan on.
    case live(exit: Int)
    /// It was cancelled.
    case cancelled
    /// All steps went well, and what the last ones left cannot be put together. The machine never
    /// makes this: it knows nothing of files.
    case failedToJoin
    /// The plan has exits and none of them holds, which no compiled plan does.
    case noExit
}
