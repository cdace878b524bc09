internal import Logging
internal import NIOPosix

internal import struct Executor.JobID
internal import struct Executor.Timestamp

/// Decides which job runs when, and has it run. What it knows is in the database as well, so that
/// a master after this one goes on where it ended.
actor Dispatcher {
    private struct Run {
        var control: JobControl
        var task: Task<Void, Never>
    }

    let setting: JobRunner.Setting
    private let disk: DiskReserve
    private let metrics: JobMetrics
    /// How long it takes to decide.
    nonisolated let decisions = DecisionMetrics()
    private var mostPending: Int
    private var mostMilliseconds: Int64
    /// For submissions to concurrency groups, by group.
    let turns = Turns()
    var queue: JobQueue
    var waiting: [JobID: Job] = [:]
    /// Of those, the ones that were accepted and begun in one transaction, as there was room.
    private var scheduled: Set<JobID> = []
    private var reserved = 0
    private var runs: [JobID: Run] = [:]
    private var isDraining = false
    private var isHeld = false
    private var idle: [CheckedContinuation<Void, Never>] = []
    /// What an engine may take to end in order before it is asked again.
    private static let patience = Duration.seconds(15)
    static let replaced = "replaced by a newer job"
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
        let jobs = try await setting.database.unfinishedJobs()
        let begun = try await begun(among: jobs)
        for job in jobs {
            switch job.state {
            case .scheduling, .running:
                queue.begin(JobQueue.Entry(job))
                run(job, isBegun: true)
            case .pending, .waiting:
                if begun.contains(job.id) {
                    queue.begin(JobQueue.Entry(job))
                    run(job, isBegun: true)
                } else if let stop = job.stop {
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
        try await replaceOlder()
        next()
    }

    /// Jobs that are begun although that was not recorded before their master ended. Of the others
    /// no engine that was asked for begins any more.
    private func begun(among jobs: [Job]) async throws(MasterDatabaseError) -> Set<JobID> {
        let waiting = jobs.filter { $0.state == .pending || $0.state == .waiting }.map(\.id)
        let (data, threads) = (setting.data, setting.threads)
        // It fails when the master is about to end.
        let prepared = try? await threads.runIfActive {
            waiting.filter { JobFiles.hasJournal(in: data.job($0)) }
        }
        var begun: Set<JobID> = []
        for job in prepared ?? [] {
            let recorded = try await setting.database.journalOffset(of: job)
            let end = try? await threads.runIfActive {
                JobFiles.claim(in: data.job(job), recorded: recorded)
            }
            if let end {
                try await setting.database.write { try $0.setJournalOffset(end, of: job) }
            } else {
                begun.insert(job)
            }
        }
        return begun
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
        let begins =
            !isHeld && waiting.isEmpty && queue.hasRoom(for: request, besides: reserved)
        if begins { reserved += 1 }
        defer { if begins { reserved -= 1 } }
        let submission = try await accept(request, begins: begins)
        if submission.isNew, !submission.job.state.isTerminal {
            let begun = ContinuousClock.now
            wait(submission.job)
            if begins { scheduled.insert(submission.job.id) }
            next(since: begun)
        }
        return submission
    }

    /// Records a job; one of a pipeline that is paused says why it waits.
    private func accept(_ request: NewJob, begins: Bool) async throws -> Submission {
        guard queue.paused.contains(request.pipeline) else {
            return try await setting.database.write { transaction in
                let submission = try transaction.submit(request, at: .now())
                if begins, submission.isNew {
                    _ = try transaction.transition(
                        submission.job.id, to: .scheduling, reason: nil, at: .now())
                }
                return submission
            }
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
        // One that has not begun ends with the wish, and does not begin meanwhile; of one that has,
        // its engine sees to it, whatever state is recorded so far.
        let held = takeWaiting(id)
        let isRunning = runs[id] != nil
        do throws(MasterDatabaseError) {
            let isAsked = try await setting.database.write { transaction in
                let now = Timestamp.now()
                guard try transaction.askToStop(id, as: state, reason: reason, at: now) else {
                    return false
                }
                let job = try JobTable.existing(id, in: transaction.connection)
                if !isRunning, [.pending, .waiting, .scheduling].contains(job.state) {
                    try transaction.finish(id, state, reason: reason)
                }
                return true
            }
            guard isAsked else {
                waitAgain(held)
                return false
            }
        } catch {
            waitAgain(held)
            throw error
        }
        if let held {
            metrics.count(held.request.pipeline, state, milliseconds: 0)
        } else if let run = runs[id] {
            stop(run.control, id)
        } else {
            try await finish(id, state, reason)
        }
        return true
    }

    /// Takes a job from those that wait, so that it does not begin.
    private func takeWaiting(_ id: JobID) -> Job? {
        guard let job = waiting.removeValue(forKey: id) else { return nil }
        scheduled.remove(id)
        _ = queue.remove(id, of: JobQueue.Entry(job).team)
        return job
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

    func wait(_ job: Job) {
        waiting[job.id] = job
        queue.add(JobQueue.Entry(job))
    }

    private func waitAgain(_ job: Job?) {
        guard let job else { return }
        wait(job)
        next()
    }

    /// Begins what may run. `begun` is when it became known that something may have changed.
    func next(since begun: ContinuousClock.Instant = .now) {
        defer { decisions.count(since: begun) }
        while !isDraining, !isHeld, let entry = queue.next() {
            guard let job = waiting.removeValue(forKey: entry.job) else {
                queue.end(entry.job)
                continue
            }
            run(job)
        }
    }

    private func run(_ job: Job, isBegun: Bool = false) {
        let control = JobControl()
        let runner = JobRunner(
            setting: setting, job: job, control: control, isBegun: isBegun,
            isScheduled: scheduled.remove(job.id) != nil)
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

    /// Ends a job that waits, and that somebody wanted to end while it was compiled.
    func finish(
        _ id: JobID, _ state: JobState, _ reason: String?
    ) async throws(MasterDatabaseError) {
        let held = takeWaiting(id)
        do throws(MasterDatabaseError) {
            try await setting.database.write { try $0.finish(id, state, reason: reason) }
        } catch {
            waitAgain(held)
            throw error
        }
        if let held { metrics.count(held.request.pipeline, state, milliseconds: 0) }
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
}
