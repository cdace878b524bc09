internal import CSQLite
internal import GRDB
internal import Synchronization

/// The database of a master, in one SQLite file with a write-ahead log.
///
/// One connection writes, on a thread of its own; a few others read beside it. What `write` has
/// answered is on the disk (`synchronous=FULL`). After an error of the disk nothing is answered any
/// more but that error: SQLite, the kernel and the disk may then each believe something else.
final class MasterDatabase: Sendable {
    /// How a database is used.
    struct Options: Sendable {
        /// Scripts that bring a file to the newest schema.
        var migrations = Migrations.scripts
        /// How much may wait to be written.
        var bounds = WriteQueue.Bounds()
        /// Reads that may wait or run.
        var mostReads = 1000
        /// How long a transaction waits for a lock of another process.
        var lockWaitSeconds = 5.0
        /// Connections that read.
        var readers = 4
        /// Called on the thread of the writer with the events of every commit, in their order. It
        /// never waits for anything.
        var committed: @Sendable ([JobEvent]) -> Void = { _ in }
        /// Called once when the database cannot be relied on any more.
        var failed: @Sendable (MasterDatabaseError) -> Void = { _ in }

        /// Those of a running master.
        init() {}
    }

    /// The file.
    let path: String
    private let options: Options
    private let pool: DatabasePool
    private let queue: WriteQueue
    private let log = LogSize()
    private let reads = Mutex(0)
    private let failure = Mutex<MasterDatabaseError?>(nil)

    /// The file's name in the data folder.
    static let fileName = "danube.db"

    /// Opens the database of a data folder, which must be there, and brings it to the newest
    /// schema. It waits for the disk, so no task of the cooperative pool calls it.
    init(folder: String, options: Options = Options()) throws(MasterDatabaseError) {
        path = "\(folder)/\(Self.fileName)"
        self.options = options
        queue = WriteQueue(path: path, bounds: options.bounds)
        do {
            pool = try DatabaseOpening(path: path, options: options).open(log)
        } catch {
            throw .of(error, path: path)
        }
    }

    /// Why the database cannot be relied on any more; `nil` while it can.
    var problem: MasterDatabaseError? { failure.withLock { $0 } }

    /// Requests that wait to be written.
    var waitingWrites: Int { queue.count }

    /// Writes: all that the block does is on the disk when this returns, or nothing of it is. The
    /// block shares a transaction with others and is undone alone when it throws.
    ///
    /// A cancelled task waits too, for nobody could tell it what became of its request.
    func write<Value: Sendable>(
        _ body: @escaping @Sendable (WriteTransaction) throws -> Value
    ) async throws(MasterDatabaseError) -> Value {
        let result = await withCheckedContinuation { continuation in
            add(WriteRequest(body) { continuation.resume(returning: $0) })
        }
        return try result.get()
    }

    /// Writes what may also be left: nobody waits for it, and where many wait it is not done. So
    /// whoever only reads never waits for a lock or a full disk.
    func writeAside(_ body: @escaping @Sendable (WriteTransaction) throws -> Void) {
        guard queue.count < Self.mostAside else { return }
        add(WriteRequest(body) { _ in })
    }

    private static let mostAside = 1000

    /// Reads from one state of the database.
    func read<Value: Sendable>(
        _ body: @escaping @Sendable (Database) throws -> Value
    ) async throws(MasterDatabaseError) -> Value {
        if let end = queue.end { throw end }
        let waiting = reads.withLock { count -> Int? in
            guard count < options.mostReads else { return count }
            count += 1
            return nil
        }
        if let waiting { throw .busy(path: path, .queueFull(waiting: waiting)) }
        defer { reads.withLock { $0 -= 1 } }
        let result: Result<Value, MasterDatabaseError> = await withCheckedContinuation { waiter in
            pool.asyncRead { [path] connection in
                do {
                    waiter.resume(returning: .success(try body(connection.get())))
                } catch {
                    waiter.resume(returning: .failure(.of(error, path: path)))
                }
            }
        }
        if case .failure(let error) = result, error.isFatal { fail(error) }
        return try result.get()
    }

    /// Copies the database into a file while it is in use; the file is whole or absent. One of the
    /// connections that read does nothing else meanwhile.
    func backup(to target: String) async throws(MasterDatabaseError) {
        if let end = queue.end { throw end }
        let backup = try DatabaseBackup(of: path, to: target)
        let result: Result<Void, MasterDatabaseError> = await withCheckedContinuation { waiter in
            pool.asyncUnsafeRead { [path] connection in
                do {
                    waiter.resume(returning: .success(try backup.write(from: connection.get())))
                } catch {
                    waiter.resume(returning: .failure(.of(error, path: path)))
                }
            }
        }
        try result.get()
    }

    /// Ends it: what was asked for is done first, then the log is moved into the file. It waits for
    /// the disk, so no task of the cooperative pool calls it.
    func close() {
        pool.writeWithoutTransaction { connection in
            drain(connection)
            queue.refuseAll(.closed(path: path))
            // What stays in the log is read at the next start.
            if problem == nil { _ = try? connection.checkpoint(.truncate) }
        }
        // A connection that cannot be closed ends with the process.
        try? pool.close()
    }

    private func add(_ request: any PendingWrite) {
        switch queue.add(request) {
        case .queued: break
        case .refused(let error): request.fail(error)
        case .startsDraining: pool.asyncWriteWithoutTransaction { self.drain($0) }
        }
    }

    private func drain(_ connection: Database) {
        while true {
            let requests = queue.next()
            if requests.isEmpty { return }
            let outcome = GroupCommit(path: path, connection: connection).commit(requests)
            if let error = outcome.error {
                if error.isFatal { fail(error) }
                for request in requests { request.fail(problem ?? error) }
                // Once all of the log is in the file, the next commit writes over it.
                if case .noSpace = error { moveLog(connection) }
                continue
            }
            if !outcome.events.isEmpty { options.committed(outcome.events) }
            for request in outcome.done { request.succeed() }
            for (request, error) in outcome.refused { request.fail(error) }
            if log.isLong { moveLog(connection) }
        }
    }

    /// Moves the log into the file. SQLite would do it within a commit and say nothing of an error.
    private func moveLog(_ connection: Database) {
        do {
            try connection.checkpoint(.passive)
        } catch {
            // While it is locked, or the disk is full, the log grows and the next commit tries.
            let problem = MasterDatabaseError.of(error, path: path)
            if problem.isFatal { fail(problem) }
        }
    }

    private func fail(_ error: MasterDatabaseError) {
        let reason: MasterDatabaseError
        if case .corrupt(let path, let text) = error {
            reason = .failed(path: path, reason: "it is damaged: \(text)")
        } else {
            reason = error
        }
        let isFirst = failure.withLock { failure -> Bool in
            if failure != nil { return false }
            failure = reason
            return true
        }
        guard isFirst else { return }
        queue.refuseAll(reason)
        options.failed(reason)
    }
}
