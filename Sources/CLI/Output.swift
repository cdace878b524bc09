import Glibc

/// Writes reports to descriptors, whole and at once.
enum Output {
    /// Writes to standard output.
    static func out(_ buffer: TextBuffer) { write(buffer.bytes, to: STDOUT_FILENO) }

    /// Writes to standard error.
    static func err(_ buffer: TextBuffer) { write(buffer.bytes, to: STDERR_FILENO) }

    /// Writes a line to standard error.
    static func err(_ line: String) { write(Array((line + "\n").utf8), to: STDERR_FILENO) }

    /// Writes all bytes. A reader that went away (`danube plan | head`) ends the program quietly,
    /// as it ends every filter; any other failure ends it with status 3.
    static func write(_ bytes: [UInt8], to descriptor: Int32) {
        bytes.withUnsafeBytes { all in
            var rest = all[...]
            while let base = UnsafeRawBufferPointer(rebasing: rest).baseAddress, !rest.isEmpty {
                let count = Glibc.write(descriptor, base, rest.count)
                if count >= 0 {
                    rest = rest.dropFirst(count)
                } else if errno == EPIPE {
                    exit(0)
                } else if errno == EAGAIN {
                    var entry = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
                    _ = poll(&entry, 1, -1)
                } else if errno != EINTR {
                    let reason = FileBytes.reason(errno)
                    if descriptor == STDERR_FILENO { exit(3) }
                    let name = descriptor == STDOUT_FILENO ? "standard output" : "the file"
                    Failure.environment("cannot write \(name): \(reason)").end()
                }
            }
        }
    }
}
