internal import Glibc

/// A connection that several threads use, one at a time.
// SAFETY: The connection is reached in `use` alone, under the lock, and a `Database` needs no more
// than that no two threads use it at once; what `use` gives out is the caller's own.
final class SharedDatabase: @unchecked Sendable {
    private let database: Database
    private let lock: UnsafeMutablePointer<pthread_mutex_t>

    init(_ path: String, migrations: [String]) throws(CacheError) {
        database = try CacheError.reported { () throws(DatabaseError) in
            try Database(path: path, migrations: migrations)
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
        return try CacheError.reported { () throws(DatabaseError) in try body(database) }
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
