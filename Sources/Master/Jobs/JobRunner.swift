internal import Glibc
internal import Logging
internal import NIOPosix
internal import PipelineIR
internal import Synchronization

internal import struct Executor.JobID
internal import struct Executor.KeptWorkspace
internal import struct Executor.SlotSharing
internal import struct Executor.Timestamp

/// Runs one job to its end: fetches its source, starts its engine, and records what the engine's
/// journal says. One that a master before this one had started is taken up again.
struct JobRunner: Sendable {
    /// What became of it, for whoever counts what runs.
    enum End: Sendable, Equatable {
        /// It is in a terminal state.
        case ended
        /// Nothing was executed, and it waits again.
        case again
        /// It has a plan, which names a concurrency group: it waits for that.
        case parked
    }

    let setting: Setting
    let job: Job
    let control: JobControl
    /// Whether a master before this one has begun it, whatever state was recorded.
    var isBegun = false
    /// Whether it is recorded already that it is begun.
    var isScheduled = false

    /// Where it is recorded.
    var database: MasterDatabase { setting.database }
    /// The job's folder.
    var folder: String { setting.data.job(job.id) }

    /// Runs it, or goes on with it. Throws when the database cannot be relied on any more.
    func run() async throws -> End {
        do {
            if let taken = try await takeUp() { return taken }
            // It need not be on the disk before an engine begins: one that has is seen by its
            // journal. Nobody else ends a job that runs, so this is not refused.
            let scheduled = Task { try await schedule() }
            let started: Result<EngineProcess.Started, any Error>
            do { started = .success(try await start()) } catch { started = .failure(error) }
            let child = (try? started.get()).flatMap { began($0) }
            let isScheduled = try await scheduled.value
            _ = try started.get()
            guard isScheduled else {
                control.stop()
                return .ended
            }
            // Nothing is recorded of a journal that is new.
            let isFirst = job.attempt == 0 && job.request.concurrency == nil
            let (recording, offset) =
                isFirst ? (JournalRecording(), 0) : try await recorded()
            return try await attend(recording, from: offset, child: child)
        } catch let error as MasterDatabaseError where error.endsMaster {
            throw error
        } catch is CancellationError {
            // The engine goes on, and the next master with it.
            throw CancellationError()
        } catch {
            // What was stopped because the master ends is for the next master.
            if Task.isCancelled { throw CancellationError() }
            control.stop()
            try await end(.failure, reason: "\(error)")
            return .ended
        }
    }

    /// Records that it is begun; `false` when it has ended.
    private func schedule() async throws -> Bool {
        if isScheduled { return true }
        return try await persist { try await database.transition(job.id, to: .scheduling) }
    }

    // MARK: Starting

    /// Notes an engine, and gives its process where that is a child of this one.
    func began(_ engine: EngineProcess.Started) -> pid_t? {
        if engine.isChild {
            control.began(engine.process)
            return engine.process
        }
        control.began(engine.process, folder: folder)
        return nil
    }

    private func start() async throws -> EngineProcess.Started {
        let request = job.request
        let wanted = JobSource(request: request)
        let address = try await setting.threads.runIfActive {
            try wanted.address(allowed: setting.allowed, owner: setting.owner)
        }
        let source = try await setting.mirrors.commit(
            of: try wanted.reference(), in: address, until: control.beforeEngine)
        if request.revision != source.commit {
            try await persist {
                try await database.write { try $0.setRevision(source.commit, of: job.id) }
            }
        }
        var order = EngineOrder(
            job: job.id, root: source.folder, revision: source.commit, file: request.file,
            pipeline: request.pipeline.isEmpty ? nil : request.pipeline, event: request.trigger,
            branch: wanted.branch, parameters: wanted.parameters, cache: setting.cacheFolder,
            slots: setting.slots)
        order.allowsHost = false
        let share = request.team ?? request.repository
        order.sharing = SlotSharing(
            folder: setting.data.slots, count: setting.slots, share: share,
            weight: setting.weights[share] ?? 1)
        order.isGrouped = request.concurrency != nil
        order.remoteCache = setting.remoteCache
        if let rerun = request.rerun, rerun.mode == .failed {
            order.earlier = EngineOrder.Earlier(
                job: rerun.job, artifacts: "\(setting.data.job(rerun.job))/artifacts",
                steps: try await database.steps(of: rerun.job).map { ($0.id, $0.state) })
        }
        let prepared = order
        let folder = folder
        let secrets = try await secrets(source.commit, address)
        return try await setting.threads.runIfActive {
            try JobFiles.prepare(prepared, in: folder)
            return try secrets.withBytes {
                try setting.engine.start(folder: folder, secrets: Array($0))
            }
        }
    }

    /// What the engine is told of secrets. The branch that was asked for counts where the commit is
    /// one of it: else whoever names a commit could name the branch that has the secrets.
    func secrets(
        _ commit: String, _ address: RepositoryAddress
    ) async throws -> SecretValue {
        guard try await setting.secrets.hasAny() else { return JobSecrets.none }
        var branch = JobSource(request: job.request).branch
        if let name = branch,
            try await !setting.mirrors.isCommit(
                commit, on: name, in: address, until: control.beforeEngine)
        {
            branch = nil
        }
        return try await JobSecrets(store: setting.secrets, logger: setting.logger)
            .object(for: job, branch: branch)
    }

    // MARK: Going on

    /// Goes on with what a master before this one had started; `nil` when that has not begun.
    private func takeUp() async throws -> End? {
        guard isBegun else { return nil }
        if job.state == .pending || job.state == .waiting {
            guard try await schedule() else { return .ended }
        }
        let (recording, offset) = try await recorded()
        let folder = folder
        let isThere = try await setting.threads.runIfActive {
            JobFiles.hasJournal(in: folder)
        }
        guard isThere else { return try await lose(recording, from: offset) }
        if let process = recording.process {
            try await setting.threads.runIfActive { control.began(process, folder: folder) }
        }
        return try await attend(recording, from: offset, child: nil)
    }

    /// What is recorded of the journal, and how far that goes.
    private func recorded() async throws -> (JournalRecording, UInt64) {
        let offset = try await database.journalOffset(of: job.id)
        let folder = folder
        let recording = try await setting.threads.runIfActive {
            var recording = JournalRecording()
            var reader = JournalReader(folder: folder, offset: 0)
            _ = recording.records(of: try reader.next(before: offset))
            return recording
        }
        return (recording, offset)
    }
}
