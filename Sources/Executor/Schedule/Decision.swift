import PipelineIR

// From the last end of what stands before a step to its start.
extension Schedule {
    /// Decides what becomes of a step before which all has ended.
    mutating func decide(_ step: Int32, _ commands: inout [Command]) {
        guard phases[Int(step)] == .waiting else { return }
        if isBlocked(step) { return endHindered(step, &commands) }
        if let condition = graph.plan.steps[Int(step)].condition {
            switch results.ask(condition, graph) {
            case .holds: break
            case .fails:
                commands.append(.skip(StepIndex(Int(step))))
                return finish(step, as: .skipped, &commands)
            case .waits(let other):
                askers[other, default: []].append(step)
                return
            }
        }
        if ends.isCancelled(step, in: graph.group[Int(step)]) || !mayRunAfterCancel(step) {
            return cancelUnstarted(step, &commands)
        }
        if limits.usesCache, graph.traits[Int(step)].contains(.cacheable) {
            phases[Int(step)] = .ready
            probes.insert(step, graph)
        } else {
            enqueue(step)
        }
    }

    mutating func enqueue(_ step: Int32) {
        phases[Int(step)] = .queued
        starts.insert(step, graph)
    }

    /// Whether a step that was decided to run does not, after what happened since.
    func isHindered(_ step: Int32) -> Bool {
        isBlocked(step) || ends.isCancelled(step, in: graph.group[Int(step)])
    }

    mutating func endHindered(_ step: Int32, _ commands: inout [Command]) {
        if isBlocked(step) {
            finish(step, as: cancellation == nil ? .blocked : .cancelled, &commands)
        } else {
            cancelUnstarted(step, &commands)
        }
    }

    /// Whether a fatal failure keeps the step from starting.
    func isBlocked(_ step: Int32) -> Bool {
        if marks[Int(step)].contains(.blocked) { return true }
        if !ends.hasFailures { return false }
        return ends.stops(
            step, hasNeeds: graph.traits[Int(step)].contains(.hasNeeds),
            in: graph.group[Int(step)], graph.blocks)
    }

    /// Passes on what ended, and starts what there is room for, until nothing moves.
    mutating func settle(_ commands: inout [Command]) {
        repeat {
            while sweepIsDue {
                sweepIsDue = false
                sweep(&commands)
            }
            while let step = ended.popLast() { passOn(step, &commands) }
            fillStarts(&commands)
            fillProbes(&commands)
        } while !ended.isEmpty || sweepIsDue
    }

    private mutating func passOn(_ step: Int32, _ commands: inout [Command]) {
        let isFatal = marks[Int(step)].contains(.fatal)
        // A blocked step passes that on to all but those that only ask about it.
        let stops = isFatal || phases[Int(step)] == .blocked
        for index in Int(graph.firstEdge[Int(step)])..<Int(graph.firstEdge[Int(step) + 1]) {
            let edge = graph.edges[index]
            let next = Int32(edge >> 1)
            if isFatal || (stops && edge & 1 == 0) { marks[Int(next)].insert(.blocked) }
            missing[Int(next)] -= 1
            if missing[Int(next)] == 0 { decide(next, &commands) }
        }
        if let waiting = askers.removeValue(forKey: step) {
            for asker in waiting { decide(asker, &commands) }
        }
    }

    private mutating func fillProbes(_ commands: inout [Command]) {
        if isRecalling { return }
        while let step = probes.first {
            if isHindered(step) {
                probes.removeFirst(graph)
                endHindered(step, &commands)
                continue
            }
            // Nobody is helped by knowing that a step will have to run, long before there is room.
            guard probing < limits.probes, starts.steps.count / 4 < limits.probes else { return }
            probes.removeFirst(graph)
            phases[Int(step)] = .probing
            probing += 1
            addLive(step)
            commands.append(.probe(StepIndex(Int(step))))
        }
    }

    /// Starts steps in their order. One for which there is no room is not overtaken, so that a
    /// large step is not put off for ever by small ones.
    private mutating func fillStarts(_ commands: inout [Command]) {
        if isRecalling { return }
        while let step = starts.first {
            if isHindered(step) {
                starts.removeFirst(graph)
                endHindered(step, &commands)
                continue
            }
            guard hasRoom(step) else { return }
            starts.removeFirst(graph)
            start(step, &commands)
        }
    }

    /// Whether a step fits beside what runs. What is larger than a whole limit runs alone.
    private func hasRoom(_ step: Int32) -> Bool {
        if reserved.jobs == 0 { return true }
        if reserved.jobs >= limits.jobs { return false }
        if limits.cpuMilli == 0, limits.memoryBytes == 0 { return true }
        let needs = graph.settings(step)
        let cpu = reserved.cpuMilli + (needs?.cpuMilli ?? 0)
        let memory = reserved.memoryBytes + (needs?.memoryBytes ?? 0)
        return (limits.cpuMilli == 0 || cpu <= limits.cpuMilli)
            && (limits.memoryBytes == 0 || memory <= limits.memoryBytes)
    }

    private mutating func start(_ step: Int32, _ commands: inout [Command]) {
        phases[Int(step)] = .running
        attempts[Int(step)] += 1
        reserve(step)
        addLive(step)
        let index = StepIndex(Int(step))
        if graph.traits[Int(step)].contains(.upload) {
            commands.append(.upload(index))
        } else {
            commands.append(.start(index, attempt: Int(attempts[Int(step)])))
        }
    }

    mutating func reserve(_ step: Int32) {
        reserved.jobs += 1
        guard let needs = graph.settings(step) else { return }
        if limits.cpuMilli > 0 { reserved.cpuMilli += needs.cpuMilli }
        if limits.memoryBytes > 0 { reserved.memoryBytes += needs.memoryBytes }
    }

    mutating func release(_ step: Int32) {
        reserved.jobs -= 1
        guard let needs = graph.settings(step) else { return }
        if limits.cpuMilli > 0 { reserved.cpuMilli -= needs.cpuMilli }
        if limits.memoryBytes > 0 { reserved.memoryBytes -= needs.memoryBytes }
    }

    mutating func addLive(_ step: Int32) {
        place[Int(step)] = Int32(live.count)
        live.append(step)
    }

    mutating func removeLive(_ step: Int32) {
        let index = Int(place[Int(step)])
        guard index >= 0, let last = live.popLast() else { return }
        if last != step {
            live[index] = last
            place[Int(last)] = Int32(index)
        }
        place[Int(step)] = -1
    }

    /// Ends a step. Its result, if it has one, is set before.
    mutating func finish(_ step: Int32, as phase: Phase, _ commands: inout [Command]) {
        phases[Int(step)] = phase
        if !results.isKnown[Int(step)] {
            results.setNotRun(step)
            cancellation?.pretended.setNotRun(step)
        }
        remaining -= 1
        ended.append(step)
        endOrder.append(StepIndex(Int(step)))
    }
}
