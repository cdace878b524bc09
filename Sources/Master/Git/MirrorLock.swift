internal import Glibc

/// A mirror, held by one master and its git at a time. The kernel frees it when the last of them is
/// gone, also one that was killed.
final class MirrorLock: Sendable {
    /// An open file without anything in it.
    let descriptor: Int32
    private static let pauseMicroseconds: UInt32 = 50_000

    /// Takes it; waits for so long at most.
    init(_ path: String, seconds: Int, until stop: StopSignal) throws(SourceMirror.Problem) {
        let file = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard file >= 0 else { throw .system("open \(path)", errno: errno) }
        let end = ContinuousClock.now + .seconds(seconds)
        while flock(file, LOCK_EX | LOCK_NB) != 0 {
            let problem: SourceMirror.Problem? =
                if errno != EWOULDBLOCK && errno != EINTR {
                    .system("lock \(path)", errno: errno)
                } else if stop.isStopped {
                    .stopped
                } else if ContinuousClock.now > end {
                    .tooLong(seconds: seconds)
                } else {
                    nil
                }
            if let problem {
                close(file)
                throw problem
            }
            usleep(Self.pauseMicroseconds)
        }
        descriptor = file
    }

    deinit { close(descriptor) }
}
