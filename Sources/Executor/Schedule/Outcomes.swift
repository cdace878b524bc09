import Glibc
import PipelineIR

// From the end of an attempt to what follows from it.
extension Schedule {
    /// A delay grows no further than this, whatever the factor.
    static let longestDelayMilliseconds: UInt64 = 24 * 60 * 60 * 1000

    mutating func ended(
        attemptOf step: Int32, _ outcome: AttemptOutcome, _ now: Instant,
        _ commands: inout [Command]
    ) {
        removeLive(step)
        if marks[Int(step)].remove(.vacated) == nil { release(step) }
        if marks[Int(step)].contains(.stopping) {
            // Whatever it says now, it did not end by itself; what it gives was set when it was
            // told to stop.
            return finish(step, as: .cancelled, &commands)
        }
        if case .exitCode(0, let output) = outcome {
            record(step, 0, output: output)
            return finish(step, as: .succeeded, &commands)
        }
        failures[step] = outcome
        if let delay = delay(before: step, outcome), !isHindered(step) {
            if delay == 0 { return enqueue(step) }
            phases[Int(step)] = .backingOff
            addLive(step)
            retries.insert(step, at: now.advanced(milliseconds: delay))
            return
        }
        fail(step, outcome, &commands)
    }

    /// How many milliseconds after this outcome the step is tried again; nil when it is not.
    private func delay(before step: Int32, _ outcome: AttemptOutcome) -> UInt64? {
        guard let retry = graph.settings(step)?.retry, attempts[Int(step)] <= retry.attempts else {
            return nil
        }
        // What has no code of its own is none of the codes that were listed.
        if !retry.onCodes.isEmpty,
            !outcome.isOfCommand || !retry.onCodes.contains(UInt32(outcome.code))
        {
            return nil
        }
        let longest = Double(Self.longestDelayMilliseconds)
        let factor = pow(retry.backoff, Double(attempts[Int(step)] - 1))
        let delay = Double(retry.delayMilliseconds) * factor
        // Zero times infinity is not a number.
        if delay.isNaN || delay <= 0 { return 0 }
        return UInt64(min(delay, longest))
    }

    /// Ends a step as failed, with all that this stops.
    mutating func fail(
        _ step: Int32, _ outcome: AttemptOutcome, _ commands: inout [Command]
    ) {
        let traits = graph.traits[Int(step)]
        var output: String?
        if case .exitCode(_, let captured) = outcome { output = captured }
        // A step that gave no result of its own has nothing for `check=False` to branch on.
        let raises = traits.contains(.check) || !outcome.isOfCommand
        let isFatal = raises && (traits.contains(.fatal) || !traits.contains(.check))
        record(step, outcome.code, output: output)
        var phase = Phase.failed
        if case .lost = outcome { phase = .lost }
        if case .cancelled = outcome { phase = .cancelled }
        finish(step, as: phase, &commands)
        if isFatal {
            firstFailure = min(firstFailure, step)
            markFatal(step)
        }
        if raises, ends.cancelBeside(step, in: graph.group[Int(step)], graph.blocks) {
            sweepIsDue = true
        }
    }

    /// Notes that nothing catches a step's failure.
    mutating func markFatal(_ step: Int32) {
        marks[Int(step)].insert(.fatal)
        if ends.add(fatal: step, in: graph.group[Int(step)], graph.blocks) { sweepIsDue = true }
    }

    /// Ends what waits and stops what runs, where a failure or cancellation has just reached it.
    mutating func sweep(_ commands: inout [Command]) {
        var queue = starts
        for step in queue.remove(graph, where: { isHindered($0) }) { endHindered(step, &commands) }
        starts = queue
        queue = probes
        for step in queue.remove(graph, where: { isHindered($0) }) { endHindered(step, &commands) }
        probes = queue
        for step in live.sorted() where isHindered(step) {
            let isCancelled = ends.isCancelled(step, in: graph.group[Int(step)])
            switch phases[Int(step)] {
            case .running where isCancelled: stop(step, immediately: false, &commands)
            case .probing where isCancelled:
                removeLive(step)
                probing -= 1
                cancelUnstarted(step, &commands)
            case .backingOff:
                removeLive(step)
                retries.remove(step)
                if isCancelled {
                    cancelUnstarted(step, &commands)
                } else if let outcome = failures[step] {
                    // Its next attempt would be a start after the end.
                    fail(step, outcome, &commands)
                }
            default: break
            }
        }
    }

    /// Tells an attempt to stop. From now on it counts as cancelled, however it ends. An upload is
    /// left to its end, unless all is to end at once.
    mutating func stop(_ step: Int32, immediately: Bool, _ commands: inout [Command]) {
        if graph.traits[Int(step)].contains(.upload), !immediately { return }
        if !marks[Int(step)].contains(.stopping) {
            marks[Int(step)].insert(.stopping)
            record(step, AttemptOutcome.cancelled.code, output: nil)
        } else if !immediately {
            return
        }
        commands.append(
            .stop(
                StepIndex(Int(step)), attempt: Int(attempts[Int(step)]), immediately: immediately))
    }

    /// Keeps the result of a step that ran, or that counts as having failed.
    mutating func record(_ step: Int32, _ code: UInt8, output: String?) {
        results.setRan(step, code, output: output, graph)
        guard cancellation != nil else { return }
        let pretended = isHandledFailure(step) ? 0 : code
        cancellation?.pretended.setRan(step, pretended, output: output, graph)
    }

    /// Starts the attempts whose time has come; gives the time of the next, when it was not given.
    mutating func wakeSleepers(_ now: Instant, _ commands: inout [Command]) -> Instant? {
        while let step = retries.removeFirst(until: now) {
            removeLive(step)
            enqueue(step)
        }
        return retries.nextToCommand()
    }

    // MARK: The end

    mutating func sayNotes(_ commands: inout [Command]) {
        while prefix < graph.count, phases[prefix].isTerminal { prefix += 1 }
        while notesDone < graph.notes.count {
            let index = Int(graph.notes[notesDone])
            let note = graph.plan.notes[index]
            if Int(note.after) > prefix { return }
            notesDone += 1
            let group = note.after > 0 ? graph.group[Int(note.after) - 1] : -1
            if cancellation != nil { continue }
            if ends.hasFailures, ends.hasEnded(before: note.after, in: group, graph.blocks) {
                continue
            }
            if let condition = note.condition, results.ask(condition, graph) != .holds { continue }
            commands.append(.note(index))
        }
    }

    mutating func outcome() -> JobOutcome {
        if cancellation != nil { return .cancelled }
        if firstFailure < .max { return .failed(StepIndex(Int(firstFailure))) }
        for (index, exit) in graph.plan.exits.enumerated() {
            if let condition = exit.condition, results.ask(condition, graph) != .holds { continue }
            switch exit.kind {
            case .success: return .succeeded
            case .failure: return .failedAtExit(index)
            case .live: return .live(exit: index)
            }
        }
        return graph.plan.exits.isEmpty ? .succeeded : .noExit
    }
}
