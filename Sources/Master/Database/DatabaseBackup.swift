internal import GRDB
internal import Glibc

/// Copies a master's database into a file, also while it is written.
///
/// The copy is one state of the database: writers go on, and what they write meanwhile is not in
/// it. The file is whole or absent.
struct DatabaseBackup {
    /// The database that is copied.
    let path: String
    /// The file that is made, or replaced.
    let target: String

    /// A copy of one file as another.
    init(of path: String, to target: String) throws(MasterDatabaseError) {
        // SQLite takes a text that begins so for a URI, and an empty one for a temporary file.
        guard !target.isEmpty, !target.utf8.contains(0), !target.hasPrefix("file:") else {
            throw .cannotWrite(path: target, reason: "it is no path of a file")
        }
        self.path = path
        self.target = target
    }

    /// Copies the database of a data folder, whether a master runs there or not. It waits for the
    /// disk, so no task of the cooperative pool calls it.
    static func write(folder: String, to target: String) throws(MasterDatabaseError) {
        let path = "\(folder)/\(MasterDatabase.fileName)"
        let backup = try DatabaseBackup(of: path, to: target)
        do {
            let source = try ReadOnlyDatabase(path: path)
            defer { source.close() }
            try source.examine(mayBeEmpty: false)
            try source.read { try backup.write(from: $0) }
        } catch {
            throw .of(error, path: path)
        }
    }

    /// Copies what a connection reads; it is in no transaction.
    func write(from connection: Database) throws(MasterDatabaseError) {
        let aside = DurableFile.aside(target)
        // An empty file of the right mode: SQLite fills it and keeps the mode.
        try DurableFile.makePrivate(aside)
        do {
            try connection.execute(sql: "VACUUM INTO ?", arguments: [aside])
            try DurableFile.place(aside, at: target)
        } catch {
            unlink(aside)
            throw problem(error)
        }
    }

    /// An error of the disk of the copy is none of the database.
    private func problem(_ error: any Error) -> MasterDatabaseError {
        switch MasterDatabaseError.of(error, path: target) {
        case .corrupt(_, let reason): .corrupt(path: path, reason: reason)
        case .failed(let path, let reason), .cannotOpen(let path, let reason),
            .misuse(let path, let reason):
            .cannotWrite(path: path, reason: reason)
        case let other: other
        }
    }
}
