internal import Glibc
internal import PipelineIR
internal import Synchronization

/// What a collection removed, or would remove.
package struct CacheCollection: Sendable, Equatable {
    package var results = 0
    package var blobs = 0
    /// Jobs whose failed steps can no longer be looked at.
    package var failedJobs = 0
    /// Bytes of blobs and of workspaces of failed steps.
    package var bytes: Int64 = 0
    /// Bytes that are left.
    package var keptBytes: Int64 = 0

    /// Of a cache with nothing in it.
    package static let empty = CacheCollection()
}

extension ActionCache {
    /// Blobs that are younger may belong to results that another process is about to commit.
    package static let graceSeconds: Int64 = 3600

    /// Removes results that were not used for longest, and all blobs that no result needs, until
    /// what is left is within a budget. Pinned results stay, also beyond it.
    ///
    /// - Parameters:
    ///   - budgetBytes: for outputs, logs and large manifests together, each content counted once.
    ///   - removes: false to only say what would be removed.
    ///   - graceSeconds: how old an unneeded blob must be to be removed.
    package func collect(
        budgetBytes: Int64, removes: Bool = true,
        graceSeconds: Int64 = ActionCache.graceSeconds
    ) throws(CacheError) -> CacheCollection {
        try flush()
        var now = timespec()
        clock_gettime(CLOCK_REALTIME, &now)
        let limit = (Int64(now.tv_sec) - graceSeconds) * 1_000_000_000 + Int64(now.tv_nsec)
        var (needed, dropped) = try choose(budgetBytes)
        var collection = CacheCollection(results: dropped.count)
        let failed = FailedJobs(folder)
        let old = failed.collect(
            budgetBytes: FailedJobs.budget(ofCache: budgetBytes), removes: removes)
        collection.failedJobs = old.jobs
        collection.bytes = old.bytes
        // What will go is still there when nothing is removed.
        needed.formUnion(failed.neededBlobs())
        if removes { try forget(dropped) }
        dropped = []
        try store.forEachBlob { blob throws(CacheError) in
            if needed.contains(blob.digest) || blob.stamp.changed >= limit {
                collection.keptBytes += blob.stamp.size
                return
            }
            if removes, unlink(blob.path) != 0, errno != ENOENT {
                throw .of(errno, "remove", blob.path)
            }
            collection.blobs += 1
            collection.bytes += blob.stamp.size
        }
        needed = []
        if removes { try store.removeOldDrafts(olderThan: limit) }
        return collection
    }

    /// The blobs that stay, and the results that go.
    private func choose(
        _ budgetBytes: Int64
    ) throws(CacheError) -> (needed: Set<Digest>, dropped: [[UInt8]]) {
        var needed: Set<Digest> = []
        var dropped: [[UInt8]] = []
        var total: Int64 = 0
        var isOver = false
        let statement = """
            SELECT \(Self.columns), manifest_digest, pinned FROM results
            ORDER BY pinned DESC, used DESC, created DESC, key
            """
        try read { database throws(DatabaseError) in
            try database.statement(statement).forEach([]) { row in
                var blobs = Self.result(row, store)?.blobs
                // Trees and manifests beside the table are small against what they name.
                for column in [1, 10] {
                    if let digest = Digest(bytes: row.blob(column)) {
                        blobs?.append(ContentStore.Blob(digest: digest, size: 0))
                    }
                }
                let added = (blobs ?? []).filter { !needed.contains($0.digest) }
                let size = Set(added).reduce(0) { $0 + $1.size }
                let isPinned = row.int(11) != 0
                isOver = isOver || (!isPinned && total + size > budgetBytes)
                // A result that cannot be read is of no use to anybody.
                if blobs == nil || (isOver && !isPinned) {
                    dropped.append(row.blob(9))
                } else {
                    total += size
                    needed.formUnion(added.map(\.digest))
                }
                return true
            }
        }
        return (needed, dropped)
    }

    private func forget(_ keys: [[UInt8]]) throws(CacheError) {
        if keys.isEmpty { return }
        try write { database throws(DatabaseError) in
            try database.transaction { () throws(DatabaseError) in
                let delete = try database.statement("DELETE FROM results WHERE key = ?")
                for key in keys { try delete.run([.blob(key)]) }
            }
        }
    }
}
