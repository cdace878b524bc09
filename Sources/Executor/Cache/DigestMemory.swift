internal import CFiles
internal import Glibc
package import PipelineIR
internal import Synchronization

/// The digests of files by what the file system says of them, so that an unchanged file is read
/// once only.
///
/// A file is taken for unchanged when its inode, size, mode, and times of modification and of
/// change are the same. The last one is the kernel's: it cannot be put back. Where the file
/// system's times are so coarse that a write right after the hashing could leave the same time, the
/// digest is only believed when the file had rested for longer than a tick when it was read. One
/// memory belongs to one folder; it can be used from several threads.
package final class DigestMemory: Sendable {
    /// How long a file must have rested before it was read for its digest to be believed.
    enum Guard: Sendable, Equatable {
        /// Every change leaves another time.
        case none
        case nanoseconds(Int64)
    }

    private struct State {
        var saved: DigestRecords
        var used: [Bool]
        /// Whether `saved` was read.
        var isRead = true
        var fresh: [TreePath: (stamp: FileStamp, digest: Digest)] = [:]
        var hits = 0
        var misses = 0
    }

    /// A smaller file is read sooner than the memory.
    private static let smallBytes: Int64 = 1 << 20

    private let file: String
    /// Asking costs some writes, and many memories are never asked.
    private let pause: LazyPause
    private let state: Mutex<State>

    /// Reads the memory of a folder.
    ///
    /// - Parameters:
    ///   - file: where it is kept between runs; one that is missing or damaged counts as empty.
    ///   - folder: the folder that the paths are beneath, asked for how fine its times are.
    ///   - isForLittle: whether a few paths only will be asked for; then the memory is not read
    ///     before a large file is among them.
    package convenience init(file: String, folder: Folder, isForLittle: Bool = false) {
        self.init(file: file, pause: LazyPause(folder), isForLittle: isForLittle)
    }

    /// Reads the memory of a repository, which is a file of a cache.
    convenience init(
        of root: String, folder: Folder, cacheFolder: String, isForLittle: Bool = false
    ) {
        self.init(
            file: "\(cacheFolder)/digests/\(Digest(ofUTF8: root).hex)", folder: folder,
            isForLittle: isForLittle)
    }

    convenience init(file: String, pause: Guard, isForLittle: Bool = false) {
        self.init(file: file, pause: LazyPause(known: pause), isForLittle: isForLittle)
    }

    private init(file: String, pause: LazyPause, isForLittle: Bool) {
        self.file = file
        self.pause = pause
        if isForLittle {
            state = Mutex(State(saved: .empty, used: [], isRead: false))
            return
        }
        let saved = DigestRecords.read(file)
        let used = [Bool](repeating: false, count: saved.count)
        state = Mutex(State(saved: saved, used: used))
    }

    static func pause(for folder: Folder) -> Guard {
        if danube_has_fine_times(folder.descriptor) == 1 { return .none }
        if danube_has_kernel_ticks(folder.descriptor) == 1 { return .nanoseconds(20_000_000) }
        return foreign
    }

    /// Of file systems nothing is known of: FAT counts in steps of two seconds.
    private static let foreign = Guard.nanoseconds(2_100_000_000)

    /// The digest of a file, if it is unchanged since it was read.
    package func digest(of path: TreePath, _ stamp: FileStamp) -> Digest? {
        state.withLock { state in
            if let fresh = state.fresh[path] {
                if fresh.stamp == stamp {
                    state.hits += 1
                    return fresh.digest
                }
                state.misses += 1
                return nil
            }
            if !state.isRead, stamp.size >= Self.smallBytes {
                state.saved = DigestRecords.read(file)
                state.used = [Bool](repeating: false, count: state.saved.count)
                state.isRead = true
            }
            if let index = state.saved.index(of: path) {
                state.used[index] = true
                if state.saved.holds(index, stamp) {
                    state.hits += 1
                    return state.saved.digest(index)
                }
            }
            state.misses += 1
            return nil
        }
    }

    /// Whether a stamp that was just taken tells every later change.
    func isSettled(_ stamp: FileStamp) -> Bool {
        guard case .nanoseconds(let pause) = pause.value else { return true }
        let changed = max(stamp.modified, stamp.changed)
        let (rested, overflow) = Self.clock().subtractingReportingOverflow(changed)
        return !overflow && rested > pause
    }

    /// Remembers the digest of a file.
    ///
    /// - Parameters:
    ///   - stamp: the same before and after the file was read.
    ///   - readAt: `clock()` before the file was opened.
    ///   - isOnSameDevice: whether the file is on the folder's own file system.
    package func remember(
        _ digest: Digest, of path: TreePath, _ stamp: FileStamp, readAt: Int64,
        isOnSameDevice: Bool = true
    ) {
        if case .nanoseconds(let pause) = isOnSameDevice ? pause.value : Self.foreign {
            let changed = max(stamp.modified, stamp.changed)
            let (rested, overflow) = readAt.subtractingReportingOverflow(changed)
            if overflow || rested <= pause { return }
        }
        state.withLock { $0.fresh[path] = (stamp, digest) }
    }

    /// Now, by the clock that file systems take their times from.
    package static func clock() -> Int64 { danube_file_clock() }

    /// How many questions were answered, and how many were not.
    package var counts: (hits: Int, misses: Int) {
        state.withLock { ($0.hits, $0.misses) }
    }

    /// Writes what was learnt, if anything was. Throws when the disk does not take it; nothing is
    /// lost then that could not be computed again. The last of two processes wins.
    package func save() throws(CacheError) {
        let bytes: [UInt8]? = state.withLock { state in
            // What was not read is not written again for the sake of a few small files.
            if state.fresh.isEmpty || !state.isRead { return nil }
            return state.saved.encoded(used: state.used, adding: state.fresh)
        }
        guard let bytes else { return }
        try AtomicFile.write(bytes, to: file)
        state.withLock { state in
            state.saved = DigestRecords(bytes) ?? .empty
            state.used = [Bool](repeating: true, count: state.saved.count)
            state.fresh = [:]
        }
    }
}

/// How fine a folder's times are, found out when it is first asked.
private final class LazyPause: Sendable {
    private let folder: Folder?
    private let known: Mutex<DigestMemory.Guard?>

    init(_ folder: Folder) {
        self.folder = folder
        known = Mutex(nil)
    }

    init(known: DigestMemory.Guard) {
        folder = nil
        self.known = Mutex(known)
    }

    var value: DigestMemory.Guard {
        known.withLock { known in
            if let known { return known }
            let found = folder.map { DigestMemory.pause(for: $0) } ?? .none
            known = found
            return found
        }
    }
}
