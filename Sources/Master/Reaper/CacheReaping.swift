internal import Executor

/// Keeps the cache of the master's own jobs below its size. It waits for the disk.
struct CacheReaping {
    let folder: String
    let mostBytes: Int64

    /// What came of it.
    enum End: Sendable {
        /// It is small enough.
        case small
        /// Somebody uses it, so nothing was removed.
        case inUse(isFarOver: Bool)
        case done(CacheCollection)
    }

    /// Collects down to four fifths of the size, so that not every run has to.
    func run() throws -> End {
        let usage = try CacheUsage(folder)
        let cache = try ActionCache(folder)
        let bytes = try usage.countedBytes() ?? cache.statistics().blobBytes
        guard bytes > mostBytes else { return .small }
        guard let done = try usage.collect(cache, budgetBytes: mostBytes / 5 * 4) else {
            return .inUse(isFarOver: bytes - mostBytes > mostBytes / 4)
        }
        return .done(done)
    }

    /// What would be removed; `nil` where it is small enough.
    func survey() throws -> ReapItem? {
        let cache = try ActionCache(folder)
        guard try cache.statistics().blobBytes > mostBytes else { return nil }
        let found = try cache.collect(
            budgetBytes: mostBytes / 5 * 4, removes: false, graceSeconds: 0)
        return ReapItem(
            kind: .cache, name: "\(found.results) results, \(found.blobs) contents",
            bytes: found.bytes, reason: .size)
    }
}
