import Executor
import Glibc

/// The journal of a job: lines of JSON, only ever added to, from which a master learns what has
/// become of it. Whoever holds its lock is the only engine of the job.
final class JournalFile: ByteSink {
    static let name = "journal"

    private let descriptor: Int32
    private let path: String
    /// Why nothing can be written any more.
    private(set) var failure: Int32?

    /// Others hold the lock for as long as a look at the file takes.
    private static let lockTries = 1000
    private static let lockPauseMicroseconds: UInt32 = 2000

    /// Opens and locks it. The lock ends with the last process that has inherited it.
    ///
    /// - Parameter size: the bytes that it had when the engine was asked for. If there are others,
    ///   a master after that one has gone on without this engine.
    init(folder: String, size: Int?) throws(Failure) {
        path = "\(folder)/\(Self.name)"
        descriptor = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else {
            throw .environment("cannot write \(path): \(FileBytes.reason(errno))")
        }
        var tries = 1
        while flock(descriptor, LOCK_EX | LOCK_NB) != 0 {
            guard tries < Self.lockTries else {
                close(descriptor)
                throw .environment("\(path): another engine runs this job")
            }
            tries += 1
            usleep(Self.lockPauseMicroseconds)
        }
        let found = Int(lseek(descriptor, 0, SEEK_END))
        if let size, found != size {
            close(descriptor)
            throw .environment("\(path): the job has gone on without this engine")
        }
        // What an engine before this one had begun to write is a line of its own.
        if found > 0 { send([0x0a]) }
    }

    func send(_ bytes: [UInt8]) {
        bytes.withUnsafeBytes { all in
            var rest = all[...]
            while failure == nil, !rest.isEmpty {
                let count = write(
                    descriptor, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
                if count >= 0 {
                    rest = rest.dropFirst(count)
                } else if errno != EINTR {
                    failure = errno
                }
            }
        }
    }

    func push() -> Bool { true }

    /// Leaves it to a process that was forked meanwhile.
    func abandon() { close(descriptor) }

    func finish() { sync() }

    /// Waits until all that was sent is on the disk.
    func sync() {
        if failure == nil, fdatasync(descriptor) != 0 { failure = errno }
    }

    /// Throws when something that was sent may not be there.
    func check() throws(Failure) {
        guard let failure else { return }
        throw .environment("cannot write \(path): \(FileBytes.reason(failure))")
    }
}
