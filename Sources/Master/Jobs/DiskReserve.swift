internal import CFiles
internal import NIOPosix
internal import Synchronization

/// Whether there is room for more work on the disk of the data folder. It is found out again after
/// a moment, so that a master whose disk was full goes on by itself.
final class DiskReserve: Sendable {
    /// There is too little.
    struct Full: Error, Equatable, CustomStringConvertible {
        let path: String
        let free: Int64
        let reserve: Int64

        var description: String {
            "\(Quantities.text(bytes: free)) are free on the disk of \(path), and "
                + "\(Quantities.text(bytes: reserve)) are kept free"
        }

        /// The next action for a person.
        var hint: String { "Free some space, or lower `disk.reserve`: it goes on by itself." }
    }

    /// Bytes of a file system.
    struct Space: Sendable, Equatable {
        var free: Int64
        var total: Int64
    }

    let path: String
    private let least: Atomic<Int64>
    private let threads: NIOThreadPool
    private let known = Mutex<(space: Space, at: ContinuousClock.Instant)?>(nil)
    private static let age = Duration.milliseconds(250)

    init(path: String, reserve: Int64, threads: NIOThreadPool) {
        self.path = path
        least = Atomic(reserve)
        self.threads = threads
    }

    /// The bytes that are kept free; it may change at any time.
    var reserve: Int64 {
        get { least.load(ordering: .relaxed) }
        set { least.store(newValue, ordering: .relaxed) }
    }

    /// Throws when less is free than is to be kept, with room for some bytes more.
    func check(for bytes: Int64 = 0) async throws {
        let reserve = reserve
        guard reserve > 0 || bytes > 0 else { return }
        let free = try await space().free
        guard free >= reserve.addingReportingOverflow(bytes).partialValue else {
            throw Full(path: path, free: free, reserve: reserve)
        }
    }

    /// What is free now, or was a moment ago.
    func space() async throws -> Space {
        let now = ContinuousClock.now
        if let known = known.withLock({ $0 }), now - known.at < Self.age { return known.space }
        let path = path
        let space = try await threads.runIfActive { Self.measure(path) }
        known.withLock { $0 = (space, now) }
        return space
    }

    /// Asks the file system; where it says nothing, all is taken for free.
    static func measure(_ path: String) -> Space {
        var (free, total): (UInt64, UInt64) = (0, 0)
        guard danube_space(path, &free, &total) == 0 else { return Space(free: .max, total: 0) }
        return Space(free: Int64(clamping: free), total: Int64(clamping: total))
    }
}
