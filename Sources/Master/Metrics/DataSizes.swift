internal import Glibc
internal import NIOPosix
internal import Synchronization

internal import class Executor.CacheUsage
internal import class Executor.ContentStore

/// How much room a data folder takes. It looks at every job, so it does so seldom.
final class DataSizes: Sendable {
    /// Bytes.
    struct Sizes: Sendable, Equatable {
        /// The database with its write-ahead log.
        var database: Int64 = 0
        /// The logs of all jobs.
        var logs: Int64 = 0
        /// The cache of the results of the master's own jobs, about.
        var cache: Int64 = 0
        /// The cache for others.
        var shared: Int64 = 0
    }

    private let folder: String
    private let cacheFolder: String
    private let shared: ContentStore
    private let threads: NIOThreadPool
    private let known = Mutex<(sizes: Sizes, at: ContinuousClock.Instant)?>(nil)
    private let knownShared = Mutex<(bytes: Int64, at: ContinuousClock.Instant)?>(nil)
    private static let age = Duration.seconds(60)
    /// How old what takes a look at each content of a cache may be.
    private static let ageOfWalk = Duration.seconds(600)

    init(folder: String, cacheFolder: String, shared: ContentStore, threads: NIOThreadPool) {
        self.folder = folder
        self.cacheFolder = cacheFolder
        self.shared = shared
        self.threads = threads
    }

    /// The sizes, as they were within the last minute, or ten for the cache for others.
    func sizes() async throws -> Sizes {
        let now = ContinuousClock.now
        if let known = known.withLock({ $0 }), now - known.at < Self.age { return known.sizes }
        let (folder, cacheFolder) = (folder, cacheFolder)
        var sizes = try await threads.runIfActive {
            var sizes = Self.measure(folder)
            sizes.cache = CacheUsage.countedBytes(in: cacheFolder) ?? 0
            return sizes
        }
        sizes.shared = try await sharedBytes(now)
        known.withLock { $0 = (sizes, now) }
        return sizes
    }

    private func sharedBytes(_ now: ContinuousClock.Instant) async throws -> Int64 {
        if let known = knownShared.withLock({ $0 }), now - known.at < Self.ageOfWalk {
            return known.bytes
        }
        let shared = shared
        let bytes = try await threads.runIfActive {
            var bytes: Int64 = 0
            try shared.forEachBlob { bytes = bytes.addingReportingOverflow($0.size).partialValue }
            return bytes
        }
        knownShared.withLock { $0 = (bytes, now) }
        return bytes
    }

    static func measure(_ folder: String) -> Sizes {
        var sizes = Sizes()
        for name in ["", "-wal", "-shm"] {
            sizes.database += size("\(folder)/\(MasterDatabase.fileName)\(name)")
        }
        guard let jobs = opendir("\(folder)/jobs") else { return sizes }
        defer { closedir(jobs) }
        while let entry = readdir(jobs) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            sizes.logs += size("\(folder)/jobs/\(name)/log")
        }
        return sizes
    }

    private static func size(_ path: String) -> Int64 { (try? FileFacts(of: path))?.size ?? 0 }
}
