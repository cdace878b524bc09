internal import CSQLite
internal import Glibc

/// One SQLite database in one file, with a write-ahead log.
///
/// What a transaction wrote is on the disk when it returns (`synchronous=FULL`), so callers batch.
/// A connection belongs to one thread at a time; several connections and processes may share a
/// file. Format: `user_version` counts the migrations that were applied.
package final class Database {
    /// The file.
    package let path: String
    let handle: OpaquePointer
    private let waitMilliseconds: Int32
    private var prepared: [String: Statement] = [:]

    /// How a file is opened.
    package enum Mode: Sendable {
        /// Made when it is missing.
        case readWrite
        /// Must exist; nothing is migrated.
        case readOnly
    }

    /// How long a statement waits for the lock of another process.
    package static let defaultWaitMilliseconds: Int32 = 10_000
    /// Size of the log above which `trimLog` empties it.
    static let mostLogBytes = 2 << 20

    /// Opens a file and brings it to the newest format.
    ///
    /// - Parameter migrations: SQL scripts, oldest first; one that was published never changes.
    package init(
        path: String, mode: Mode = .readWrite, migrations: [String],
        waitMilliseconds: Int32 = Database.defaultWaitMilliseconds
    ) throws(DatabaseError) {
        self.path = path
        self.waitMilliseconds = waitMilliseconds
        var opened: OpaquePointer?
        let access =
            mode == .readOnly
            ? SQLITE_OPEN_READONLY
            : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE
        let flags = access | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE
        let result = sqlite3_open_v2(path, &opened, flags, nil)
        guard let opened else {
            throw .cannotOpen(path: path, reason: "no memory")
        }
        guard result == SQLITE_OK else {
            let reason = String(cString: sqlite3_errmsg(opened))
            sqlite3_close_v2(opened)
            throw .cannotOpen(path: path, reason: reason)
        }
        handle = opened
        sqlite3_busy_timeout(opened, waitMilliseconds)
        try check(danube_sqlite_configure(opened))
        try prepare(mode, migrations)
    }

    /// Sets the connection up. SQLite does not wait by itself for another process that makes the
    /// file at the same time, so this does, as long as a statement would.
    private func prepare(_ mode: Mode, _ migrations: [String]) throws(DatabaseError) {
        let pause: UInt32 = 10_000
        let end = MonotonicClock.now() &+ UInt64(max(0, waitMilliseconds)) * 1_000_000
        while true {
            do throws(DatabaseError) {
                // WAL survives in the file, so it is set by whoever makes it; setting it again is
                // free.
                if mode == .readWrite { try execute("PRAGMA journal_mode=WAL") }
                try execute(
                    "PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON; PRAGMA temp_store=MEMORY")
                return try migrate(migrations, mayWrite: mode == .readWrite)
            } catch {
                guard case .busy = error, MonotonicClock.now() < end else { throw error }
                usleep(pause)
            }
        }
    }

    deinit {
        prepared.removeAll()
        sqlite3_close_v2(handle)
    }

    /// The statement for some SQL, compiled once per connection.
    package func statement(_ sql: String) throws(DatabaseError) -> Statement {
        if let known = prepared[sql] { return known }
        let made = try Statement(self, sql)
        prepared[sql] = made
        return made
    }

    /// Runs SQL that gives no rows; several statements may be divided by `;`.
    package func execute(_ sql: String) throws(DatabaseError) {
        try check(sqlite3_exec(handle, sql, nil, nil, nil))
    }

    /// Runs one statement that gives no rows.
    package func run(_ sql: String, _ values: Value...) throws(DatabaseError) {
        try statement(sql).run(values)
    }

    /// All rows of a query, each made into a value.
    package func rows<T>(
        _ sql: String, _ values: Value..., make: (Row) throws(DatabaseError) -> T
    ) throws(DatabaseError) -> [T] {
        var found: [T] = []
        try statement(sql).forEach(values) { row throws(DatabaseError) in
            found.append(try make(row))
            return true
        }
        return found
    }

    /// The first row of a query, made into a value; `nil` when there is none.
    package func first<T>(
        _ sql: String, _ values: Value..., make: (Row) throws(DatabaseError) -> T
    ) throws(DatabaseError) -> T? {
        var found: T?
        try statement(sql).forEach(values) { row throws(DatabaseError) in
            found = try make(row)
            return false
        }
        return found
    }

    /// Runs a block as one transaction: all of it is on the disk afterwards, or nothing is.
    package func transaction<T>(
        _ body: () throws(DatabaseError) -> T
    ) throws(DatabaseError) -> T {
        try run("BEGIN IMMEDIATE")
        do throws(DatabaseError) {
            let value = try body()
            try run("COMMIT")
            return value
        } catch {
            // Some errors have rolled back already; then there is nothing to do.
            if sqlite3_get_autocommit(handle) == 0 { try? run("ROLLBACK") }
            throw error
        }
    }

    /// Rows that the last statement inserted, changed or removed.
    package var changedRows: Int { Int(sqlite3_changes64(handle)) }

    /// Moves what is in the log into the file and empties it, when it has become so large that
    /// reading it again would slow the next command down. Somebody who reads at the moment is not
    /// waited for; then it is left to the next one.
    package func trimLog() throws(DatabaseError) {
        var status = stat()
        guard stat(path + "-wal", &status) == 0, status.st_size > Self.mostLogBytes else { return }
        sqlite3_busy_timeout(handle, 0)
        defer { sqlite3_busy_timeout(handle, waitMilliseconds) }
        let code = sqlite3_wal_checkpoint_v2(handle, nil, SQLITE_CHECKPOINT_TRUNCATE, nil, nil)
        if code & 0xff != SQLITE_BUSY { try check(code) }
    }

    /// Throws when SQLite gave anything but success.
    func check(_ code: Int32) throws(DatabaseError) {
        guard code != SQLITE_OK else { return }
        throw problem(code)
    }

    /// What an error of SQLite means.
    func problem(_ code: Int32) -> DatabaseError {
        let reason = String(cString: sqlite3_errmsg(handle))
        switch code & 0xff {
        case SQLITE_BUSY, SQLITE_LOCKED: return .busy(path: path)
        case SQLITE_FULL: return .full(path: path)
        case SQLITE_CORRUPT, SQLITE_NOTADB: return .corrupt(path: path, reason: reason)
        case SQLITE_CONSTRAINT: return .constraint(path: path, reason: reason)
        case SQLITE_CANTOPEN, SQLITE_READONLY, SQLITE_PERM, SQLITE_AUTH:
            return .cannotOpen(path: path, reason: reason)
        case SQLITE_IOERR, SQLITE_NOMEM, SQLITE_PROTOCOL, SQLITE_NOLFS:
            let system = sqlite3_system_errno(handle)
            if system == ENOSPC || system == EDQUOT { return .full(path: path) }
            let detail = system == 0 ? "" : " (\(String(cString: strerror(system))))"
            return .io(path: path, reason: reason + detail)
        default: return .misuse(path: path, reason: "\(reason) (\(code))")
        }
    }

    private func migrate(_ migrations: [String], mayWrite: Bool) throws(DatabaseError) {
        guard try version() != migrations.count || !mayWrite else { return }
        guard mayWrite else {
            let found = try version()
            if found > migrations.count {
                throw .newer(path: path, found: found, known: migrations.count)
            }
            return
        }
        // Asked again under the lock: another process may have been first.
        try transaction { () throws(DatabaseError) in
            let found = try version()
            guard found <= migrations.count else {
                throw .newer(path: path, found: found, known: migrations.count)
            }
            for script in migrations[found...] { try execute(script) }
            try execute("PRAGMA user_version=\(migrations.count)")
        }
    }

    /// How many migrations were applied to the file.
    package func version() throws(DatabaseError) -> Int {
        try first("PRAGMA user_version") { $0.int(0) } ?? 0
    }
}
