internal import PipelineIR

internal import struct Executor.JobID

/// What a journal tells, as the database has it.
extension WriteTransaction {
    /// Records something of a job; gives whether the job is over.
    func put(
        _ record: JournalRecording.Record, of id: JobID, plan: [UInt8]?
    ) throws -> Bool {
        switch record {
        case .planned(let text, let steps, let time, let parked):
            guard let plan, text.hasPrefix("sha256:"),
                let digest = Digest(hex: String(text.dropFirst(7))).map({ PlanDigest($0) })
            else { throw JobProblem.noPlan }
            try put(plan: plan, digest: digest, at: time)
            try setPlan(digest, steps: steps, of: id, at: time)
            if let parked {
                try setConcurrency(parked, of: id)
                _ = try transition(
                    id, to: .waiting,
                    reason: "it waits for its concurrency group `\(parked.group)`",
                    at: .now())
            } else {
                _ = try transition(id, to: .running, reason: nil, at: .now())
            }
            return false
        case .goesOn:
            _ = try transition(id, to: .running, reason: nil, at: .now())
            return false
        case .steps(let changes):
            try self.record(changes, of: id)
            return false
        case .ended(let state, let reason):
            try finish(id, state, reason: reason)
            return true
        }
    }

    /// Ends a job. One that somebody wanted to end before it did has ended for that reason.
    func finish(_ id: JobID, _ state: JobState, reason: String?) throws {
        var (state, reason) = (state, reason)
        if state != .success, let stop = try stop(of: id) {
            (state, reason) = (stop.state, stop.reason)
        } else if state == .cancelled {
            // Nobody here has asked for that.
            (state, reason) = (.failure, "lost: its engine was told to end from outside")
        }
        try endSteps(of: id, as: state == .failure ? .blocked : .cancelled, at: .now())
        _ = try transition(id, to: state, reason: reason, at: .now())
    }
}
