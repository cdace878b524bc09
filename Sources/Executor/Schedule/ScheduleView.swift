package import PipelineIR

// What others ask a schedule.
extension Schedule {
    /// The plan that it runs.
    package var plan: Plan { graph.plan }

    /// Where a step stands.
    package func state(of step: StepIndex) -> StepState {
        let number = step.value
        let result = StepResult(
            code: results.codes[step.int], output: results.output(number, graph))
        switch phases[step.int] {
        case .waiting: return .waiting
        case .ready: return .ready
        case .probing: return .probing
        case .queued: return .queued
        case .running: return .running(attempt: Int(attempts[step.int]))
        case .backingOff:
            return .backingOff(until: retries.time(of: number) ?? Instant(nanoseconds: 0))
        case .succeeded: return .succeeded(result)
        case .failed:
            return .failed(failures[number] ?? .exitCode(Int32(result.code), output: nil))
        case .cached: return .cached(result)
        case .skipped: return .skipped
        case .blocked: return .blocked
        case .cancelled: return .cancelled
        case .lost:
            if case .lost(let reason)? = failures[number] { return .lost(reason) }
            return .lost("")
        }
    }

    /// What conditions and templates see of a step; nil when it did not run, or not yet.
    package func result(of step: StepIndex) -> StepResult? {
        guard results.ran[step.int] else { return nil }
        return StepResult(
            code: results.codes[step.int], output: results.output(step.value, graph))
    }

    /// How many attempts of a step were started.
    package func attempts(of step: StepIndex) -> Int { Int(attempts[step.int]) }

    /// How many steps have not ended.
    package var stepsLeft: Int { remaining }

    /// The text of a template with the results that there are. A result that is missing, because
    /// the step failed or did not run, is the empty output and the code 0, as in a live run.
    package func text(
        of template: Template, secrets: (String) throws -> String?
    ) throws -> String {
        try TemplateText.text(
            of: template, secrets: secrets,
            output: { results.output($0.value, graph) ?? "" },
            code: { results.codes[$0.int] })
    }
}
