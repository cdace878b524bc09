internal import CFiles
internal import CSandbox
internal import Glibc
internal import Synchronization

/// Where a store writes files aside: a folder of its own, on another part of the disk when it gets
/// slow there.
///
/// ext4 gives a new file an inode near its folder and passes over each that was freed within the
/// last minutes, one by one. Restoring thousands of deleted outputs where they were thus takes
/// twenty times as long as making them elsewhere and renaming them.
final class DraftFolder: Sendable {
    /// The folder above, which the folders of all processes are in.
    let above: String
    private let state: Mutex<State>

    private struct State {
        var path: String
        var slowInARow = 0
        var isMade = false
    }

    /// Making a file takes less than a third of it where inodes are free.
    private static let slowNanoseconds: Int64 = 150_000
    private static let mostSlowInARow = 16

    init(in above: String) throws(CacheError) {
        self.above = above
        if mkdir(above, 0o700) != 0, errno != EEXIST { throw .of(errno, "make", above) }
        let folder = open(above, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        if folder < 0 { throw .of(errno, "open", above) }
        danube_spread_folders(folder)
        close(folder)
        state = Mutex(State(path: AtomicFile.aside("\(above)/drafts")))
    }

    deinit { state.withLock { _ = rmdir($0.path) } }

    /// Opens a new file that no other process or thread writes to.
    func create(_ mode: mode_t) throws(CacheError) -> (path: String, file: Int32) {
        let folder = try place()
        let path = AtomicFile.aside("\(folder)/draft")
        let start = Self.processorTime()
        let file = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode)
        if file < 0 { throw .of(errno, "write", path) }
        note(Self.processorTime() - start, in: folder)
        return (path, file)
    }

    /// Of this thread, so that waiting for other processes does not look slow.
    private static func processorTime() -> Int64 {
        var now = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now)
        return Int64(now.tv_sec) * 1_000_000_000 + Int64(now.tv_nsec)
    }

    private func place() throws(CacheError) -> String {
        let (path, error) = state.withLock { state in
            if state.isMade { return (state.path, Int32(0)) }
            if mkdir(state.path, 0o700) != 0, errno != EEXIST { return (state.path, errno) }
            state.isMade = true
            return (state.path, 0)
        }
        if error != 0 { throw .of(error, "make", path) }
        return path
    }

    private func note(_ nanoseconds: Int64, in folder: String) {
        state.withLock { state in
            guard state.path == folder else { return }
            state.slowInARow = nanoseconds > Self.slowNanoseconds ? state.slowInARow + 1 : 0
            if state.slowInARow < Self.mostSlowInARow { return }
            // Empty unless other threads are writing there; then `collect` removes it.
            rmdir(state.path)
            state = State(path: AtomicFile.aside("\(above)/drafts"))
        }
    }
}
