internal import GRDB
internal import Glibc

/// Puts a backup in the place of the database of a data folder.
///
/// The backup is verified first. The database that was there is kept beside it, and one of the two
/// stands under the name at every moment.
struct DatabaseRestore {
    /// The data folder.
    let folder: String
    /// What is put there.
    let backup: String
    /// Whether a database is replaced that has what the backup does not.
    var force = false

    /// The file that a running master holds locked (`flock`).
    static let lockName = "lock"

    /// Restores it. Gives the path at which the database that was there is kept; `nil` when there
    /// was none. It waits for the disk, so no task of the cooperative pool calls it.
    ///
    /// - Parameters:
    ///   - before: is given the copy that was checked, before anything is replaced.
    ///   - afterwards: is given the same once it is in place.
    func run(
        before: (ReadOnlyDatabase) throws -> Void = { _ in },
        afterwards: (ReadOnlyDatabase) throws -> Void = { _ in }
    ) throws -> String? {
        let lock = try hold()
        defer { close(lock) }
        let path = "\(folder)/\(MasterDatabase.fileName)"
        let aside = DurableFile.aside(path)
        try DurableFile.makePrivate(aside)
        do {
            let copy = try verifiedCopy(at: aside)
            defer { copy.close() }
            if !force { try refuseToLose(path, for: copy) }
            try before(copy)
            let kept = try keep(path)
            try DurableFile.place(aside, at: path)
            try afterwards(copy)
            return kept
        } catch {
            unlink(aside)
            throw error
        }
    }

    private func hold() throws(MasterDatabaseError) -> Int32 {
        let path = "\(folder)/\(Self.lockName)"
        let file = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
        if file < 0 { throw DurableFile.problem(path) }
        guard flock(file, LOCK_EX | LOCK_NB) == 0 else {
            let number = errno
            close(file)
            if number == EWOULDBLOCK { throw .inUse(path: folder) }
            throw .cannotOpen(path: path, reason: String(cString: strerror(number)))
        }
        return file
    }

    /// Copies the backup by way of SQLite, and checks the copy: what is put in place is what was
    /// checked.
    private func verifiedCopy(at aside: String) throws(MasterDatabaseError) -> ReadOnlyDatabase {
        let source = try ReadOnlyDatabase(path: backup)
        defer { source.close() }
        try source.examine(mayBeEmpty: false)
        try source.read { try $0.execute(sql: "VACUUM INTO ?", arguments: [aside]) }
        let copy = try ReadOnlyDatabase(path: aside)
        do throws(MasterDatabaseError) {
            try copy.examine(mayBeEmpty: false)
            let problems = try copy.read { connection in
                let problems = try DatabaseCheck.structure(of: connection)
                return problems.isEmpty ? try DatabaseCheck.content(of: connection) : problems
            }
            if let first = problems.first { throw .corrupt(path: backup, reason: first) }
        } catch {
            copy.close()
            throw error
        }
        return copy
    }

    /// Throws when the database that is there is newer than the copy: written by a later version,
    /// or with events that the copy does not have. A damaged one has nothing to lose.
    private func refuseToLose(
        _ path: String, for copy: ReadOnlyDatabase
    ) throws(MasterDatabaseError) {
        guard access(path, F_OK) == 0, let present = try? ReadOnlyDatabase(path: path) else {
            return
        }
        defer { present.close() }
        do throws(MasterDatabaseError) {
            try present.examine(mayBeEmpty: true)
        } catch {
            switch error {
            case .newer, .notOurs: throw .wouldLose(path: path, what: "\(error)")
            default: return
            }
        }
        guard let last = try? present.read(Self.lastEvent) else { return }
        let known = try copy.read(Self.lastEvent)
        guard last > known else { return }
        throw .wouldLose(
            path: path, what: "it has \(last - known) events that are not in \(backup)")
    }

    /// The number of the last event that there ever was; 0 before the first.
    private static func lastEvent(_ connection: Database) throws -> Int64 {
        let exists = try connection.tableExists("sqlite_sequence")
        guard exists else { return 0 }
        return try Int64.fetchOne(
            connection, sql: "SELECT seq FROM sqlite_sequence WHERE name = 'job_events'") ?? 0
    }

    /// Gives the database that is there a second name, with all that is in its log.
    private func keep(_ path: String) throws(MasterDatabaseError) -> String? {
        guard access(path, F_OK) == 0 else {
            // A log without its file belongs to nothing, and would be taken for the new one's.
            for suffix in ["-wal", "-shm"] { unlink(path + suffix) }
            return nil
        }
        moveLog(of: path)
        let kept = try DurableFile.freeName("\(path).replaced")
        guard link(path, kept) == 0 else { throw DurableFile.problem(kept) }
        // Only a damaged database still has a log. It goes with it: it must not meet the new one.
        for suffix in ["-wal", "-shm"] where rename(path + suffix, kept + suffix) != 0 {
            if errno != ENOENT { throw DurableFile.problem(kept + suffix) }
        }
        try DurableFile.sync(folder, O_RDONLY | O_DIRECTORY)
        return kept
    }

    /// Moves the log of the database that is there into its file and removes it. That of a damaged
    /// one stays.
    private func moveLog(of path: String) {
        guard let file = try? DatabaseQueue(path: path) else { return }
        _ = try? file.inDatabase { try $0.execute(sql: "PRAGMA journal_mode=DELETE") }
        try? file.close()
    }
}
