internal import PipelineIR

/// What history is told of steps.
extension Scheduler {
    /// Notes what a step's result is kept under, and why it runs or does not.
    func explain(_ step: StepIndex, _ explanation: StepExplanation) {
        observer.explained(step, explanation)
        var record = records[step] ?? StepRecord(step: step.int, state: .open)
        switch explanation {
        case .hit(let key, let job):
            record.key = Digest(hex: key)
            record.source = JobID(job)
        case .miss(let key, let reasons):
            record.key = Digest(hex: key)
            record.reason = reasons.joined(separator: "; ")
        case .uncacheable(let reason): record.reason = reason
        }
        records[step] = record
    }

    /// Notes how an attempt went.
    func note(_ attempt: RunningAttempt, _ end: ProcessEnd, _ outcome: AttemptOutcome) {
        var record = records[attempt.step] ?? StepRecord(step: attempt.step.int, state: .open)
        let now = Timestamp.now()
        let began = Timestamp(
            microseconds: now.microseconds - Int64(clamping: end.nanoseconds / 1000))
        record.started = record.started ?? began
        record.attempts.append(
            AttemptRecord(
                started: began, ended: now, exitCode: Int(outcome.code),
                outcome: outcome.reason(plan.steps[attempt.step.int]) ?? ""))
        record.outputBytes += attempt.log.byteCount
        records[attempt.step] = record
    }

    /// Tells history how a step ended.
    func record(_ step: StepIndex, _ end: StepEnd) {
        var record = StepRecord(step: step.int, state: .open)
        if case .clean = trace[step] {
            record.source = memo?.source
        } else if let known = records.removeValue(forKey: step) {
            record = known
        }
        record.state = end.result.recorded
        record.exitCode = end.code.map { Int($0) }
        record.ended = .now()
        if let reason = end.reason, record.reason.isEmpty { record.reason = reason }
        recorder.record(record)
    }
}

extension StepEnd.Result {
    /// The state as history keeps it.
    var recorded: StepRecord.State {
        switch self {
        case .succeeded: .succeeded
        case .failed: .failed
        case .cached: .cached
        case .skipped: .skipped
        case .blocked: .blocked
        case .cancelled: .cancelled
        case .lost: .lost
        }
    }
}
