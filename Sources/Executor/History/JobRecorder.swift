internal import Glibc

/// Records one job: its folder, its log, and what becomes of its steps.
///
/// Records are written by a thread that begins here, so a process that forks does so before.
///
/// SAFETY: Only `thread` can change. It is set before anybody else has the recorder, and used once:
/// by whoever sets `isFinished`.
package final class JobRecorder: @unchecked Sendable {
    /// The name of the job.
    package let id: JobID
    /// The job's own folder; what is in it goes when the job is forgotten.
    package let folder: String
    /// What its steps print.
    package let log: JobLog
    /// When it began.
    package let started: Timestamp
    private let queue = RecordQueue()
    private let isFinished = OnceFlag()
    private let hasWriter: Bool
    private var thread = pthread_t()

    private static let mostTries = 1000

    /// Begins the record of a job in a folder of states, which is made when it is missing.
    package init(
        stateFolder: String, job: JobDescription, redactor: Redactor = .none,
        at time: Timestamp = .now()
    ) throws(HistoryError) {
        let jobs = HistorySchema.jobs(stateFolder)
        try HistorySchema.make(jobs)
        id = try Self.claim(jobs, time)
        folder = "\(jobs)/\(id)"
        started = time
        hasWriter = true
        do throws(LogError) {
            log = try JobLog(folder: folder, redactor: redactor)
        } catch {
            throw .log(error)
        }
        let writer = HistoryWriter(
            stateFolder: stateFolder, job: job, id: id, started: time, queue: queue)
        let context = Unmanaged.passRetained(writer)
        let error = pthread_create(&thread, nil, Self.main, context.toOpaque())
        guard error == 0 else {
            context.release()
            // No thread to wait for.
            isFinished.set()
            throw .folder(path: folder, reason: String(cString: strerror(error)))
        }
    }

    /// Begins a job that somebody else records, or goes on with it: what is written is its log.
    package init(
        _ given: JobFolder, redactor: Redactor = .none, at time: Timestamp = .now()
    ) throws(HistoryError) {
        id = given.job
        folder = given.path
        started = time
        hasWriter = false
        queue.abandon()
        do throws(LogError) {
            log = try JobLog(goingOnIn: folder, redactor: redactor)
        } catch {
            throw .log(error)
        }
    }

    deinit {
        if isFinished.set() {
            queue.end(.init(state: nil, time: started))
            _ = join()
        }
    }

    /// Records what became of a step. It returns at once unless the disk is far behind.
    package func record(_ step: StepRecord) { queue.add(step) }

    /// Ends the job and waits until all of it is on the disk.
    ///
    /// - Returns: what could not be written; the job itself is not the worse for it.
    package func finish(
        _ state: JobRecord.State, at time: Timestamp = .now()
    ) -> [HistoryError] {
        end(state, at: time).map { $0 + waitForWriter() } ?? []
    }

    /// Says how the job ended, while what is to be recorded is still being written. `nil` when that
    /// was said before; otherwise `waitForWriter` has to follow.
    func end(_ state: JobRecord.State, at time: Timestamp = .now()) -> [HistoryError]? {
        guard isFinished.set() else { return nil }
        var errors: [HistoryError] = []
        do throws(LogError) {
            // What says nothing is not worth a sync.
            try log.close(durable: !log.isEmpty, at: time)
        } catch {
            errors.append(.log(error))
        }
        queue.end(.init(state: state, time: time, logBytes: log.byteCount))
        return errors
    }

    /// Waits until everything is written, once, after `end`.
    func waitForWriter() -> [HistoryError] { join().map { [.database($0)] } ?? [] }

    private func join() -> DatabaseError? {
        guard hasWriter else { return nil }
        var result: UnsafeMutableRawPointer?
        pthread_join(thread, &result)
        guard let result else { return nil }
        return Unmanaged<Outcome>.fromOpaque(result).takeRetainedValue().error
    }

    private final class Outcome {
        let error: DatabaseError
        init(_ error: DatabaseError) { self.error = error }
    }

    private static let main: @convention(c) (UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? =
        { context in
            guard let context else { return nil }
            let writer = Unmanaged<HistoryWriter>.fromOpaque(context).takeRetainedValue()
            return writer.run().map { Unmanaged.passRetained(Outcome($0)).toOpaque() }
        }

    /// Makes the folder of a new job; who makes it has the name.
    private static func claim(_ jobs: String, _ time: Timestamp) throws(HistoryError) -> JobID {
        var random = SystemRandomNumberGenerator()
        for _ in 0..<mostTries {
            let id = JobID(at: time, random: random.next())
            if mkdir("\(jobs)/\(id)", 0o700) == 0 { return id }
            guard errno == EEXIST else { break }
        }
        throw .folder(path: jobs, reason: String(cString: strerror(errno)))
    }
}
