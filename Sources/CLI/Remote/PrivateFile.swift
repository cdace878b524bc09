import Glibc

/// Files of mode 0600 that are there whole or not at all.
enum PrivateFile {
    /// Replaces a file. Throws, and leaves what was there, when it cannot be written.
    static func write(_ bytes: [UInt8], to path: String) throws(Failure) {
        let name = "\(path).\(getpid())-\(UInt64.random(in: 0 ... .max))"
        let file = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard file >= 0 else {
            throw .environment("cannot write \(path): \(FileBytes.reason(errno))")
        }
        var problem = bytes.withUnsafeBytes { put($0, file) }
        if problem == 0, fsync(file) != 0 { problem = errno }
        close(file)
        if problem == 0, rename(name, path) != 0 { problem = errno }
        guard problem == 0 else {
            unlink(name)
            throw .environment("cannot write \(path): \(FileBytes.reason(problem))")
        }
    }

    /// Writes all bytes; gives 0, or the number of the error.
    static func put(_ bytes: UnsafeRawBufferPointer, _ file: Int32) -> Int32 {
        var rest = bytes[...]
        while !rest.isEmpty {
            let part = UnsafeRawBufferPointer(rebasing: rest)
            let count = Glibc.write(file, part.baseAddress, part.count)
            if count > 0 {
                rest = rest.dropFirst(count)
            } else if count == 0 || errno != EINTR {
                return count == 0 ? EIO : errno
            }
        }
        return 0
    }
}
