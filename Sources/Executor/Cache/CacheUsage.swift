internal import Glibc

/// Who uses a cache, and about how much it holds.
///
/// Every run shares a lock for as long as it lives; what removes blobs has it alone, so that it
/// takes nothing that a run relies on. The number of bytes is counted on by each run and is exact
/// after a collection.
package final class CacheUsage {
    /// Bytes that a cache may take where nobody says otherwise: 10 GiB.
    package static let defaultBudget: Int64 = 10 << 30

    private let folder: String
    private let lock: Int32

    private struct Count {
        var bytes: Int64
        /// Bytes that the last collection left.
        var kept: Int64
    }

    /// Begins to use the cache in a folder that is there. Waits while somebody collects.
    package init(_ folder: String) throws(CacheError) {
        self.folder = folder
        lock = open("\(folder)/in-use", O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        if lock < 0 { throw .of(errno, "open", "\(folder)/in-use") }
        share()
        // A cache that is new needs no walk to be counted.
        if access("\(folder)/usage", F_OK) != 0, Self.isEmpty("\(folder)/cas/sha256") {
            try AtomicFile.write(Array("0 0\n".utf8), to: "\(folder)/usage")
        }
    }

    deinit { close(lock) }

    /// Counts what was put into the store, and collects when the cache has grown over a budget and
    /// nobody else uses it: down to four fifths, so that not every run collects. Gives what was
    /// removed; `nil` when nothing had to be.
    package func grow(
        _ cache: ActionCache, budgetBytes: Int64?
    ) throws(CacheError) -> CacheCollection? {
        let added = cache.store.addedBytes
        let file = open("\(folder)/usage", O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        if file < 0 { throw .of(errno, "open", "\(folder)/usage") }
        defer { close(file) }
        flock(file, LOCK_EX)
        guard var count = Self.read(file) else {
            let bytes = try cache.statistics().blobBytes
            try write(Count(bytes: bytes, kept: 0), file)
            return try collectIfOver(Count(bytes: bytes, kept: 0), cache, budgetBytes, file)
        }
        if added == 0, count.bytes <= budgetBytes ?? .max { return nil }
        count.bytes = count.bytes.addingReportingOverflow(added).partialValue
        try write(count, file)
        return try collectIfOver(count, cache, budgetBytes, file)
    }

    /// About how many bytes it holds; `nil` where that was never counted.
    package func countedBytes() -> Int64? { Self.countedBytes(in: folder) }

    /// About how many bytes the cache in a folder holds; `nil` where that was never counted.
    package static func countedBytes(in folder: String) -> Int64? {
        let file = open("\(folder)/usage", O_RDONLY | O_CLOEXEC)
        if file < 0 { return nil }
        defer { close(file) }
        return read(file)?.bytes
    }

    /// Removes what was not used for longest until a budget is kept.
    ///
    /// - Returns: `nil` when another process uses the cache.
    package func collect(
        _ cache: ActionCache, budgetBytes: Int64
    ) throws(CacheError) -> CacheCollection? {
        let file = open("\(folder)/usage", O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        if file < 0 { throw .of(errno, "open", "\(folder)/usage") }
        defer { close(file) }
        flock(file, LOCK_EX)
        return try collect(cache, budgetBytes, file)
    }

    private func collectIfOver(
        _ count: Count, _ cache: ActionCache, _ budget: Int64?, _ file: Int32
    ) throws(CacheError) -> CacheCollection? {
        // What is pinned can be more than the budget: only what came since could be removed.
        guard let budget, count.bytes > budget, count.bytes - count.kept > budget / 20 else {
            return nil
        }
        return try collect(cache, budget / 5 * 4, file)
    }

    private func collect(
        _ cache: ActionCache, _ budget: Int64, _ file: Int32
    ) throws(CacheError) -> CacheCollection? {
        guard flock(lock, LOCK_EX | LOCK_NB) == 0 else {
            share()
            return nil
        }
        defer { share() }
        // Alone, so that a blob which no result needs is not about to be needed by one.
        let collection = try cache.collect(budgetBytes: budget, graceSeconds: 0)
        let kept = collection.keptBytes
        try write(Count(bytes: kept, kept: kept), file)
        return collection
    }

    private static func isEmpty(_ folder: String) -> Bool {
        guard let listing = opendir(folder) else { return false }
        defer { closedir(listing) }
        var names = 0
        while names < 3, readdir(listing) != nil { names += 1 }
        return names < 3
    }

    private func share() { while flock(lock, LOCK_SH) != 0, errno == EINTR {} }

    // MARK: The count

    private static func read(_ file: Int32) -> Count? {
        var buffer = [UInt8](repeating: 0, count: 64)
        let got = pread(file, &buffer, buffer.count, 0)
        guard got > 0 else { return nil }
        let words = String(decoding: buffer[..<got], as: UTF8.self).split {
            $0 == " " || $0 == "\n"
        }
        guard words.count == 2, let bytes = Int64(words[0]), let kept = Int64(words[1]),
            bytes >= 0, kept >= 0
        else { return nil }
        return Count(bytes: bytes, kept: kept)
    }

    private func write(_ count: Count, _ file: Int32) throws(CacheError) {
        let bytes = Array("\(count.bytes) \(count.kept)\n".utf8)
        guard ftruncate(file, 0) == 0, pwrite(file, bytes, bytes.count, 0) == bytes.count else {
            throw .of(errno, "write", "\(folder)/usage")
        }
    }
}
