internal import Glibc

/// Waits for more in a job's log, without asking again and again.
package final class LogFollower {
    private let reader: LogReader
    private let notifier: Int32
    private var isFirst = true
    private var isDead = false

    /// What a wait ended with.
    package enum Change: Sendable {
        /// There may be more to read.
        case more
        /// The job has ended, and all of its log was read.
        case ended
        /// The process that wrote it was killed, and all that it wrote was read.
        case interrupted
    }

    /// How long a file system that reports nothing is trusted.
    private static let patienceMilliseconds: Int32 = 1000

    /// Follows what a reader reads.
    package init(_ reader: LogReader) throws(LogError) {
        self.reader = reader
        notifier = inotify_init1(Int32(IN_CLOEXEC | IN_NONBLOCK))
        guard notifier >= 0 else { throw JobLog.problem(errno, reader.path, opening: true) }
        let events = UInt32(IN_MODIFY | IN_CLOSE_WRITE | IN_DELETE_SELF)
        guard inotify_add_watch(notifier, reader.path, events) >= 0 else {
            let code = errno
            close(notifier)
            throw JobLog.problem(code, reader.path, opening: true)
        }
    }

    deinit { close(notifier) }

    /// Waits until there may be more than the reader has read, which is everything so far.
    ///
    /// What came between the last read and the first wait is not waited for: it returns at once.
    package func wait() -> Change {
        if reader.hasEnded { return .ended }
        if isFirst {
            isFirst = false
            return .more
        }
        if isDead { return .interrupted }
        // Once nobody writes it any more, one more read gets the rest.
        isDead = !reader.isWritten
        if isDead { return .more }
        var ready = pollfd(fd: notifier, events: Int16(POLLIN), revents: 0)
        poll(&ready, 1, Self.patienceMilliseconds)
        var events = [UInt8](repeating: 0, count: 4096)
        while read(notifier, &events, events.count) > 0 {}
        return .more
    }
}
