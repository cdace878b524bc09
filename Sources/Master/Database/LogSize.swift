internal import CSQLite
internal import GRDB
internal import Synchronization

/// How long the write-ahead log of a connection is, as SQLite says after each commit.
final class LogSize: Sendable {
    /// Pages above which the log is moved into the file: 4 MiB.
    private static let mostPages: Int32 = 1000

    private let pages = Atomic<Int32>(0)

    /// Whether it ought to be moved into the file.
    var isLong: Bool { pages.load(ordering: .relaxed) >= Self.mostPages }

    /// Counts the pages of a connection, which then never moves its log by itself. This has to live
    /// as long as commits happen on it.
    func watch(_ connection: Database) {
        sqlite3_wal_hook(
            connection.sqliteConnection,
            { context, _, _, pages in
                guard let context else { return SQLITE_OK }
                Unmanaged<LogSize>.fromOpaque(context).takeUnretainedValue()
                    .pages.store(pages, ordering: .relaxed)
                return SQLITE_OK
            }, Unmanaged.passUnretained(self).toOpaque())
    }
}
