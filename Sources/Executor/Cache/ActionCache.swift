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
    /// The folder of the cache.
    let folder: String
    /// Apart, so that looking up waits for no commit: with a write-ahead log readers go on.
    private let reader: SharedDatabase
    private let writer: SharedDatabase
    private let pending = Mutex(Pending())
    /// Held while results are written.
    private let flushing = Mutex(())
    private let isFlushingAside = Atomic(false)

    /// A result that is not in the table yet.
    private struct Waiting {
        var result: ActionResult
        var manifest: [UInt8]
        /// Tells it from a later result of the same key.
        var number: UInt64
    }

    private struct Pending {
        var waiting: [ActionKey: Waiting] = [:]
        var used: Set<ActionKey> = []
        var number: UInt64 = 0
    }

    /// The most results that wait in memory; with more, putting one in writes all.
    static let mostWaiting = 32_768
    /// With so many, a thread begins to write them. Rarely, as that makes the whole file system
    /// write what it holds.
    static let manyWaiting = 8192
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
        self.folder = folder
        store = try ContentStore(folder + "/cas")
        let path = folder + "/results.db"
        // This one makes the table.
        reader = try SharedDatabase(path, migrations: Self.migrations)
        writer = try SharedDatabase(path, migrations: Self.migrations, isLazy: true)
    }

    /// Asks the table.
    func read<T>(_ body: (Database) throws(DatabaseError) -> T) throws(CacheError) -> T {
        try reader.use(body)
    }

    /// Changes the table.
    func write<T>(_ body: (Database) throws(DatabaseError) -> T) throws(CacheError) -> T {
        try writer.use(body)
    }

    // MARK: Looking up

    /// The result of an action, when everything that it relies on is there.
    ///
    /// A result that lacks a blob, or cannot be read, is a miss: executing gives it again. Its log
    /// may be missing: that is no reason to execute anything.
    package func lookup(_ key: ActionKey) throws(CacheError) -> ActionResult? {
        guard let result = try find(key) else { return nil }
        for blob in result.neededBlobs where !store.contains(blob.digest, size: blob.size) {
            return nil
        }
        pending.withLock { _ = $0.used.insert(key) }
        return result
    }

    /// The result of an action, whether or not its blobs are there.
    package func find(_ key: ActionKey) throws(CacheError) -> ActionResult? {
        if let waiting = pending.withLock({ $0.waiting[key]?.result }) { return waiting }
        return try read { database throws(DatabaseError) in
            try database.first(
                "SELECT \(Self.columns) FROM results WHERE key = ?", .init(key.digest.bytes)
            ) { row in Self.result(row, store) }
        } ?? nil
    }

    /// What a result's key was made of; `nil` when there is no such result or it is not kept.
    package func manifest(of key: ActionKey) throws(CacheError) -> Manifest? {
        if let waiting = pending.withLock({ $0.waiting[key]?.manifest }) {
            return Manifest(encoded: waiting)
        }
        let bytes =
            try read { database throws(DatabaseError) in
                try database.first(
                    "SELECT manifest, manifest_digest FROM results WHERE key = ?",
                    .init(key.digest.bytes)
                ) { row in Self.inlined(row, 0, store) }
            } ?? nil
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
        let count = pending.withLock { pending in
            pending.number += 1
            pending.waiting[result.key] = Waiting(
                result: result, manifest: manifest, number: pending.number)
            return pending.waiting.count
        }
        if count >= Self.mostWaiting {
            try flush()
        } else if count >= Self.manyWaiting {
            flushAside()
        }
    }

    /// Writes results on a thread of its own, so that steps go on meanwhile. What fails waits on,
    /// and the next `flush` says so.
    private func flushAside() {
        let (isFree, _) = isFlushingAside.compareExchange(
            expected: false, desired: true, ordering: .acquiringAndReleasing)
        guard isFree else { return }
        var thread = pthread_t()
        let context = Unmanaged.passRetained(self)
        let error = pthread_create(
            &thread, nil,
            { context in
                guard let context else { return nil }
                let cache = Unmanaged<ActionCache>.fromOpaque(context).takeRetainedValue()
                try? cache.flush()
                cache.isFlushingAside.store(false, ordering: .releasing)
                return nil
            }, context.toOpaque())
        if error == 0 {
            pthread_detach(thread)
        } else {
            context.release()
            isFlushingAside.store(false, ordering: .releasing)
        }
    }

    /// How many results are in memory only.
    var waitingCount: Int { pending.withLock { $0.waiting.count } }

    /// Writes all results that wait, and what was used. When it fails everything waits on.
    package func flush() throws(CacheError) {
        let outcome = flushing.withLock { _ in Result { () throws(CacheError) in try writeAll() } }
        try outcome.get()
    }

    private func writeAll() throws(CacheError) {
        let (waiting, used) = pending.withLock { ($0.waiting, $0.used) }
        if waiting.isEmpty && used.isEmpty { return }
        let now = Int64(time(nil))
        var rows: [[Database.Value]] = []
        rows.reserveCapacity(waiting.count)
        for entry in waiting.values { rows.append(try row(entry.result, entry.manifest, now: now)) }
        if !rows.isEmpty { try store.flush() }
        try write { database throws(DatabaseError) in
            try database.transaction { () throws(DatabaseError) in
                let insert = try database.statement(Self.insertion)
                for row in rows { try insert.run(row) }
                let touch = try database.statement("UPDATE results SET used = ? WHERE key = ?")
                for key in used { try touch.run([.integer(now), .blob(key.digest.bytes)]) }
            }
        }
        pending.withLock { pending in
            for (key, entry) in waiting where pending.waiting[key]?.number == entry.number {
                pending.waiting[key] = nil
            }
            pending.used.subtract(used)
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
