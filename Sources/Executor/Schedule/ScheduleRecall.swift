import PipelineIR

// What an engine before this one did, told again: limits do not matter for it, order does.
extension Schedule {
    /// Takes a step for one that is looked up, or of which an attempt is alive, without a command.
    mutating func recalled(_ step: StepIndex, _ attempt: Int) {
        guard isRecalling, isThere(step), attempt <= Int(UInt32.max), wait(isOverFor: step.value)
        else {
            ignoredEvents += 1
            return
        }
        addLive(step.value)
        guard attempt > 0 else {
            phases[step.int] = .probing
            probing += 1
            return
        }
        phases[step.int] = .running
        attempts[step.int] = UInt32(attempt)
        reserve(step.value)
    }

    /// Takes a step that is about to start from where it waits; `false` when it is not.
    private mutating func wait(isOverFor step: Int32) -> Bool {
        switch phases[Int(step)] {
        case .ready: !probes.remove(graph) { $0 == step }.isEmpty
        case .queued: !starts.remove(graph) { $0 == step }.isEmpty
        case .backingOff:
            endPause(of: step)
        default: false
        }
    }

    private mutating func endPause(of step: Int32) -> Bool {
        retries.remove(step)
        removeLive(step)
        return true
    }
}
