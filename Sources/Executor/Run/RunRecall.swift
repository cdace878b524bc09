internal import PipelineIR

/// Going on with a job whose engine was ended: what it had done is told to the schedule and to the
/// host again, in its order, and nothing of it is done.
extension Scheduler {
    /// Takes in what was done before, and ends the attempts that were alive as lost. Whether they
    /// are made again is for the policy of their step.
    func recall(_ earlier: EarlierRun) throws {
        var alive: [StepIndex: Int] = [:]
        var starts = RecalledStarts(earlier.events)
        for event in earlier.events {
            if event.isFailure { beginEarly(&starts) }
            try recall(event, &alive, &starts)
            performRecalled()
        }
        // What was told once is not done: where it was not found again, nothing is gone on with.
        let ended = earlier.reported.filter { plan.steps.indices.contains($0.int) }
        if let step = ended.first(where: {
            alive[$0] == nil && !schedule.phases[$0.int].isTerminal
        }) {
            throw ResumeError.differs(step: plan.steps[step.int].name)
        }
        for (step, attempt) in alive.sorted(by: { $0.key.value < $1.key.value }) {
            try host.recallEnd(step, isLost: true)
            lose(step, attempt)
            performRecalled()
        }
        apply(.resume)
    }

    private func beginEarly(_ starts: inout RecalledStarts) {
        for (step, attempt) in starts.due(in: schedule) where starts.take(step, attempt) {
            apply(.recalled(step, attempt: attempt))
        }
    }

    private func recall(
        _ event: EarlierRun.Event, _ alive: inout [StepIndex: Int], _ starts: inout RecalledStarts
    ) throws {
        guard plan.steps.indices.contains(event.step.int) else { return }
        switch event {
        case .began(let step, let attempt, let lane):
            if starts.take(step, attempt) { apply(.recalled(step, attempt: attempt)) }
            try host.recallBegin(step, lane: lane)
            alive[step] = attempt
        case .ended(let step, let attempt, let outcome, let isWithheld):
            try refuse(isWithheld, step)
            // One that could not begin never had begun.
            alive[step] = nil
            if starts.take(step, attempt) { apply(.recalled(step, attempt: attempt)) }
            try host.recallEnd(step, isLost: false)
            apply(.exited(step, attempt: attempt, outcome))
        case .uploaded(let step, let failure):
            let attempt = schedule.attempts(of: step) + 1
            if starts.take(step, attempt) { apply(.recalled(step, attempt: attempt)) }
            host.pass(step)
            if failure == nil { recallUpload(step) }
            apply(.uploaded(step, failure: failure))
        case .taken(let step, let output, let isWithheld):
            try refuse(isWithheld, step)
            apply(.recalled(step, attempt: 0))
            try host.recallEnd(step, isLost: false)
            apply(.probed(step, .hit(StepResult(code: 0, output: output))))
        }
    }

    private func refuse(_ isWithheld: Bool, _ step: StepIndex) throws(ResumeError) {
        if isWithheld { throw .withheld(step: plan.steps[step.int].name) }
    }

    private func lose(_ step: StepIndex, _ attempt: Int) {
        let reason = "the engine that ran it was ended from outside"
        do throws(LogError) {
            try log.note(step: step.int, attempt: attempt, "lost: \(reason)\n", at: .now())
        } catch {
            complain(error)
        }
        let outcome = AttemptOutcome.lost(reason)
        observer.keep(.ended(step, attempt: attempt, outcome, isWithheld: false))
        apply(.exited(step, attempt: attempt, outcome))
        switch schedule.state(of: step) {
        case .queued:
            observer.retrying(step, attempt: attempt + 1, reason: "lost: \(reason)", after: 0)
        default: reportRetry(step, attempt, "lost: \(reason)")
        }
    }

    private func recallUpload(_ step: StepIndex) {
        guard let upload = plan.steps[step.int].options?.upload,
            let path = try? schedule.text(of: upload.path, secrets: { _ in nil })
        else { return }
        artifacts.recall(upload.name.isEmpty ? path : upload.name, isReport: upload.junit)
    }

    /// What a run after this one has to know of an attempt, before the schedule hears of it.
    func keepEnd(_ step: StepIndex, _ attempt: Int, _ outcome: AttemptOutcome) {
        guard case .exitCode(let code, let output?) = outcome, holdsSecret(output) else {
            return observer.keep(.ended(step, attempt: attempt, outcome, isWithheld: false))
        }
        observer.keep(
            .ended(step, attempt: attempt, .exitCode(code, output: nil), isWithheld: true))
    }
}
