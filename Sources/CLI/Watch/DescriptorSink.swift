import Glibc

/// Writes to a descriptor without making the run wait: while a pipe is full or a terminal is
/// stopped, up to a mebibyte is held back.
///
/// The descriptor stays in blocking mode, since its mode is shared with the programs that
/// inherited it; it is asked before each write instead.
final class DescriptorSink: ByteSink {
    /// Bytes that are held back before `send` waits.
    static let bound = 1 << 20

    private let descriptor: Int32
    /// How much may be written at once when the descriptor says that it takes more.
    private let piece: Int
    private var waiting: [UInt8] = []
    private var written = 0
    /// Why nothing can be written any more; what is sent then is dropped.
    private(set) var failure: Int32?

    init(descriptor: Int32) {
        self.descriptor = descriptor
        var status = stat()
        let known = fstat(descriptor, &status) == 0
        let kind = known ? status.st_mode & S_IFMT : S_IFIFO
        // A pipe that says it is writable takes PIPE_BUF bytes; a terminal gets a frame whole.
        piece = kind == S_IFIFO || kind == S_IFSOCK ? 4096 : .max
    }

    func send(_ bytes: [UInt8]) {
        if failure != nil { return }
        if waiting.isEmpty { waiting = bytes } else { waiting += bytes }
        _ = drain(atMost: waiting.count - written > Self.bound ? Self.bound / 2 : nil)
    }

    func push() -> Bool { drain(atMost: nil) }

    func finish() { _ = drain(atMost: 0) }

    /// Writes; waits until no more than `limit` bytes are left, or not at all.
    private func drain(atMost limit: Int?) -> Bool {
        while written < waiting.count, failure == nil {
            let left = waiting.count - written
            let mustWait = limit.map { left > $0 } ?? false
            var entry = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
            let ready = poll(&entry, 1, mustWait ? -1 : 0)
            if ready == 0 { break }
            if ready < 0 {
                if errno != EINTR { failure = errno }
                continue
            }
            write(min(left, piece))
        }
        if failure != nil || written == waiting.count {
            waiting.removeAll(keepingCapacity: waiting.count < Self.bound / 4)
            written = 0
        } else if written > Self.bound {
            waiting.removeFirst(written)
            written = 0
        }
        return waiting.isEmpty
    }

    private func write(_ count: Int) {
        let done = waiting.withUnsafeBytes { all in
            Glibc.write(descriptor, all.baseAddress.map { $0 + written }, count)
        }
        if done >= 0 {
            written += done
        } else if errno != EINTR, errno != EAGAIN {
            failure = errno
        }
    }
}
