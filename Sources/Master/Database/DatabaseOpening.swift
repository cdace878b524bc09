internal import CSQLite
internal import GRDB
internal import Glibc

/// Opens the file of a master's database, or makes it.
struct DatabaseOpening {
    let path: String
    let options: MasterDatabase.Options

    /// "DANU", in the header of every file that is ours.
    static let applicationID = 0x4441_4e55

    /// Opens it, with every connection set up and the newest schema.
    func open(_ log: LogSize) throws -> DatabasePool {
        try make()
        try rollBack()
        try examine()
        try chooseLog()
        let pool = try DatabasePool(path: path, configuration: configuration())
        do {
            try pool.writeWithoutTransaction { connection in
                log.watch(connection)
                try setUpWriter(connection)
                try migrate(connection)
            }
        } catch {
            try? pool.close()
            throw error
        }
        return pool
    }

    /// Makes an empty file that only its owner may read; SQLite gives the log the same mode.
    private func make() throws {
        if let facts = try? FileFacts(of: path) {
            guard facts.kind == .file else {
                throw MasterDatabaseError.cannotOpen(path: path, reason: "it is not a file")
            }
            return
        }
        let file = Glibc.open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard file >= 0 else {
            throw MasterDatabaseError.cannotOpen(
                path: path, reason: String(cString: strerror(errno)))
        }
        Glibc.close(file)
    }

    /// Undoes what a master was about when it was killed while the file was new: before it has a
    /// write-ahead log, what was there stands in a journal, and nobody can read the file as it is.
    private func rollBack() throws {
        guard (try? FileFacts(of: "\(path)-journal")) != nil else { return }
        let connection = try DatabaseQueue(path: path, configuration: configuration())
        defer { try? connection.close() }
        try connection.writeWithoutTransaction {
            _ = try Int.fetchOne($0, sql: "SELECT count(*) FROM sqlite_schema")
        }
    }

    /// Refuses what this version cannot use, before anything is written.
    private func examine() throws {
        let file = try ReadOnlyDatabase(path: path)
        defer { file.close() }
        try file.examine(known: options.migrations.count, mayBeEmpty: true)
    }

    /// Has a new file use a write-ahead log. GRDB does so too, but does not see an error of the
    /// disk that comes at the end of it.
    private func chooseLog() throws {
        guard let facts = try? FileFacts(of: path), facts.size == 0 else { return }
        let connection = try DatabaseQueue(path: path, configuration: configuration())
        defer { try? connection.close() }
        try connection.writeWithoutTransaction {
            try $0.execute(sql: "PRAGMA synchronous=FULL; PRAGMA journal_mode=WAL")
        }
    }

    /// Sets a connection up for a file that may come from elsewhere: its schema runs nothing.
    static func distrust(_ connection: Database) throws {
        let result = danube_sqlite_configure(connection.sqliteConnection)
        guard result == SQLITE_OK else {
            throw DatabaseError(resultCode: ResultCode(rawValue: result))
        }
        try connection.execute(sql: "PRAGMA temp_store=MEMORY; PRAGMA cell_size_check=ON")
    }

    private func configuration() -> Configuration {
        var configuration = Configuration()
        configuration.busyMode = .timeout(options.lockWaitSeconds)
        configuration.maximumReaderCount = max(1, options.readers)
        // A transaction that cannot be rolled back after an error of the disk is no reason to trap.
        configuration.allowsUnsafeTransactions = true
        configuration.prepareDatabase { connection in
            try Self.distrust(connection)
            try connection.execute(sql: "PRAGMA cache_size=-4000")
        }
        return configuration
    }

    /// GRDB leaves a writer at `synchronous=NORMAL`, which does not wait for the disk.
    private func setUpWriter(_ connection: Database) throws {
        try connection.execute(
            sql: """
                PRAGMA synchronous=FULL;
                PRAGMA secure_delete=ON;
                PRAGMA recursive_triggers=ON;
                PRAGMA journal_size_limit=67108864;
                """)
        let level = try Int.fetchOne(connection, sql: "PRAGMA synchronous")
        guard level == 2 else {
            throw MasterDatabaseError.cannotOpen(
                path: path, reason: "it does not take synchronous=FULL")
        }
    }

    /// Applies the scripts that the file does not have yet, all in one transaction.
    private func migrate(_ connection: Database) throws {
        let known = options.migrations.count
        if try Int.fetchOne(connection, sql: "PRAGMA user_version") == known { return }
        try connection.inTransaction(.immediate) {
            // Asked again under the lock: another process may have been first.
            let found = try Int.fetchOne(connection, sql: "PRAGMA user_version") ?? 0
            guard found >= 0, found <= known else {
                throw MasterDatabaseError.newer(path: path, found: found, known: known)
            }
            for script in options.migrations[found...] { try connection.execute(sql: script) }
            try connection.execute(
                sql: "PRAGMA application_id=\(Self.applicationID); PRAGMA user_version=\(known)")
            return .commit
        }
    }
}
