internal import Logging

internal import struct Executor.JobID
internal import struct Executor.Timestamp

/// Decides which job runs when, and has it run. What it knows is in the database as well, so that
/// a master after this one goes on where it ended.
actor Dispatcher {
    /// Why something is not done that was asked for.
    enum Refusal: Error, Equatable, CustomStringConvertible {
        case draining
        case tooManyPending(Int)
        case groupFull(String, most: Int)

        /// One sentence without a full stop.
        var description: String {
            switch self {
            case .draining: "the master is about to stop and takes no new jobs"
            case .tooManyPending(let count): "\(count) jobs are waiting already"
            case .groupFull(let group, let most):
                "\(most) jobs of the concurrency group `\(group)` are waiting already"
            }
        }
    }

    private struct Run {
        var control: JobControl
        var task: Task<Void, Never>
    }

    private let setting: JobRunner.Setting
    private let disk: DiskReserve
    private let metrics: JobMetrics
    private var mostPending: Int
    private var mostMilliseconds: Int64
    /// For submissions to concurrency groups, by group.
    private let turns = Turns()
    private var queue: JobQueue
    private var waiting: [JobID: Job] = [:]
    private var runs: [JobID: Run] = [:]
    private var isDraining = false
    private var isHeld = false
    private var idle: [CheckedContinuation<Void, Never>] = []
    /// What an engine may take to end in order before it is asked again.
    private static let patience = Duration.seconds(15)
    private static let retryPause = Duration.seconds(1)

    /// A dispatcher that runs nothing until `start`.
    init(
        _ setting: JobRunner.Setting, disk: DiskReserve, metrics: JobMetrics,
        limits: JobQueue.Limits, mostPending: Int, mostMilliseconds: Int64
    ) {
        self.setting = setting
        self.disk = disk
        self.metrics = metrics
        self.mostPending = mostPending
        self.mostMilliseconds = mostMilliseconds
        queue = JobQueue(limits: limits)
    }

    /// Takes up what a master before this one has left.
    func start() async throws(MasterDatabaseError) {
        for job in try await setting.database.unfinishedJobs() {
            switch job.state {
            case .scheduling, .running:
                queue.begin(entry(of: job))
                run(job)
            case .pending, .waiting:
                if let stop = job.stop {
                    _ = try await setting.database.transition(
                        job.id, to: stop.state, reason: stop.reason)
                    metrics.count(job.request.pipeline, stop.state, milliseconds: 0)
                } else {
                    wait(job)
                }
            case .success, .failure, .timeout, .cancelled: break
            }
        }
        next()
    }

    /// How many jobs wait and run.
    var counts: (pending: Int, running: Int, isDraining: Bool) {
        (waiting.count, runs.count, isDraining)
    }

    /// Accepts a job: it is on the disk when this returns.
    func submit(_ request: NewJob) async throws -> Submission {
        guard let group = request.concurrency?.group else { return try await admit(request) }
        return try await turns.take(group) { try await self.admit(request) }
    }

    /// Accepts a job; of one group one after the other, for each looks at those before it.
    private func admit(_ request: NewJob) async throws -> Submission {
        if let key = request.idempotencyKey, let job = try await setting.database.job(withKey: key)
        {
            return Submission(job: job, isNew: false)
        }
        try await disk.check()
        if isDraining { throw Refusal.draining }
        if waiting.count >= mostPending { throw Refusal.tooManyPending(waiting.count) }
        if let concurrency = request.concurrency {
            let members = queue.members(of: concurrency.group)
            switch concurrency.rule {
            case .serialize: break
            case .queue(let most):
                if members.active != nil, members.waiting.count >= most {
                    throw Refusal.groupFull(concurrency.group, most: most)
                }
            case .replace:
                for job in members.waiting + (members.active.map { [$0] } ?? []) {
                    _ = try await stop(job, as: .cancelled, reason: "replaced by a newer job")
                }
            }
        }
        let submission = try await setting.database.submit(request)
        if submission.isNew, submission.job.state == .pending {
            wait(submission.job)
            next()
        }
        return submission
    }

    /// Has a job end. `false` when it has ended, or is ending.
    func stop(
        _ id: JobID, as state: JobState, reason: String
    ) async throws(MasterDatabaseError) -> Bool {
        // One that has not begun ends with the wish; of one that has, its engine sees to it.
        let isAsked = try await setting.database.write { transaction in
            let now = Timestamp.now()
            guard try transaction.askToStop(id, as: state, reason: reason, at: now) else {
                return false
            }
            let job = try JobTable.existing(id, in: transaction.connection)
            if job.state == .pending || job.state == .waiting {
                _ = try transaction.transition(id, to: state, reason: reason, at: now)
            }
            return true
        }
        guard isAsked else { return false }
        if let job = waiting.removeValue(forKey: id) {
            _ = queue.remove(id, of: entry(of: job).team)
            metrics.count(job.request.pipeline, state, milliseconds: 0)
        } else if let run = runs[id] {
            stop(run.control, id)
        }
        return true
    }

    /// Takes no new jobs, and waits until none runs, or those that do are abandoned. Jobs that wait
    /// stay for the next master.
    func drain() async {
        isDraining = true
        if runs.isEmpty { return }
        await withCheckedContinuation { idle.append($0) }
    }

    /// Leaves the engines to the next master.
    func abandon() {
        isDraining = true
        for run in runs.values { run.task.cancel() }
        stopWaiting()
    }

    /// Changes what may run at once and wait. A job that runs keeps its time limit.
    func change(limits: JobQueue.Limits, mostPending: Int, mostMilliseconds: Int64) {
        queue.limits = limits
        self.mostPending = mostPending
        self.mostMilliseconds = mostMilliseconds
        next()
    }

    /// Begins no job, or does so again. It is for a short time.
    func hold(_ isHeld: Bool) {
        self.isHeld = isHeld
        next()
    }

    // MARK: What runs

    private func wait(_ job: Job) {
        waiting[job.id] = job
        queue.add(entry(of: job))
    }

    private func next() {
        while !isDraining, !isHeld, let entry = queue.next() {
            guard let job = waiting.removeValue(forKey: entry.job) else {
                queue.end(entry.job)
                continue
            }
            run(job)
        }
    }

    private func run(_ job: Job) {
        let control = JobControl()
        let runner = JobRunner(setting: setting, job: job, control: control)
        let limit = timeLimit(of: job)
        let task = Task {
            let timer = Task {
                try await Task.sleep(for: limit)
                try await self.timeOut(job.id, after: limit)
            }
            defer { timer.cancel() }
            do {
                let end = try await runner.run()
                await self.ended(job, end)
            } catch is CancellationError {
                // The next master goes on.
            } catch {
                self.setting.logger.critical(
                    "a job cannot be recorded: \(error)", metadata: ["job": "\(job.id.text)"])
                await self.ended(job, nil)
            }
        }
        runs[job.id] = Run(control: control, task: task)
        if job.stop != nil { stop(control, job.id) }
    }

    private func ended(_ job: Job, _ end: JobRunner.End?) async {
        runs[job.id] = nil
        queue.end(job.id)
        if end == .again, let job = try? await setting.database.job(job.id) { wait(job) }
        next()
        if runs.isEmpty { stopWaiting() }
        if end == .ended, let ended = try? await setting.database.job(job.id) {
            metrics.count(ended)
        }
    }

    private func stopWaiting() {
        for continuation in idle { continuation.resume() }
        idle = []
    }

    /// Ends a job whose time is over, however long the database takes to hear of it.
    private func timeOut(_ id: JobID, after limit: Duration) async throws {
        while true {
            do throws(MasterDatabaseError) {
                _ = try await stop(id, as: .timeout, reason: "it ran for longer than \(limit)")
                return
            } catch {
                if error.endsMaster { throw error }
            }
            try await Task.sleep(for: Self.retryPause)
        }
    }

    private func stop(_ control: JobControl, _ id: JobID) {
        control.stop()
        Task {
            for _ in 0..<2 {
                try await Task.sleep(for: Self.patience)
                guard self.runs[id]?.control === control else { return }
                control.stop()
            }
        }
    }

    private func timeLimit(of job: Job) -> Duration {
        let most = min(job.request.mostMilliseconds ?? mostMilliseconds, mostMilliseconds)
        guard let started = job.started else { return .milliseconds(most) }
        // What it has run under the master before this one; a clock that jumped counts for nothing.
        let ran = max(0, (Timestamp.now().microseconds - started.microseconds) / 1000)
        return .milliseconds(max(0, ran > most ? 0 : most - ran))
    }

    private func entry(of job: Job) -> JobQueue.Entry {
        JobQueue.Entry(
            job: job.id, number: job.number, team: job.request.team ?? job.request.repository,
            pipeline: job.request.pipeline, group: job.request.concurrency?.group,
            priority: job.request.priority, created: job.created.microseconds / 1000)
    }
}
