internal import GRDB

/// Why the database of the master does not do what is asked. Each case that is about the file
/// names it.
enum MasterDatabaseError: Error, Equatable, CustomStringConvertible {
    /// What keeps a write from being done now.
    enum Cause: Sendable, Equatable {
        /// So many requests wait already.
        case queueFull(waiting: Int)
        /// It waited for longer than a request may.
        case waitedTooLong
        /// Another process holds the lock of the file.
        case lockedByAnotherProcess
    }

    /// The file cannot be opened or made.
    case cannotOpen(path: String, reason: String)
    /// A file beside the database cannot be written or moved.
    case cannotWrite(path: String, reason: String)
    /// The file is an SQLite database of something else.
    case notOurs(path: String)
    /// The file was written by a later version.
    case newer(path: String, found: Int, known: Int)
    /// The file is no database, or damaged.
    case corrupt(path: String, reason: String)
    /// A row holds what this version cannot read. The rest of the file is of use.
    case badRow(table: String, row: String, reason: String)
    /// Nothing was done, and the same may be asked again a little later.
    case busy(path: String, Cause)
    /// Nothing was done, because the file system is full.
    case noSpace(path: String)
    /// The disk did not do what it was told, so nobody knows what is on it: nothing is read or
    /// written any more until a restart. Whether the request was done is unknown.
    case failed(path: String, reason: String)
    /// The database was closed.
    case closed(path: String)
    /// Another master, or a restore, holds the data folder.
    case inUse(path: String)
    /// What is there has what would be lost when it is replaced.
    case wouldLose(path: String, what: String)
    /// What was given for a field cannot be taken.
    case invalid(field: String, reason: String)
    /// There is no such thing.
    case missing(what: String, name: String)
    /// A job's state cannot follow the one that it has.
    case illegalTransition(job: String, from: JobState, to: JobState)
    /// A rule of the schema refuses the rows.
    case constraint(path: String, reason: String)
    /// The statement is wrong, or used wrongly: a bug of ours.
    case misuse(path: String, reason: String)

    /// One sentence without a full stop.
    var description: String {
        switch self {
        case .cannotOpen(let path, let reason): "\(path) cannot be opened: \(reason)"
        case .cannotWrite(let path, let reason): "\(path) cannot be written: \(reason)"
        case .notOurs(let path): "\(path) is not a database of danube"
        case .newer(let path, let found, let known):
            "\(path) has schema \(found), written by a newer danube (this one knows \(known))"
        case .corrupt(let path, let reason): "\(path) is damaged: \(reason)"
        case .badRow(let table, let row, let reason):
            "row \(row) of \(table) cannot be read: \(reason)"
        case .busy(let path, .queueFull(let waiting)):
            "\(path) is busy: \(waiting) requests wait already"
        case .busy(let path, .waitedTooLong): "\(path) is busy: the request waited for too long"
        case .busy(let path, .lockedByAnotherProcess): "\(path) is locked by another process"
        case .noSpace(let path): "no space is left for \(path)"
        case .failed(let path, let reason): "\(path) cannot be relied on any more: \(reason)"
        case .closed(let path): "\(path) was closed"
        case .inUse(let path): "\(path) is in use by another process"
        case .wouldLose(let path, let what): "\(path) is not replaced: \(what)"
        case .invalid(let field, let reason): "\(field) \(reason)"
        case .missing(let what, let name): "there is no \(what) \(name)"
        case .illegalTransition(let job, let from, let to):
            "job \(job) is \(from.rawValue), which \(to.rawValue) cannot follow"
        case .constraint(let path, let reason): "\(path) refuses a row: \(reason)"
        case .misuse(let path, let reason): "\(path) was used wrongly: \(reason)"
        }
    }

    /// The next action for a person.
    var hint: String {
        switch self {
        case .cannotOpen: "Check that the folder exists and belongs to the user of the master."
        case .cannotWrite: "Check that the folder exists and may be written."
        case .notOurs: "Name another data folder, or move the file away."
        case .newer: "Install the newer danube, or restore a backup made before the upgrade."
        case .corrupt, .badRow:
            "Run `danube db check`, then `danube restore` with the latest backup."
        case .busy(_, .lockedByAnotherProcess):
            "Find the process that holds it (`fuser`), or try again later."
        case .busy: "Try again in a few seconds."
        case .noSpace: "Free some space: the master goes on by itself."
        case .failed: "Check the disk (`dmesg`), then start the master again."
        case .closed: "The master is stopping: try again when it is back."
        case .inUse: "Stop the master that runs on this data folder first."
        case .wouldLose: "Say --force if that may be lost; the file is kept beside the new one."
        case .invalid: "Correct it and try again."
        case .missing: "List what there is and check the name."
        case .illegalTransition, .constraint, .misuse:
            "This is a bug of danube: please report it."
        }
    }

    /// What an error means that came out of a block of statements.
    static func of(_ error: any Error, path: String) -> MasterDatabaseError {
        if let known = error as? MasterDatabaseError { return known }
        guard let error = error as? DatabaseError else {
            return .misuse(path: path, reason: "\(error)")
        }
        let reason = "\(error.message ?? "?") (SQLite \(error.extendedResultCode.rawValue))"
        switch error.extendedResultCode {
        // The file of shared memory cannot grow. What is lost with it is rebuilt from the log.
        case .SQLITE_IOERR_SHMSIZE: return .noSpace(path: path)
        case .SQLITE_READONLY_DBMOVED: return .failed(path: path, reason: reason)
        default: break
        }
        switch error.resultCode {
        case .SQLITE_FULL: return .noSpace(path: path)
        case .SQLITE_BUSY, .SQLITE_LOCKED: return .busy(path: path, .lockedByAnotherProcess)
        case .SQLITE_IOERR: return .failed(path: path, reason: reason)
        case .SQLITE_CORRUPT, .SQLITE_NOTADB: return .corrupt(path: path, reason: reason)
        case .SQLITE_CONSTRAINT: return .constraint(path: path, reason: reason)
        case .SQLITE_CANTOPEN, .SQLITE_READONLY, .SQLITE_PERM, .SQLITE_AUTH, .SQLITE_NOLFS:
            return .cannotOpen(path: path, reason: reason)
        default: return .misuse(path: path, reason: reason)
        }
    }

    /// Whether nothing more is recorded after it: not a thing of one request.
    var endsMaster: Bool {
        if case .closed = self { true } else { isFatal }
    }

    /// Whether nothing can be relied on after it.
    var isFatal: Bool {
        switch self {
        case .failed, .corrupt: true
        default: false
        }
    }
}
