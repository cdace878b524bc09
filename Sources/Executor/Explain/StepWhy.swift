package import PipelineIR

/// Why a step of a job ran, or did not, as the history and the cache know it.
package struct StepWhy: Sendable {
    /// The answer.
    package enum Verdict: Sendable, Equatable {
        /// Its result was in the cache; this job had made it, when that is known.
        case hit(JobID?)
        /// In place: nothing that it reads or writes had changed since this job.
        case unchanged(JobID?)
        /// It ran because of these differences to an earlier job.
        case changed([ManifestChange])
        /// It ran, and no earlier job that is known had it.
        case first
        /// It ran although nothing had changed: the earlier job's result was gone.
        case evicted
        /// It ran although nothing had changed: the earlier job's result was not kept, as inputs
        /// changed while the step ran.
        case notKept
        /// It ran although nothing had changed: it did not succeed in the earlier job.
        case failedBefore(StepRecord.State)
        /// It ran, and what it was made of in one of the jobs is not known any more.
        case forgotten
        /// It runs in every job, and why.
        case uncacheable(String)
        /// It ran because this run looked at no cache.
        case cacheOff
        /// Its condition did not hold.
        case skipped
        /// A step before it failed.
        case blocked(by: StepIndex?)
        /// The job, or its block, was cancelled.
        case cancelled
        /// It was not decided.
        case open

        /// The word for JSON.
        package var word: String {
            switch self {
            case .hit: "hit"
            case .unchanged: "unchanged"
            case .changed: "changed"
            case .first: "first"
            case .evicted: "evicted"
            case .notKept: "not_kept"
            case .failedBefore: "failed_before"
            case .forgotten: "forgotten"
            case .uncacheable: "uncacheable"
            case .cacheOff: "cache_off"
            case .skipped: "skipped"
            case .blocked: "blocked"
            case .cancelled: "cancelled"
            case .open: "open"
            }
        }
    }

    /// The answer.
    package var verdict: Verdict
    /// What the step's result is kept under, if it has a key.
    package var key: ActionKey?
    /// The earlier job that it is compared with.
    package var earlier: EarlierStep?
}

/// Finds out why steps ran.
package struct WhyFinder {
    private let history: History
    private let cache: ActionCache?

    /// Looks in a history, and in a cache where there is one.
    package init(_ history: History, cache: ActionCache?) {
        self.history = history
        self.cache = cache
    }

    /// Why a step of a job has the record that it has.
    ///
    /// - Parameters:
    ///   - id: the step's id, by which it is found in other jobs.
    ///   - plan: the job's plan, where it is known.
    ///   - other: the job to compare with; the latest earlier one that knows the step if `nil`.
    package func why(
        _ id: String, _ record: StepRecord, of job: JobRecord, plan: Plan?,
        against other: JobRecord?
    ) throws -> StepWhy {
        let earlier = try earlier(id, job, other)
        switch record.state {
        case .cached where other == nil: return try hit(id, record, job)
        case .cached, .succeeded, .failed, .lost: break
        case .cancelled where !record.attempts.isEmpty: break
        case .skipped: return StepWhy(verdict: .skipped)
        case .cancelled: return StepWhy(verdict: .cancelled)
        case .open: return StepWhy(verdict: .open)
        case .blocked:
            guard let plan else { return StepWhy(verdict: .blocked(by: nil)) }
            return StepWhy(verdict: .blocked(by: try culprit(record.step, job, plan)))
        }
        let key: ActionKey
        if let known = record.key {
            key = ActionKey(known)
        } else if let unchanged = try unchangedKey(id, record, job) {
            key = unchanged
        } else {
            return StepWhy(verdict: uncacheable(record, plan, job))
        }
        guard let earlier else { return StepWhy(verdict: .first, key: key) }
        return StepWhy(
            verdict: try compare(key, of: job, record.state, earlier), key: key, earlier: earlier)
    }

    /// What differs between two keys; `nil` when one of the manifests is not known any more.
    private func compare(
        _ key: ActionKey, of job: JobRecord, _ state: StepRecord.State, _ earlier: EarlierStep
    ) throws -> StepWhy.Verdict {
        if key == earlier.key {
            if state == .cached { return .changed([]) }
            let succeeded = earlier.state == .succeeded || earlier.state == .cached
            if !succeeded { return .failedBefore(earlier.state) }
            return isNotKept(earlier) ? .notKept : .evicted
        }
        guard let old = try manifest(of: earlier.key, earlier.job),
            let new = try manifest(of: key, job)
        else { return .forgotten }
        return .changed(Manifest.difference(old, new))
    }

    private func earlier(
        _ id: String, _ job: JobRecord, _ other: JobRecord?
    ) throws -> EarlierStep? {
        if let other {
            return try history.keyed(id, in: [other] + before(other))
        }
        return try history.keyed(id, in: before(job))
    }

    private func before(_ job: JobRecord) throws -> [JobRecord] {
        try history.jobs(repository: job.repository, pipeline: job.pipeline, before: job)
            .alike(job.mode)
    }

    private func hit(_ id: String, _ record: StepRecord, _ job: JobRecord) throws -> StepWhy {
        if let key = record.key {
            return StepWhy(verdict: .hit(record.source), key: ActionKey(key))
        }
        let key = try unchangedKey(id, record, job)
        return StepWhy(verdict: .unchanged(record.source), key: key)
    }

    /// The key of a step that was not looked at: that of the job before.
    private func unchangedKey(
        _ id: String, _ record: StepRecord, _ job: JobRecord
    ) throws -> ActionKey? {
        guard record.state == .cached else { return nil }
        return try history.keyed(id, in: before(job))?.key
    }

    /// What a key was made of in a job.
    package func manifest(of key: ActionKey, _ job: JobRecord) throws -> Manifest? {
        if let known = try cache?.manifest(of: key) { return known }
        return JobManifests(folder: history.folder(of: job.id)).manifest(of: key)
    }

    /// Whether the result of a step that succeeded was never kept: then the job has its manifest.
    func isNotKept(_ step: EarlierStep) -> Bool {
        JobManifests(folder: history.folder(of: step.job.id)).manifest(of: step.key) != nil
    }

    private func uncacheable(
        _ record: StepRecord, _ plan: Plan?, _ job: JobRecord
    ) -> StepWhy.Verdict {
        if let plan, plan.steps.indices.contains(record.step) {
            let step = plan.steps[record.step]
            let obstacle = Cacheability.obstacle(step, isInPlace: job.mode == "in-place")
            if let obstacle { return .uncacheable(obstacle) }
            if record.reason.isEmpty || record.reason == record.attempts.last?.outcome {
                return .cacheOff
            }
        }
        return .uncacheable(record.reason.isEmpty ? "it is not said" : record.reason)
    }

    /// The step that kept another from running: a failed one that it follows, by however many
    /// edges, else the first in the program.
    private func culprit(_ step: Int, _ job: JobRecord, _ plan: Plan) throws -> StepIndex? {
        let records = try history.steps(of: job)
        guard records.count == plan.steps.count, records.indices.contains(step) else { return nil }
        func failed(_ index: Int) -> Bool {
            switch records[index].state {
            case .failed, .lost: plan.steps[index].fatal
            default: false
            }
        }
        var seen: Set<Int> = [step]
        var pending = [step]
        var found: Int?
        while let next = pending.popLast() {
            let entry = plan.steps[next]
            for before in entry.order + entry.data + entry.conditional + (entry.needs ?? [])
            where seen.insert(before.int).inserted {
                if failed(before.int) { found = min(found ?? .max, before.int) }
                pending.append(before.int)
            }
        }
        return (found ?? records.indices.first { failed($0) }).map { StepIndex($0) }
    }
}
