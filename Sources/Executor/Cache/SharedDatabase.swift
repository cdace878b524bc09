internal import Glibc

/// A connection that several threads use, one at a time.
// SAFETY: The connection is reached in `use` alone, under the lock, and a `Database` needs no more
// than that no two threads use it at once; what `use` gives out is the caller's own.
final class SharedDatabase: @unchecked Sendable {
    /// `nil` until it is first used.
    private var database: Database?
    private let path: String
    private let migrations: [String]
    private let lock: UnsafeMutablePointer<pthread_mutex_t>

    /// Opens the database, or when it is first used.
    init(_ path: String, migrations: [String], isLazy: Bool = false) throws(CacheError) {
        self.path = path
        self.migrations = migrations
        if !isLazy {
            database = try CacheError.reported { () throws(DatabaseError) in
                try Database(path: path, migrations: migrations)
            }
        }
        lock = .allocate(capacity: 1)
        pthread_mutex_init(lock, nil)
    }

    deinit {
        pthread_mutex_destroy(lock)
        lock.deallocate()
    }

    /// Runs a block with the connection, and says what fails in the cache's words.
    func use<T>(_ body: (Database) throws(DatabaseError) -> T) throws(CacheError) -> T {
        pthread_mutex_lock(lock)
        defer { pthread_mutex_unlock(lock) }
        return try CacheError.reported { () throws(DatabaseError) in
            if let database { return try body(database) }
            let opened = try Database(path: path, migrations: migrations)
            database = opened
            return try body(opened)
        }
    }
}

extension CacheError {
    /// Runs what may fail in SQLite and says it in the cache's words.
    static func reported<T>(_ body: () throws(DatabaseError) -> T) throws(CacheError) -> T {
        do throws(DatabaseError) {
            return try body()
        } catch {
            if case .full(let path) = error {
                throw .noSpace(path: path, fileSystem: mountPoint(of: path))
            }
            throw .database(error)
        }
    }
}
