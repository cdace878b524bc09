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

    /// A job that ends its engines, by taking all memory for example, does so no more often.
    private static let mostEngines = 5
    /// The same where no engine has said anything: it was the master that ended. It is bounded
    /// too: the job may be what ends it.
    private static let mostStarts = 30
    private static let endPause = Duration.milliseconds(2)
    private static let reapPause = Duration.milliseconds(50)
    private var database: MasterDatabase { setting.database }
    private var folder: String { setting.data.job(job.id) }

    /// Runs it, or goes on with it. Throws when the database cannot be relied on any more.
    func run() async throws -> End {
        do {
            if let taken = try await takeUp() { return taken }
            guard try await persist({ try await database.transition(job.id, to: .scheduling) })
            else { return .ended }
            let engine = try await start()
            let child = began(engine)
            let (recording, offset) = try await recorded()
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

    // MARK: Starting

    /// Notes an engine, and gives its process where that is a child of this one.
    private func began(_ engine: EngineProcess.Started) -> pid_t? {
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
    private func secrets(
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
        guard job.state == .scheduling || job.state == .running else { return nil }
        let (recording, offset) = try await recorded()
        let folder = folder
        let isThere = try await setting.threads.runIfActive {
            access("\(folder)/\(JournalReader.name)", F_OK) == 0
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

    // MARK: Following

    /// Why a journal is followed no more.
    private enum Left {
        case over
        case parked
        /// The engine is gone; so much of the journal was read.
        case gone(JournalRecording, UInt64)
    }

    /// Sees a job to its end, whatever number of engines that takes.
    private func attend(
        _ begun: JournalRecording, from start: UInt64, child: pid_t?
    ) async throws -> End {
        var (recording, offset, child) = (begun, start, child)
        while true {
            switch try await follow(recording, from: offset, child: child) {
            case .over: return .ended
            case .parked: return .parked
            case .gone(let found, let end): (recording, offset) = (found, end)
            }
            // One that an earlier master has asked for may begin only now: it is followed then.
            guard try await claim() else { continue }
            guard try await isToGoOn(recording) else {
                return try await lose(recording, from: offset)
            }
            setting.logger.warning(
                "its engine was ended from outside: another goes on",
                metadata: ["job": "\(job.id.text)"])
            child = began(try await goOn())
        }
    }

    /// Makes sure that nobody but this master has an engine begin; `false` when one runs.
    private func claim() async throws -> Bool {
        let folder = folder
        while true {
            do {
                return try await setting.threads.runIfActive {
                    try JournalReader(folder: folder, offset: 0).claim()
                }
            } catch EngineError.system(_, _, errno: ENOSPC) {
                try await Task.sleep(for: .seconds(1))
            }
        }
    }

    /// Whether another engine goes on with a job whose engine is gone.
    private func isToGoOn(_ recording: JournalRecording) async throws -> Bool {
        guard recording.isPlanned, recording.engines < Self.mostEngines else { return false }
        return try await database.job(job.id)?.stop == nil
    }

    /// Starts an engine in the folder that another has left. It finds there what was done.
    private func goOn() async throws -> EngineProcess.Started {
        let request = try await database.job(job.id)?.request ?? job.request
        let wanted = JobSource(request: request)
        let address = try await setting.threads.runIfActive {
            try wanted.address(allowed: setting.allowed, owner: setting.owner)
        }
        let secrets = try await secrets(request.revision ?? "", address)
        let folder = folder
        return try await setting.threads.runIfActive {
            try secrets.withBytes {
                try setting.engine.start(folder: folder, secrets: Array($0))
            }
        }
    }

    /// Records what the journal says until the job is over; else gives how far it was read when
    /// the engine was gone. `child` is the engine where it is a child of this process.
    private func follow(
        _ begun: JournalRecording, from offset: UInt64, child: pid_t?
    ) async throws -> Left {
        let (changes, continuation) = AsyncStream.makeStream(
            of: Void.self, bufferingPolicy: .bufferingNewest(1))
        let watch = try setting.watcher.watch(folder) { continuation.yield() }
        defer { setting.watcher.end(watch) }
        continuation.yield()
        var recording = begun
        var reader = JournalReader(folder: folder, offset: offset)
        for await _ in changes {
            let before = reader
            let (isAlive, events, after) = try await setting.threads.runIfActive {
                var reader = before
                // Asked first: what was written before it ended is read then. An engine may
                // outlive its guard, which is the child, for a moment.
                let isAlive = child.map { EngineProcess.isAlive($0) } ?? false || reader.isHeld()
                return (isAlive, try reader.next(), reader)
            }
            reader = after
            if !events.isEmpty {
                let records = recording.records(of: events)
                if child == nil, let process = recording.process {
                    control.began(process, folder: folder)
                }
                if try await record(records, offset: reader.offset) {
                    control.ended()
                    if let child, isAlive { reap(child) }
                    return .over
                }
                if recording.isParked {
                    control.ended()
                    try await waitForEnd(of: child, reader)
                    return .parked
                }
            } else if !isAlive {
                control.ended()
                return .gone(recording, reader.offset)
            }
        }
        throw CancellationError()
    }

    /// Records, with how far the journal was read. Gives whether the job is over.
    private func record(
        _ records: [JournalRecording.Record], offset: UInt64
    ) async throws -> Bool {
        var plan: [UInt8]?
        if records.contains(where: { if case .planned = $0 { true } else { false } }) {
            let folder = folder
            plan = try await setting.threads.runIfActive { JobFiles.plan(in: folder) }
        }
        let isOver = records.contains { if case .ended = $0 { true } else { false } }
        let artifacts = isOver ? await artifacts(isWhole: true) : nil
        let (id, bytes) = (job.id, plan)
        return try await persist {
            try await database.write { transaction in
                var isOver = false
                for record in records {
                    isOver = try transaction.put(record, of: id, plan: bytes) || isOver
                }
                if let artifacts { try transaction.record(artifacts, of: id, at: .now()) }
                try transaction.setJournalOffset(offset, of: id)
                return isOver
            }
        }
    }

    /// The engine is gone without a word, and no other goes on. Where no attempt can have been
    /// made, the job waits again; else nobody knows what was done, and it is not done twice.
    private func lose(_ recording: JournalRecording, from offset: UInt64) async throws -> End {
        let id = job.id
        let most = recording.process == nil ? Self.mostStarts : Self.mostEngines
        if !recording.hasStarted, !recording.isPlanned, job.attempt < most {
            let isWaiting = try await persist {
                try await database.write { transaction in
                    if let stop = try transaction.stop(of: id) {
                        _ = try transaction.transition(
                            id, to: stop.state, reason: stop.reason, at: .now())
                        return false
                    }
                    return try transaction.transition(id, to: .pending, reason: nil, at: .now())
                }
            }
            return isWaiting ? .again : .ended
        }
        let lost = recording.lost(at: .now())
        let folder = folder
        try await setting.threads.runIfActive { KeptWorkspace.giveUp(jobFolder: folder) }
        let artifacts = await artifacts(isWhole: false)
        try await persist {
            try await database.write { transaction in
                try transaction.setJournalOffset(offset, of: id)
                if let artifacts { try transaction.record(artifacts, of: id, at: .now()) }
                if !lost.isEmpty { try transaction.record(lost, of: id) }
                try transaction.finish(
                    id, .failure, reason: "lost: its engine was ended from outside")
            }
        }
        return .ended
    }

    /// What the job has kept; `nil` when that cannot be found out.
    private func artifacts(isWhole: Bool) async -> [Artifact]? {
        let folder = folder
        do {
            return try await setting.threads.runIfActive {
                try ArtifactScan(jobFolder: folder, isWhole: isWhole).artifacts
            }
        } catch {
            setting.logger.error(
                "its artifacts cannot be recorded: \(error)", metadata: ["job": "\(job.id.text)"])
            return nil
        }
    }

    private func end(_ state: JobState, reason: String) async throws {
        let id = job.id
        try await persist {
            try await database.write { try $0.finish(id, state, reason: reason) }
        }
    }

    /// Waits until an engine that has nothing more to do is gone, so that another may begin.
    private func waitForEnd(of child: pid_t?, _ reader: JournalReader) async throws {
        var isAlive = true
        while isAlive {
            isAlive = try await setting.threads.runIfActive {
                child.map { EngineProcess.isAlive($0) } ?? false || reader.isHeld()
            }
            if isAlive { try await Task.sleep(for: Self.endPause) }
        }
        let folder = folder
        try await setting.threads.runIfActive { JobClock.forget(in: folder) }
    }

    /// Takes the exit status of an engine whose job is over, without a thread that waits for it.
    private func reap(_ child: pid_t) {
        Task {
            while EngineProcess.isAlive(child) { try await Task.sleep(for: Self.reapPause) }
        }
    }

    /// Writes, and tries again for as long as the database is busy or the disk full: what an engine
    /// has done has to be recorded, however long it takes.
    @discardableResult
    private func persist<Value: Sendable>(
        _ write: () async throws -> Value
    ) async throws -> Value {
        var pause = Duration.milliseconds(50)
        while true {
            do {
                return try await write()
            } catch let error as MasterDatabaseError {
                switch error {
                case .busy, .noSpace:
                    setting.logger.warning(
                        "waiting for the database: \(error)", metadata: ["job": "\(job.id.text)"])
                default: throw error
                }
            }
            try await Task.sleep(for: pause)
            pause = min(pause * 2, .seconds(5))
        }
    }
}
