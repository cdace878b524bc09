internal import Glibc
internal import NIOPosix
internal import Synchronization

/// How much room a data folder takes. It looks at every job, so it does so once a minute at most.
final class DataSizes: Sendable {
    /// Bytes.
    struct Sizes: Sendable, Equatable {
        /// The database with its write-ahead log.
        var database: Int64 = 0
        /// The logs of all jobs.
        var logs: Int64 = 0
    }

    private let folder: String
    private let threads: NIOThreadPool
    private let known = Mutex<(sizes: Sizes, at: ContinuousClock.Instant)?>(nil)
    private static let age = Duration.seconds(60)

    init(folder: String, threads: NIOThreadPool) {
        self.folder = folder
        self.threads = threads
    }

    /// The sizes, as they were within the last minute.
    func sizes() async throws -> Sizes {
        let now = ContinuousClock.now
        if let known = known.withLock({ $0 }), now - known.at < Self.age { return known.sizes }
        let folder = folder
        let sizes = try await threads.runIfActive { Self.measure(folder) }
        known.withLock { $0 = (sizes, now) }
        return sizes
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
