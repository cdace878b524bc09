internal import Executor
internal import Glibc
internal import NIOCore
internal import NIOPosix
internal import PipelineIR

internal import struct Executor.Timestamp

/// The cache that the master serves to others: contents by their digests in a store of its own, and
/// what they say of actions in the database. What comes from outside never meets the results of the
/// master's own jobs.
struct SharedCache: Sendable {
    let store: ContentStore
    let database: MasterDatabase
    let threads: NIOThreadPool
    let disk: DiskReserve
    let uses = CacheUses()

    /// The folder in the data folder.
    static let folderName = "shared-cache"
    /// Whose entries they are: those of all who have a token.
    private static let scope = "http"
    /// The most bytes of what is said of an action.
    static let mostResultBytes = 4 << 20

    /// The content of a digest; `nil` when it is not there.
    func content(_ digest: Digest) async throws -> BlobReader? {
        let path = store.path(of: digest)
        let reader: BlobReader? = try await threads.runIfActive {
            do {
                return try BlobReader(path: path, digest: digest)
            } catch ArtifactProblem.system(_, _, ENOENT) {
                return nil
            }
        }
        uses.count(.contents, isHit: reader != nil)
        return reader
    }

    /// Keeps a content that comes in parts; `false` when it is not that of the digest.
    func keep<Parts: AsyncSequence>(
        _ parts: Parts, as digest: Digest, size: Int64
    ) async throws -> Bool where Parts.Element == ByteBuffer {
        try await disk.check(for: size)
        let store = store
        let upload = try await threads.runIfActive { try BlobUpload(to: store) }
        for try await part in parts {
            try await disk.check()
            try await threads.runIfActive {
                try part.withUnsafeReadableBytes { try upload.add($0) }
            }
        }
        return try await threads.runIfActive { try upload.finish(as: digest) }
    }

    /// What is said of an action; `nil` when nothing is.
    func result(_ key: Digest) async throws -> [UInt8]? {
        let entry = try await database.cacheEntry(key, scope: Self.scope)
        uses.count(.results, isHit: entry != nil)
        guard let entry else { return nil }
        database.noteUseAside(of: entry, scope: Self.scope)
        return entry.result
    }

    /// Keeps what is said of an action, after the contents that it may speak of are on the disk.
    func keep(_ result: [UInt8], for key: Digest) async throws {
        try await disk.check(for: Int64(result.count))
        let store = store
        try await threads.runIfActive { try store.flush() }
        try await database.putCacheEntry(result, key, scope: Self.scope)
    }
}
