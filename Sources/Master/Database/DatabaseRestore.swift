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

    /// The file that a running master holds locked (`flock`).
    static let lockName = "lock"

    /// Restores it. Gives the path at which the database that was there is kept; `nil` when there
    /// was none. It waits for the disk, so no task of the cooperative pool calls it.
    func run() throws(MasterDatabaseError) -> String? {
        let lock = try hold()
        defer { close(lock) }
        let path = "\(folder)/\(MasterDatabase.fileName)"
        let aside = DurableFile.aside(path)
        try DurableFile.makePrivate(aside)
        do throws(MasterDatabaseError) {
            try verifiedCopy(to: aside)
            let kept = try keep(path)
            try DurableFile.place(aside, at: path)
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
    private func verifiedCopy(to aside: String) throws(MasterDatabaseError) {
        let source = try ReadOnlyDatabase(path: backup)
        defer { source.close() }
        try source.examine(mayBeEmpty: false)
        try source.read { try $0.execute(sql: "VACUUM INTO ?", arguments: [aside]) }
        let copy = try ReadOnlyDatabase(path: aside)
        defer { copy.close() }
        try copy.examine(mayBeEmpty: false)
        let problems = try copy.read { try DatabaseCheck.structure(of: $0) }
        if let first = problems.first { throw .corrupt(path: backup, reason: first) }
    }

    /// Gives the database that is there a second name, with all that is in its log.
    private func keep(_ path: String) throws(MasterDatabaseError) -> String? {
        guard access(path, F_OK) == 0 else {
            // A log without its file belongs to nothing, and would be taken for the new one's.
            for suffix in ["-wal", "-shm"] { unlink(path + suffix) }
            return nil
        }
        moveLog(of: path)
        let kept = try freeName(path)
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

    private func freeName(_ path: String) throws(MasterDatabaseError) -> String {
        for number in 1...1000 {
            let name = "\(path).replaced-\(number)"
            if access(name, F_OK) != 0 { return name }
        }
        throw .cannotWrite(path: "\(path).replaced-1000", reason: "there are 1000 such files")
    }
}
