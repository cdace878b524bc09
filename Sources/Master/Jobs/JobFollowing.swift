internal import Glibc
internal import Logging
internal import NIOPosix
internal import PipelineIR
internal import Synchronization

internal import struct Executor.JobID
internal import struct Executor.KeptWorkspace
internal import struct Executor.SlotSharing
internal import struct Executor.Timestamp

/// How a job is followed to its end.
extension JobRunner {
    /// A job that ends its engines, by taking all memory for example, does so no more often.
    private static let mostEngines = 5
    /// The same where no engine has said anything: it was the master that ended. It is bounded
    /// too: the job may be what ends it.
    private static let mostStarts = 30
    private static let endPause = Duration.milliseconds(2)
    private static let reapPause = Duration.milliseconds(50)

    /// Why a journal is followed no more.
    private enum Left {
        case over
        case parked
        /// The engine is gone; so much of the journal was read.
        case gone(JournalRecording, UInt64)
    }

    /// Sees a job to its end, whatever number of engines that takes.
    func attend(
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
            guard let end = try await claim() else { continue }
            offset = end
            guard try await isToGoOn(recording) else {
                return try await lose(recording, from: offset)
            }
            setting.logger.warning(
                "its engine was ended from outside: another goes on",
                metadata: ["job": "\(job.id.text)"])
            child = began(try await goOn())
        }
    }

    /// Makes sure that nobody but this master has an engine begin, and gives the end of the
    /// journal; `nil` when an engine runs.
    private func claim() async throws -> UInt64? {
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
        var untold = UntoldRecords()
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
                untold.add(recording.records(of: events))
                if child == nil, let process = recording.process {
                    control.began(process, folder: folder)
                }
            }
            let isGone = events.isEmpty && !isAlive
            if untold.isDue || isGone {
                if try await record(untold.take(), offset: reader.offset) {
                    control.ended()
                    if let child, isAlive { reap(child) }
                    return .over
                }
                if recording.isParked {
                    control.ended()
                    try await waitForEnd(of: child, reader)
                    return .parked
                }
            } else if let pause = untold.pause() {
                Task {
                    try await Task.sleep(for: pause)
                    continuation.yield()
                }
            }
            if isGone {
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
        if records.isEmpty { return false }
        let isPlanned = records.contains { if case .planned = $0 { true } else { false } }
        let isOver = records.contains { if case .ended = $0 { true } else { false } }
        let folder = folder
        var (plan, artifacts): ([UInt8]?, [Artifact]?)
        if isPlanned || isOver {
            (plan, artifacts) = try await setting.threads.runIfActive {
                (
                    isPlanned ? JobFiles.plan(in: folder) : nil,
                    isOver ? self.artifacts(isWhole: true) : nil
                )
            }
        }
        let (id, bytes, kept) = (job.id, plan, artifacts)
        return try await persist {
            try await database.write { transaction in
                var isOver = false
                for record in records {
                    isOver = try transaction.put(record, of: id, plan: bytes) || isOver
                }
                if let kept { try transaction.record(kept, of: id, at: .now()) }
                try transaction.setJournalOffset(offset, of: id)
                return isOver
            }
        }
    }

    /// The engine is gone without a word, and no other goes on. Where no attempt can have been
    /// made, the job waits again; else nobody knows what was done, and it is not done twice.
    func lose(_ recording: JournalRecording, from offset: UInt64) async throws -> End {
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
                    // What is beyond would be an engine that a later master has not heard of.
                    try transaction.setJournalOffset(offset, of: id)
                    return try transaction.transition(id, to: .pending, reason: nil, at: .now())
                }
            }
            return isWaiting ? .again : .ended
        }
        let lost = recording.lost(at: .now())
        let folder = folder
        let artifacts = try await setting.threads.runIfActive {
            KeptWorkspace.giveUp(jobFolder: folder)
            return self.artifacts(isWhole: false)
        }
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

    /// What the job has kept; `nil` when that cannot be found out. It waits for the disk.
    private func artifacts(isWhole: Bool) -> [Artifact]? {
        do {
            return try ArtifactScan(jobFolder: folder, isWhole: isWhole).artifacts
        } catch {
            setting.logger.error(
                "its artifacts cannot be recorded: \(error)", metadata: ["job": "\(job.id.text)"])
            return nil
        }
    }

    func end(_ state: JobState, reason: String) async throws {
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
    func persist<Value: Sendable>(
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
