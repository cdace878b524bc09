internal import Glibc
internal import PipelineIR
internal import Synchronization

/// What a cache holds.
package struct CacheStatistics: Sendable, Equatable {
    /// Results, and how many of them are pinned.
    package var results = 0
    package var pinned = 0
    /// Blobs, and what they take of the disk, in bytes.
    package var blobs = 0
    package var blobBytes: Int64 = 0
    /// What is kept of jobs with failed steps, for `danube shell`.
    package var failed = FailedJobs.Amount()

    /// Nothing at all.
    package static let empty = CacheStatistics()
}

/// One result as `danube cache ls` shows it.
package struct CacheEntry: Sendable, Equatable {
    package var key: ActionKey
    package var job: String
    package var step: String
    /// Seconds since 1970.
    package var created: Int64
    package var used: Int64
    /// Bytes of its outputs and its log.
    package var size: Int64
    package var isPinned: Bool
}

extension ActionCache {
    /// The results, last used first.
    package func entries(most: Int = .max) throws(CacheError) -> [CacheEntry] {
        try flush()
        return try read { database throws(DatabaseError) in
            try database.rows(
                """
                SELECT key, job, step, created, used, size, pinned FROM results
                ORDER BY used DESC, created DESC, key LIMIT ?
                """, .init(most)
            ) { row in
                Digest(bytes: row.blob(0)).map {
                    CacheEntry(
                        key: ActionKey($0), job: row.text(1), step: row.text(2),
                        created: Int64(row.int(3)), used: Int64(row.int(4)),
                        size: Int64(row.int(5)), isPinned: row.int(6) != 0)
                }
            }
        }.compactMap(\.self)
    }

    /// The keys that begin with some hexadecimal digits, at most `most`.
    package func keys(beginningWith hex: String, most: Int = 2) throws(CacheError) -> [ActionKey] {
        let digits = hex.utf8.allSatisfy {
            (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0)
                || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains($0)
        }
        guard digits, !hex.isEmpty else { return [] }
        try flush()
        return try read { database throws(DatabaseError) in
            try database.rows(
                "SELECT key FROM results WHERE lower(hex(key)) GLOB ? || '*' LIMIT ?",
                .init(hex), .init(most)
            ) { row in Digest(bytes: row.blob(0)).map { ActionKey($0) } }
        }.compactMap(\.self)
    }

    /// Protects a result from `collect`, or no longer. False when there is no such result.
    package func pin(_ key: ActionKey, _ isPinned: Bool = true) throws(CacheError) -> Bool {
        try flush()
        return try write { database throws(DatabaseError) in
            try database.run(
                "UPDATE results SET pinned = ? WHERE key = ?", .init(isPinned ? 1 : 0),
                .init(key.digest.bytes))
            return database.changedRows > 0
        }
    }

    /// Forgets a result. False when there is none.
    package func remove(_ key: ActionKey) throws(CacheError) -> Bool {
        try flush()
        return try write { database throws(DatabaseError) in
            try database.run("DELETE FROM results WHERE key = ?", .init(key.digest.bytes))
            return database.changedRows > 0
        }
    }

    /// How much there is.
    package func statistics() throws(CacheError) -> CacheStatistics {
        try flush()
        var statistics =
            try read { database throws(DatabaseError) in
                try database.first("SELECT count(*), coalesce(sum(pinned), 0) FROM results") {
                    CacheStatistics(results: $0.int(0), pinned: $0.int(1))
                }
            } ?? CacheStatistics()
        statistics.failed = FailedJobs(folder).amount()
        try store.forEachBlob { blob throws(CacheError) in
            statistics.blobs += 1
            statistics.blobBytes += blob.stamp.size
        }
        return statistics
    }
}
