internal import CSQLite
internal import GRDB
internal import Glibc

/// A file of a master's database, opened for looking at it. Nothing in it changes.
final class ReadOnlyDatabase {
    let path: String
    private let file: DatabaseQueue

    /// Opens a file that is there. It waits for the disk.
    init(path: String) throws(MasterDatabaseError) {
        self.path = path
        let facts: FileFacts
        do { facts = try FileFacts(of: path) } catch {
            throw .cannotOpen(path: path, reason: String(cString: strerror(error.number)))
        }
        guard facts.kind == .file else {
            throw .cannotOpen(path: path, reason: "it is not a file")
        }
        do {
            file = try DatabaseQueue(path: path, configuration: Self.configuration)
        } catch {
            throw .of(error, path: path)
        }
    }

    /// Reads, in no transaction.
    func read<Value>(_ body: (Database) throws -> Value) throws(MasterDatabaseError) -> Value {
        do {
            return try file.unsafeRead(body)
        } catch {
            throw .of(error, path: path)
        }
    }

    /// Reads from one state of the database.
    func readOnce<Value>(_ body: (Database) throws -> Value) throws(MasterDatabaseError) -> Value {
        do {
            return try file.read(body)
        } catch {
            throw .of(error, path: path)
        }
    }

    /// Refuses a file of another program or of a later version.
    func examine(
        known: Int = Migrations.scripts.count, mayBeEmpty: Bool
    ) throws(MasterDatabaseError) {
        let (application, version, objects) = try read { connection in
            (
                try Int.fetchOne(connection, sql: "PRAGMA application_id") ?? 0,
                try Int.fetchOne(connection, sql: "PRAGMA user_version") ?? 0,
                try Int.fetchOne(connection, sql: "SELECT count(*) FROM sqlite_schema") ?? 0
            )
        }
        let isEmpty = application == 0 && version == 0 && objects == 0
        guard application == DatabaseOpening.applicationID || isEmpty && mayBeEmpty else {
            throw .notOurs(path: path)
        }
        guard version >= 0, version <= known else {
            throw .newer(path: path, found: version, known: known)
        }
    }

    /// Closes it. A connection that cannot be closed ends with the process.
    func close() { try? file.close() }

    private static var configuration: Configuration {
        var configuration = Configuration()
        configuration.readonly = true
        configuration.busyMode = .timeout(10)
        configuration.prepareDatabase { try DatabaseOpening.distrust($0) }
        return configuration
    }
}
