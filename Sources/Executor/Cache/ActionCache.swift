internal import Glibc
internal import PipelineIR
internal import Synchronization

/// Results of actions by their keys, in SQLite beside a content store.
///
/// New results are held in memory until `flush`, which makes their blobs durable first and then
/// commits all of them at once: whatever is in the table can be relied on after a power cut too.
/// Only successes are kept. It can be used from several threads, and by several processes at once.
package final class ActionCache: Sendable {
    /// Where the contents of outputs, logs and large manifests are.
    package let store: ContentStore
    let state: Mutex<State>

    struct State: ~Copyable {
        let database: Database
        var waiting: [ActionKey: (result: ActionResult, manifest: [UInt8])] = [:]
        var used: Set<ActionKey> = []
    }

    /// The most results that wait in memory; with more, putting one in writes all.
    static let mostWaiting = 4096
    /// Larger trees and manifests are blobs of the store.
    static let mostInline = 16 << 10
    /// The most bytes of a tree or manifest.
    static let mostBlob: Int64 = 1 << 30

    static let migrations = [
        """
        CREATE TABLE results (
            key BLOB NOT NULL UNIQUE,
            outputs BLOB,
            outputs_digest BLOB,
            manifest BLOB,
            manifest_digest BLOB,
            log_digest BLOB,
            log_size INTEGER NOT NULL,
            captured TEXT,
            duration INTEGER NOT NULL,
            job TEXT NOT NULL,
            step TEXT NOT NULL,
            created INTEGER NOT NULL,
            used INTEGER NOT NULL,
            size INTEGER NOT NULL,
            pinned INTEGER NOT NULL
        ) STRICT;
        CREATE INDEX results_by_use ON results (pinned, used);
        """
    ]

    /// Opens the cache in a folder, making it when it is missing: `results.db` and `cas`.
    package init(_ folder: String) throws(CacheError) {
        store = try ContentStore(folder + "/cas")
        let path = folder + "/results.db"
        let database = try Self.reported {
            () throws(DatabaseError) in try Database(path: path, migrations: Self.migrations)
        }
        state = Mutex(State(database: database))
    }

    /// Runs what may fail in SQLite and says it in the cache's words.
    static func reported<T>(_ body: () throws(DatabaseError) -> T) throws(CacheError) -> T {
        do throws(DatabaseError) {
            return try body()
        } catch {
            switch error {
            case .full(let path):
                throw .noSpace(path: path, fileSystem: CacheError.mountPoint(of: path))
            default: throw .database(error)
            }
        }
    }

    // MARK: Looking up

    /// The result of an action, when everything that it relies on is there.
    ///
    /// A result that lacks a blob, or cannot be read, is a miss: executing gives it again.
    package func lookup(_ key: ActionKey) throws(CacheError) -> ActionResult? {
        guard let result = try find(key) else { return nil }
        for blob in result.blobs where !store.contains(blob.digest, size: blob.size) { return nil }
        state.withLock { _ = $0.used.insert(key) }
        return result
    }

    /// The result of an action, whether or not its blobs are there.
    package func find(_ key: ActionKey) throws(CacheError) -> ActionResult? {
        try state.withLock { state throws(CacheError) in
            if let waiting = state.waiting[key] { return waiting.result }
            let database = state.database
            return try Self.reported { () throws(DatabaseError) in
                try database.first(
                    "SELECT \(Self.columns) FROM results WHERE key = ?", .init(key.digest.bytes)
                ) { row in Self.result(row, store) }
            } ?? nil
        }
    }

    /// What a result's key was made of; `nil` when there is no such result or it is not kept.
    package func manifest(of key: ActionKey) throws(CacheError) -> Manifest? {
        let bytes = try state.withLock { state throws(CacheError) -> [UInt8]? in
            if let waiting = state.waiting[key] { return waiting.manifest }
            let database = state.database
            return try Self.reported { () throws(DatabaseError) in
                try database.first(
                    "SELECT manifest, manifest_digest FROM results WHERE key = ?",
                    .init(key.digest.bytes)
                ) { row in Self.inlined(row, 0, store) }
            } ?? nil
        }
        return bytes.flatMap(Manifest.init(encoded:))
    }

    static let columns =
        "outputs, outputs_digest, log_digest, log_size, captured, duration, job, step, created, key"

    /// A row of `columns`; `nil` when it cannot be what was written.
    static func result(_ row: Database.Row, _ store: ContentStore) -> ActionResult? {
        guard let tree = inlined(row, 0, store), let outputs = FileTree(tree: tree),
            let key = Digest(bytes: row.blob(9))
        else { return nil }
        var log: ContentStore.Blob?
        if let bytes = row.optionalBlob(2) {
            guard let digest = Digest(bytes: bytes) else { return nil }
            log = ContentStore.Blob(digest: digest, size: Int64(row.int(3)))
        }
        return ActionResult(
            key: ActionKey(key), outputs: outputs, log: log, captured: row.optionalText(4),
            durationMilliseconds: UInt64(clamping: row.int(5)), job: row.text(6),
            step: row.text(7), created: Int64(row.int(8)))
    }

    /// A column of bytes, or the blob that the next column names.
    private static func inlined(
        _ row: Database.Row, _ column: Int, _ store: ContentStore
    ) -> [UInt8]? {
        if let bytes = row.optionalBlob(column) { return bytes }
        guard let digest = Digest(bytes: row.blob(column + 1)) else { return nil }
        return store.read(digest, most: mostBlob)
    }

    // MARK: Putting in

    /// Takes a result. It is found at once, and kept after the next `flush`.
    ///
    /// - Parameter manifest: `Manifest.encoded()` of what its key was made of.
    package func enqueue(_ result: ActionResult, manifest: [UInt8]) throws(CacheError) {
        let isFull = state.withLock { state in
            state.waiting[result.key] = (result, manifest)
            return state.waiting.count >= Self.mostWaiting
        }
        if isFull { try flush() }
    }

    /// Writes all results that wait, and what was used. When it fails everything waits on.
    package func flush() throws(CacheError) {
        let now = Int64(time(nil))
        try state.withLock { state throws(CacheError) in
            if state.waiting.isEmpty && state.used.isEmpty { return }
            var rows: [[Database.Value]] = []
            rows.reserveCapacity(state.waiting.count)
            for (result, manifest) in state.waiting.values {
                rows.append(try row(result, manifest, now: now))
            }
            if !rows.isEmpty { try store.flush() }
            let used = state.used
            let database = state.database
            try Self.reported { () throws(DatabaseError) in
                try database.transaction { () throws(DatabaseError) in
                    let insert = try database.statement(Self.insertion)
                    for row in rows { try insert.run(row) }
                    let touch = try database.statement("UPDATE results SET used = ? WHERE key = ?")
                    for key in used { try touch.run([.integer(now), .blob(key.digest.bytes)]) }
                }
            }
            state.waiting = [:]
            state.used = []
        }
    }

    private static let insertion = """
        INSERT INTO results VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0)
        ON CONFLICT (key) DO UPDATE SET outputs = excluded.outputs,
        outputs_digest = excluded.outputs_digest, manifest = excluded.manifest,
        manifest_digest = excluded.manifest_digest, log_digest = excluded.log_digest,
        log_size = excluded.log_size, captured = excluded.captured,
        duration = excluded.duration, job = excluded.job, step = excluded.step,
        created = excluded.created, used = excluded.used, size = excluded.size
        """

    private func row(
        _ result: ActionResult, _ manifest: [UInt8], now: Int64
    ) throws(CacheError) -> [Database.Value] {
        let outputs = try inline(result.outputs.encoded().tree)
        let manifest = try inline(manifest)
        return [
            .blob(result.key.digest.bytes), outputs.bytes, outputs.digest, manifest.bytes,
            manifest.digest, .init(result.log?.digest.bytes), .integer(result.log?.size ?? 0),
            .init(result.captured), .init(result.durationMilliseconds), .text(result.job),
            .text(result.step), .integer(result.created), .integer(now), .integer(result.size),
        ]
    }

    private func inline(
        _ bytes: [UInt8]
    ) throws(CacheError) -> (bytes: Database.Value, digest: Database.Value) {
        if bytes.count <= Self.mostInline { return (.blob(bytes), .null) }
        return (.null, .blob(try store.insert(bytes).digest.bytes))
    }
}
