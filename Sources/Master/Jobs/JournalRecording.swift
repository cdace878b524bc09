internal import PipelineIR

internal import struct Executor.JobID
internal import struct Executor.Timestamp

/// Makes what a journal tells into what the database records. Folding a journal from its beginning
/// gives the same state again, so nothing of this has to be kept.
struct JournalRecording {
    /// Something to be recorded.
    enum Record: Sendable, Equatable {
        /// `parked` is the concurrency group that it waits for.
        case planned(
            digest: String, steps: [JobStep], at: Timestamp, parked: NewJob.Concurrency?)
        /// One that waited for its group is run.
        case goesOn
        case steps([StepChange])
        /// The job is over.
        case ended(JobState, reason: String?)
    }

    /// The engine's process, once it has said so.
    private(set) var process: Int32?
    /// How many engines have said that they began.
    private(set) var engines = 0
    /// Whether the plan is known.
    private(set) var isPlanned = false
    /// Whether it waits for its concurrency group.
    private(set) var isParked = false
    /// Whether an attempt may have been made.
    private(set) var hasStarted = false
    /// Steps of which an attempt has begun and not ended, with its number.
    private(set) var running: [Int: Int] = [:]
    private var begun = Timestamp.now()
    private var origins: [Int: JobID] = [:]

    /// What events mean, in their order.
    mutating func records(of events: [JournalEvent]) -> [Record] {
        var records: [Record] = []
        var changes: [StepChange] = []
        for event in events {
            // An engine begins when no other is there, so what another had begun is lost.
            if case .engineStarted = event { changes += endRunning(as: .waiting, at: .now()) }
            if let change = change(event) {
                changes.append(change)
                continue
            }
            guard let record = record(event) else { continue }
            if !changes.isEmpty { records.append(.steps(changes)) }
            changes = []
            records.append(record)
        }
        if !changes.isEmpty { records.append(.steps(changes)) }
        return records
    }

    /// What is known of a job whose engine is gone without a word.
    func lost(at time: Timestamp) -> [StepChange] {
        var recording = self
        return recording.endRunning(as: .lost, at: time)
    }

    /// Ends the attempts that are alive as lost; their steps come into a state.
    private mutating func endRunning(
        as state: JobStep.State, at time: Timestamp
    ) -> [StepChange] {
        defer { running = [:] }
        return running.sorted { $0.key < $1.key }.map { step, attempt in
            var change = StepChange(step: step, state: state, at: time)
            change.attempt = StepChange.Attempt(number: attempt, state: .lost)
            change.reason = "its engine was ended, and what became of it is unknown"
            return change
        }
    }

    private mutating func record(_ event: JournalEvent) -> Record? {
        switch event {
        case .engineStarted(let process):
            self.process = process
            engines += 1
            defer { isParked = false }
            return isParked ? .goesOn : nil
        case .compiled(let digest, let parked, let steps, let time):
            isPlanned = true
            isParked = parked != nil
            begun = Timestamp(microseconds: time)
            return .planned(
                digest: digest,
                steps: steps.enumerated().map { index, step in
                    JobStep(step: index, id: step.id, name: step.name)
                }, at: begun, parked: parked)
        case .compileFailed(let text): return .ended(.failure, reason: text)
        case .engineFailed(let text, let hint):
            return .ended(.failure, reason: hint.map { "\(text)\n\($0)" } ?? text)
        case .runEnded(let outcome, let message):
            let state: JobState =
                switch outcome {
                case "success": .success
                case "cancelled": .cancelled
                default: .failure
                }
            return .ended(state, reason: message)
        case .message, .stepStarting, .stepCached, .stepRetrying, .stepEnded: return nil
        }
    }

    private mutating func change(_ event: JournalEvent) -> StepChange? {
        switch event {
        case .stepStarting(let step, let attempt, let at):
            hasStarted = true
            running[step] = attempt
            var change = StepChange(step: step, state: .running, at: time(at))
            change.attempt = StepChange.Attempt(number: attempt, state: .running)
            return change
        case .stepCached(let step, let job):
            origins[step] = JobID(job)
            return nil
        case .stepRetrying(let step, _, let reason, let at):
            // The event names the attempt to come; the one that failed is that which runs, unless
            // it could not begin or was lost.
            var change = StepChange(step: step, state: .waiting, at: time(at))
            if let failed = running.removeValue(forKey: step) {
                change.attempt = StepChange.Attempt(number: failed, state: .failed)
            }
            change.reason = reason
            return change
        case .stepEnded(let end): return change(end)
        default: return nil
        }
    }

    private mutating func change(_ end: JournalEvent.StepEnd) -> StepChange {
        let attempt = running.removeValue(forKey: end.step)
        let state = JobStep.State(rawValue: end.result) ?? .lost
        var change = StepChange(step: end.step, state: state, at: time(end.at))
        change.exitCode = end.code
        change.reason = end.reason
        change.cachedFrom = state == .cached ? origins[end.step] : nil
        if let attempt {
            let of: StepAttempt.State =
                switch state {
                case .succeeded: .succeeded
                case .cancelled: .cancelled
                case .lost: .lost
                default: .failed
                }
            change.attempt = StepChange.Attempt(number: attempt, state: of)
        }
        return change
    }

    private func time(_ nanoseconds: Int64) -> Timestamp {
        Timestamp(microseconds: begun.microseconds &+ nanoseconds / 1000)
    }
}
