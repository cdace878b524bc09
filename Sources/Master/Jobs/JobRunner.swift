internal import Glibc
internal import Logging
internal import NIOPosix
internal import PipelineIR
internal import Synchronization

internal import struct Executor.JobID
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
    }

    /// What does not differ between jobs.
    struct Setting: Sendable {
        var database: MasterDatabase
        var data: DataFolder
        var mirrors: SourceMirrors
        var engine: EngineProcess
        var watcher: JournalWatcher
        var secrets: SecretStore
        /// For what waits for files.
        var threads: NIOThreadPool
        var cacheFolder: String
        var configuration: LiveConfiguration
        var logger: Logger

        /// Steps of a job that may run at once.
        var slots: Int { configuration.values.jobs.limit }
        /// What may be built, as `repositories.allow` has it.
        var allowed: [String] { configuration.values.repositories.allow }
        /// Whose repositories may be built from anywhere.
        var owner: uid_t? { allowed.isEmpty ? geteuid() : nil }
    }

    let setting: Setting
    let job: Job
    let control: JobControl

    private static let mostEngines = 3
    private static let reapPause = Duration.milliseconds(50)
    private var database: MasterDatabase { setting.database }
    private var folder: String { setting.data.job(job.id) }

    /// Runs it, or goes on with it. Throws when the database cannot be relied on any more.
    func run() async throws -> End {
        do {
            if let taken = try await takeUp() { return taken }
            guard try await persist({ try await database.transition(job.id, to: .scheduling) })
            else { return .ended }
            let process = try await start()
            control.began(process)
            return try await follow(JournalRecording(), from: 0, child: process)
        } catch let error as MasterDatabaseError where error.endsMaster {
            throw error
        } catch is CancellationError {
            // The engine goes on, and the next master with it.
            throw CancellationError()
        } catch {
            control.stop()
            try await end(.failure, reason: "\(error)")
            return .ended
        }
    }

    // MARK: Starting

    private func start() async throws -> pid_t {
        let request = job.request
        let wanted = JobSource(request: request)
        let address = try await setting.threads.runIfActive {
            try wanted.address(allowed: setting.allowed, owner: setting.owner)
        }
        let source = try await setting.mirrors.commit(of: try wanted.reference(), in: address)
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
            try await !setting.mirrors.isCommit(commit, on: name, in: address)
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
        let offset = try await database.journalOffset(of: job.id)
        let folder = folder
        let (recording, isThere) = try await setting.threads.runIfActive {
            var recording = JournalRecording()
            var reader = JournalReader(folder: folder, offset: 0)
            let events = try reader.next(before: offset)
            _ = recording.records(of: events)
            return (recording, access("\(folder)/\(JournalReader.name)", F_OK) == 0)
        }
        guard isThere else { return try await lose(recording) }
        if let process = recording.process {
            try await setting.threads.runIfActive { control.began(process, folder: folder) }
        }
        return try await follow(recording, from: offset, child: nil)
    }

    // MARK: Following

    /// Records what the journal says until the job is over. `child` is the engine where it is a
    /// child of this process.
    private func follow(
        _ begun: JournalRecording, from offset: UInt64, child: pid_t?
    ) async throws -> End {
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
                    return .ended
                }
            } else if !isAlive {
                control.ended()
                return try await lose(recording)
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
                    isOver = try Self.put(record, id, bytes, transaction) || isOver
                }
                if let artifacts { try transaction.record(artifacts, of: id, at: .now()) }
                try transaction.setJournalOffset(offset, of: id)
                return isOver
            }
        }
    }

    private static func put(
        _ record: JournalRecording.Record, _ id: JobID, _ plan: [UInt8]?,
        _ transaction: WriteTransaction
    ) throws -> Bool {
        switch record {
        case .planned(let text, let steps, let time):
            guard let plan, text.hasPrefix("sha256:"),
                let digest = Digest(hex: String(text.dropFirst(7))).map({ PlanDigest($0) })
            else { throw JobProblem.noPlan }
            try transaction.put(plan: plan, digest: digest, at: time)
            try transaction.setPlan(digest, steps: steps, of: id, at: time)
            _ = try transaction.transition(id, to: .running, reason: nil, at: .now())
            return false
        case .steps(let changes):
            try transaction.record(changes, of: id)
            return false
        case .ended(let state, let reason):
            return try finish(id, state, reason: reason, transaction)
        }
    }

    /// Ends a job. One that somebody wanted to end before it did has ended for that reason.
    private static func finish(
        _ id: JobID, _ state: JobState, reason: String?, _ transaction: WriteTransaction
    ) throws -> Bool {
        var (state, reason) = (state, reason)
        if state != .success, let stop = try transaction.stop(of: id) {
            (state, reason) = (stop.state, stop.reason)
        } else if state == .cancelled {
            // Nobody here has asked for that.
            (state, reason) = (.failure, "lost: its engine was told to end from outside")
        }
        _ = try transaction.transition(id, to: state, reason: reason, at: .now())
        return true
    }

    /// The engine is gone without a word. Where no attempt can have been made, the job waits again;
    /// else nobody knows what was done, and it is not done twice.
    private func lose(_ recording: JournalRecording) async throws -> End {
        let id = job.id
        if !recording.hasStarted, !recording.isPlanned, job.attempt < Self.mostEngines {
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
        let artifacts = await artifacts(isWhole: false)
        try await persist {
            try await database.write { transaction in
                if let artifacts { try transaction.record(artifacts, of: id, at: .now()) }
                if !lost.isEmpty { try transaction.record(lost, of: id) }
                _ = try Self.finish(
                    id, .failure, reason: "lost: its engine was ended from outside", transaction)
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
            try await database.write { try Self.finish(id, state, reason: reason, $0) }
        }
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
