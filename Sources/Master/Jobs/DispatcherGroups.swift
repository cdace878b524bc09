internal import Logging

internal import struct Executor.JobID

/// Jobs of concurrency groups.
extension Dispatcher {
    /// Ends jobs that a newer one of their group replaces, as the master before this one would
    /// have, had it not ended between recording that one and this.
    func replaceOlder() async throws(MasterDatabaseError) {
        var newest: [String: Int64] = [:]
        for job in waiting.values {
            guard let concurrency = job.request.concurrency, concurrency.rule == .replace
            else { continue }
            newest[concurrency.group] = max(newest[concurrency.group] ?? 0, job.number)
        }
        for (group, number) in newest {
            for job in queue.members(of: group, before: number) {
                _ = try await stop(job, as: .cancelled, reason: Self.replaced)
            }
        }
    }

    /// Has a job wait for the concurrency group that its plan names, by the rule that it names.
    func park(_ id: JobID) async {
        guard let job = try? await setting.database.job(id),
            let concurrency = job.request.concurrency
        else { return }
        do {
            try await turns.take(concurrency.group) { try await self.park(job, concurrency) }
        } catch {
            setting.logger.error(
                "its place in its group cannot be recorded: \(error)",
                metadata: ["job": "\(id.text)"])
            if waiting[id] == nil { wait(job) }
        }
        next()
    }

    private func park(_ job: Job, _ concurrency: NewJob.Concurrency) async throws {
        let members = queue.members(of: concurrency.group)
        wait(job)
        if let stop = job.stop {
            try await finish(job.id, stop.state, stop.reason)
            return
        }
        switch concurrency.rule {
        case .serialize: break
        case .queue(let most):
            guard members.active != nil, members.waiting.count >= most else { return }
            _ = try await stop(
                job.id, as: .cancelled,
                reason: "\(Refusal.groupFull(concurrency.group, most: most))")
        case .replace:
            // One that was asked for later may have come here before.
            if let newer = members.newest, newer.number > job.number {
                _ = try await stop(job.id, as: .cancelled, reason: Self.replaced)
                return
            }
            for member in members.waiting + (members.active.map { [$0] } ?? []) {
                _ = try await stop(member, as: .cancelled, reason: Self.replaced)
            }
        }
    }
}
