internal import FoundationEssentials
internal import GRDB
internal import PipelineIR

internal import struct Executor.Timestamp

/// What others said of an action.
struct CacheEntry: Sendable, Equatable {
    var key: Digest
    var result: [UInt8]
    /// When it was last asked for, to an hour.
    var used: Timestamp
}

extension MasterDatabase {
    /// How old the time of last use may be before it is written again.
    private static let useMilliseconds: Int64 = 3_600_000

    /// What is said of an action in a scope; `nil` when nothing is.
    func cacheEntry(
        _ key: Digest, scope: String
    ) async throws(MasterDatabaseError) -> CacheEntry? {
        try await read { connection in
            let statement = try connection.cachedStatement(
                sql: "SELECT result, used FROM cache_entries WHERE scope = ? AND key = ?")
            guard let row = try Row.fetchOne(statement, arguments: [scope, key.blob]) else {
                return nil
            }
            var fields = Fields(row, of: "cache_entries")
            return CacheEntry(key: key, result: try fields.bytes(), used: try fields.time())
        }
    }

    /// Keeps what is said of an action in a scope; what was said before is replaced.
    func putCacheEntry(
        _ result: [UInt8], _ key: Digest, scope: String, at time: Timestamp = .now()
    ) async throws(MasterDatabaseError) {
        try await write {
            try $0.run(
                """
                INSERT INTO cache_entries (scope, key, result, bytes, created, used)
                VALUES (?1, ?2, ?3, ?4, ?5, ?5)
                ON CONFLICT (scope, key) DO UPDATE SET result = excluded.result,
                    bytes = excluded.bytes, created = excluded.created, used = excluded.used
                """,
                [scope, key.blob, Data(result), result.count, time.sinceEpoch])
        }
    }

    /// Records that an entry was asked for, unless that was recorded within the last hour.
    func noteUse(
        of entry: CacheEntry, scope: String, at time: Timestamp = .now()
    ) async throws(MasterDatabaseError) {
        guard Self.isDue(entry, time) else { return }
        try await write { try $0.noteUse(of: entry, scope: scope, at: time) }
    }

    /// The same, without anybody who waits for it.
    func noteUseAside(of entry: CacheEntry, scope: String, at time: Timestamp = .now()) {
        guard Self.isDue(entry, time) else { return }
        writeAside { try $0.noteUse(of: entry, scope: scope, at: time) }
    }

    private static func isDue(_ entry: CacheEntry, _ time: Timestamp) -> Bool {
        entry.used.sinceEpoch <= time.sinceEpoch - useMilliseconds
    }
}

extension WriteTransaction {
    fileprivate func noteUse(of entry: CacheEntry, scope: String, at time: Timestamp) throws {
        try run(
            "UPDATE cache_entries SET used = ? WHERE scope = ? AND key = ?",
            [time.sinceEpoch, scope, entry.key.blob])
    }
}
