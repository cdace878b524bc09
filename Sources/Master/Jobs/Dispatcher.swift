internal import Logging
internal import NIOPosix

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
    /// How long it takes to decide.
    nonisolated let decisions = DecisionMetrics()
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
    private static let replaced = "replaced by a newer job"
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
        queue.paused = try await setting.database.pausedPipelines()
        for job in try await setting.database.unfinishedJobs() {
            switch job.state {
            case .scheduling, .running:
                queue.begin(entry(of: job))
                run(job)
            case .pending, .waiting:
                if let stop = job.stop {
                    try await setting.database.write { transaction in
                        try transaction.finish(job.id, stop.state, reason: stop.reason)
                    }
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
                    _ = try await stop(job, as: .cancelled, reason: Self.replaced)
                }
            }
        }
        let submission = try await accept(request)
        if submission.isNew, !submission.job.state.isTerminal {
            let begun = ContinuousClock.now
            wait(submission.job)
            next(since: begun)
        }
        return submission
    }

    /// Records a job; one of a pipeline that is paused says why it waits.
    private func accept(_ request: NewJob) async throws -> Submission {
        guard queue.paused.contains(request.pipeline) else {
            return try await setting.database.submit(request)
        }
        return try await setting.database.write { transaction in
            var submission = try transaction.submit(request, at: .now())
            if submission.isNew {
                _ = try transaction.transition(
                    submission.job.id, to: .waiting, reason: PipelinePauses.reason, at: .now())
                submission.job = try JobTable.existing(
                    submission.job.id, in: transaction.connection)
            }
            return submission
        }
    }

    /// Lets no job of a pipeline start, or lets them again. What runs is left alone.
    func pause(_ pipeline: String, _ isPaused: Bool) async throws(MasterDatabaseError) {
        try await setting.database.pause(pipeline, isPaused)
        if isPaused { queue.paused.insert(pipeline) } else { queue.paused.remove(pipeline) }
        next()
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
                try transaction.finish(id, state, reason: reason)
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

    /// Begins what may run. `begun` is when it became known that something may have changed.
    private func next(since begun: ContinuousClock.Instant = .now) {
        defer { decisions.count(since: begun) }
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
        let task = Task {
            let (limit, left) = await self.timeLimit(of: job)
            let timer = Task {
                try await Task.sleep(for: left)
                try await self.timeOut(job.id, after: limit)
            }
            defer { timer.cancel() }
            do {
                let (end, at) = try await Self.see(runner)
                await self.ended(job, end, since: at)
            } catch is CancellationError {
                // The next master goes on.
            } catch {
                self.setting.logger.critical(
                    "a job cannot be recorded: \(error)", metadata: ["job": "\(job.id.text)"])
                await self.ended(job, nil, since: .now)
            }
        }
        runs[job.id] = Run(control: control, task: task)
        if job.stop != nil { stop(control, job.id) }
    }

    /// Runs a job to its end; says when that was, before it waits for a turn at the dispatcher.
    private nonisolated static func see(
        _ runner: JobRunner
    ) async throws -> (JobRunner.End, ContinuousClock.Instant) {
        (try await runner.run(), .now)
    }

    /// - Parameter begun: when it ended.
    private func ended(
        _ job: Job, _ end: JobRunner.End?, since begun: ContinuousClock.Instant
    ) async {
        runs[job.id] = nil
        queue.end(job.id)
        switch end {
        case .again: if let job = try? await setting.database.job(job.id) { wait(job) }
        case .parked: await park(job.id)
        case .ended, nil: break
        }
        // What waits for the database before is no part of a decision.
        next(since: end == .ended ? begun : .now)
        if runs.isEmpty { stopWaiting() }
        if end == .ended, let ended = try? await setting.database.job(job.id) {
            metrics.count(ended)
        }
    }

    /// Has a job wait for the concurrency group that its plan names, by the rule that it names.
    private func park(_ id: JobID) async {
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

    /// Ends a job that waits, and that somebody wanted to end while it was compiled.
    private func finish(_ id: JobID, _ state: JobState, _ reason: String?) async throws {
        try await setting.database.write { try $0.finish(id, state, reason: reason) }
        if let job = waiting.removeValue(forKey: id) {
            _ = queue.remove(id, of: entry(of: job).team)
            metrics.count(job.request.pipeline, state, milliseconds: 0)
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
            for _ in 0..<3 {
                try await Task.sleep(for: Self.patience)
                guard self.runs[id]?.control === control else { return }
                control.stop()
            }
        }
    }

    /// How long a job may run, and what is left of it: what it has run under the master before this
    /// one counts.
    private func timeLimit(of job: Job) async -> (whole: Duration, left: Duration) {
        let most = min(job.request.mostMilliseconds ?? mostMilliseconds, mostMilliseconds)
        guard job.state == .scheduling || job.state == .running else {
            return (.milliseconds(most), .milliseconds(most))
        }
        let folder = setting.data.job(job.id)
        let known = try? await setting.threads.runIfActive { JobClock.milliseconds(in: folder) }
        // After a restart of the machine there is the time of day only, which may have jumped.
        let started = (job.started ?? .now()).microseconds
        let ran = (known ?? nil) ?? max(0, (Timestamp.now().microseconds - started) / 1000)
        return (.milliseconds(most), .milliseconds(ran > most ? 0 : most - ran))
    }

    private func entry(of job: Job) -> JobQueue.Entry {
        JobQueue.Entry(
            job: job.id, number: job.number, team: job.request.team ?? job.request.repository,
            pipeline: job.request.pipeline, group: job.request.concurrency?.group,
            priority: job.request.priority, created: job.created.microseconds / 1000)
    }
}
