import Glibc

/// Files and pipes, read whole and within a bound.
enum FileBytes {
    /// Reads a file, or standard input for `-`. Never holds more than `limit` bytes and one chunk.
    static func read(_ path: String, limit: Int) throws(Failure) -> [UInt8] {
        if path == "-" { return try drain(STDIN_FILENO, name: "standard input", limit: limit) }
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            throw .mistake("cannot read \(path): \(reason(errno))")
        }
        defer { close(descriptor) }
        return try drain(descriptor, name: path, limit: limit)
    }

    /// Reads a file of at most `limit` bytes; `nil` when there is none such.
    static func ifPresent(_ path: String, limit: Int = 4 << 20) -> [UInt8]? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        return try? drain(descriptor, name: path, limit: limit)
    }

    /// Reads an open file or pipe to its end.
    static func drain(
        _ descriptor: Int32, name: String, limit: Int
    ) throws(Failure) -> [UInt8] {
        var status = stat()
        if fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFDIR {
            throw .mistake("cannot read \(name): it is a directory")
        }
        var all: [UInt8] = []
        if status.st_size > 0 { all.reserveCapacity(min(Int(status.st_size), limit) + 1) }
        var chunk = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = Glibc.read(descriptor, &chunk, chunk.count)
            if count == 0 { return all }
            if count < 0 {
                if errno == EINTR { continue }
                throw .environment("cannot read \(name): \(reason(errno))")
            }
            if all.count + count > limit {
                throw .mistake("\(name) is larger than \(StepDetails.bytes(UInt64(limit)))")
            }
            all.append(contentsOf: chunk[..<count])
        }
    }

    /// The system's words for an error number.
    static func reason(_ number: Int32) -> String {
        guard let text = strerror(number) else { return "error \(number)" }
        return String(cString: text)
    }
}
