import PipelineIR

/// What is known once a job is cancelled.
///
/// Cancelling acts as an exception that is raised at each step that runs or is about to. A plan
/// says what follows from the failure of a step that Python's `try`, `finally` or `with` handles:
/// such a step counts as failed with code 130, and then runs what cleans up after it. Where a
/// failure raises nothing, the plan says which `try` a step cleans up after.
struct Cancellation: Sendable, Equatable {
    var urgency: Schedule.Urgency
    /// The step whose failure goes on to the end of the pipeline, `Int32.max` when there is none.
    /// All that the plan still runs after it stands in a `finally` or the like.
    var propagating = Int32.max
    /// Results as they would be, had the handled failures not been.
    var pretended: StepResults
    /// What was entered before, by which the steps of `finally` blocks are chosen.
    var tries = EnteredTries()
}

extension Schedule {
    mutating func cancel(_ urgency: Urgency, _ commands: inout [Command]) {
        switch urgency {
        case .orderly:
            if cancellation == nil { cancelInOrder(&commands) }
        case .now:
            if cancellation?.urgency != .now { cancelNow(&commands) }
        }
    }

    private mutating func cancelInOrder(_ commands: inout [Command]) {
        cancellation = Cancellation(urgency: .orderly, pretended: results)
        let spared = enterTries()
        for step in live.sorted() where phases[Int(step)] == .running {
            if graph.traits[Int(step)].contains(.upload) || spared.contains(step) { continue }
            if !marks[Int(step)].contains(.stopping) { marks[Int(step)].insert(.interrupted) }
            stop(step, immediately: false, &commands)
        }
        lookAhead()
        // What was about to start goes on only when it cleans up after an earlier failure.
        let waiting = live.filter { phases[Int($0)] != .running } + probes.steps + starts.steps
        let interrupted = waiting.sorted().filter { !cleansUp($0) }
        for step in interrupted { marks[Int(step)].insert(.interrupted) }
        takeOut(Set(interrupted))
        for step in interrupted { cancelUnstarted(step, &commands) }
        lookAhead()
        for step in 0..<Int32(graph.count) where marks[Int(step)].contains(.interrupted) {
            let traits = graph.traits[Int(step)]
            if traits.contains(.check), traits.contains(.fatal), !traits.contains(.upload) {
                markFatal(step)
            }
            let group = graph.group[Int(step)]
            // Nothing inside a parallel block cleans up: its failures are raised at its end.
            if group >= 0, graph.blocks.outermost[Int(group)] >= 0 {
                ends.cancel(graph.blocks.outermost[Int(group)], graph.blocks)
            }
        }
        sweepIsDue = true
    }

    /// Finds out in which `try` the job is. Gives the running steps that clean up after what is
    /// interrupted, having overtaken it: they go on.
    private mutating func enterTries() -> Set<Int32> {
        let first = (live + probes.steps + starts.steps).min()
        var tries = EnteredTries()
        var spared: Set<Int32> = []
        for step in 0..<Int32(graph.count) {
            let seen: EnteredTries.Observation
            switch phases[Int(step)] {
            case .waiting, .skipped, .blocked, .cancelled: continue
            case .succeeded, .failed, .cached, .lost: seen = .ran
            case .running where marks[Int(step)].contains(.stopping): seen = .ran
            case .running, .backingOff: seen = .running
            case .ready, .probing, .queued: seen = .due
            }
            let isFirst = step == first
            if !tries.add(step, seen, isFirst: isFirst, graph.plan), phases[Int(step)] == .running {
                spared.insert(step)
            }
        }
        cancellation?.tries = tries
        return spared
    }

    private mutating func cancelNow(_ commands: inout [Command]) {
        cancellation = Cancellation(urgency: .now, pretended: results)
        let running = live.sorted().filter { phases[Int($0)] == .running }
        for step in running { stop(step, immediately: true, &commands) }
        for step in 0..<Int32(graph.count) {
            let phase = phases[Int(step)]
            if phase.isTerminal || phase == .running { continue }
            place[Int(step)] = -1
            finish(step, as: .cancelled, &commands)
        }
        live = running
        for (index, step) in running.enumerated() { place[Int(step)] = Int32(index) }
        probes = ReadyQueue()
        starts = ReadyQueue()
        retries = RetryTimes()
        askers = [:]
        probing = 0
    }

    /// Ends a step that would have run, as failed with the code of what is cancelled. After the
    /// failure of a branch that ends no job: the failure itself does, if nothing catches it.
    mutating func cancelUnstarted(_ step: Int32, _ commands: inout [Command]) {
        record(step, AttemptOutcome.cancelled.code, output: nil)
        finish(step, as: .cancelled, &commands)
        // What an artifact's upload would have raised, the `try` around it sees.
        let traits = graph.traits[Int(step)]
        if cancellation != nil, traits.contains(.check), traits.contains(.fatal),
            !traits.contains(.upload)
        {
            markFatal(step)
        }
    }

    /// Whether a step may start, as to cancelling. Its condition holds.
    mutating func mayRunAfterCancel(_ step: Int32) -> Bool {
        guard let urgency = cancellation?.urgency else { return true }
        return urgency == .orderly && cleansUp(step)
    }

    /// Whether a step whose condition holds runs because of a failure that the danubefile handles:
    /// had there been none, its condition would not hold; or the failure goes on to the end of the
    /// pipeline, and the step comes after it. Or it stands in the `finally` of what was cancelled.
    private mutating func cleansUp(_ step: Int32) -> Bool {
        if cancellation?.tries.cleansUp(step, graph.plan) == true { return true }
        guard let propagating = cancellation?.propagating else { return false }
        if step > propagating { return true }
        guard let condition = graph.plan.steps[Int(step)].condition else { return false }
        let graph = graph
        return cancellation?.pretended.ask(condition, graph) == .fails
    }

    /// Whether a step failed, or was interrupted, and the danubefile says what happens then.
    func isHandledFailure(_ step: Int32) -> Bool {
        let traits = graph.traits[Int(step)]
        guard traits.contains(.check), !traits.contains(.fatal) else { return false }
        if marks[Int(step)].contains(.interrupted) { return true }
        return failures[step] != nil && results.codes[Int(step)] != 0
    }

    /// Finds out what follows from the failures that the danubefile handles.
    private mutating func lookAhead() {
        var handled: [Int32] = []
        for step in 0..<Int32(graph.count)
        where results.ran[Int(step)] && isHandledFailure(step) { handled.append(step) }
        var pretended = results
        pretended.forget()
        for step in handled { pretended.pretendSuccess(step) }
        let propagating = propagating(among: handled)
        cancellation?.pretended = pretended
        cancellation?.propagating = propagating
    }

    /// The step whose failure is that of the job, if nothing else fails: the exit that holds then
    /// stands where the step does.
    private func propagating(among handled: [Int32]) -> Int32 {
        var ended = results
        ended.endAll()
        for exit in graph.plan.exits {
            if let condition = exit.condition, ended.ask(condition, graph) != .holds { continue }
            guard exit.kind == .failure, let frame = exit.frame else { return .max }
            return handled.first { graph.plan.steps[Int($0)].frame == frame } ?? .max
        }
        return .max
    }

    /// Takes steps out of the queues and from what is alive.
    private mutating func takeOut(_ steps: Set<Int32>) {
        _ = probes.remove(graph) { steps.contains($0) }
        _ = starts.remove(graph) { steps.contains($0) }
        for step in live.sorted() where steps.contains(step) {
            if phases[Int(step)] == .probing { probing -= 1 }
            retries.remove(step)
            removeLive(step)
        }
    }
}
