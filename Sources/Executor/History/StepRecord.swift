package import PipelineIR

/// How one try at a step went.
package struct AttemptRecord: Sendable, Equatable {
    /// When it began.
    package var started: Timestamp
    /// When it ended.
    package var ended: Timestamp
    /// The exit code, when there was one.
    package var exitCode: Int?
    /// What happened, in a few words ("timed out"); empty when the exit code says it all.
    package var outcome: String

    /// A whole try; `outcome` is for what no exit code tells.
    package init(
        started: Timestamp, ended: Timestamp, exitCode: Int? = nil, outcome: String = ""
    ) {
        self.started = started
        self.ended = ended
        self.exitCode = exitCode
        self.outcome = outcome
    }
}

/// What became of one step of a job.
package struct StepRecord: Sendable, Equatable {
    /// What became of it. The numbers are in files and never change.
    package enum State: UInt8, Sendable, CaseIterable {
        case succeeded = 1
        case failed = 2
        case cached = 3
        case skipped = 4
        case blocked = 5
        case cancelled = 6
        case lost = 7
        /// Nothing yet, or nothing any more: the job goes on, or was interrupted.
        case open = 0

        /// The word for people and in JSON.
        package var word: String { "\(self)" }
    }

    /// The step's place in the plan, from 0.
    package var step: Int
    /// What became of it.
    package var state: State
    /// The exit code, when there was one.
    package var exitCode: Int?
    /// When it began; `nil` when it never did.
    package var started: Timestamp?
    /// When that was known.
    package var ended: Timestamp?
    /// What its result is kept under.
    package var key: Digest?
    /// Why it ran, was not cached, or did not run: one sentence.
    package var reason = ""
    /// The job whose result was taken.
    package var source: JobID?
    /// The tries, in order.
    package var attempts: [AttemptRecord] = []
    /// Bytes of output.
    package var outputBytes: UInt64 = 0

    /// A step of which only this is known.
    package init(step: Int, state: State) {
        self.step = step
        self.state = state
    }

    /// How long the last attempt took; without attempts, the step.
    package var duration: Duration? {
        if let last = attempts.last { return last.ended.since(last.started) }
        guard let started, let ended else { return nil }
        return ended.since(started)
    }
}
