internal import Glibc

/// Reads the journal of a job from an offset, also while an engine writes it.
struct JournalReader {
    /// The most bytes of a line: one line tells all steps of a plan.
    private static let mostLine = 16 << 20
    private static let chunk = 1 << 16
    static let name = "journal"

    private let path: String
    /// Bytes that were read and told of, whole lines only.
    private(set) var offset: UInt64

    init(folder: String, offset: UInt64) {
        path = "\(folder)/\(Self.name)"
        self.offset = offset
    }

    /// Events that came since the last time. A line that is not whole yet waits for its rest.
    ///
    /// - Parameter end: lines that begin there or later are left.
    mutating func next(before end: UInt64 = .max) throws(EngineError) -> [JournalEvent] {
        let file = Glibc.open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
        guard file >= 0 else {
            if errno == ENOENT { return [] }
            throw .system("read", path: path, errno: errno)
        }
        defer { close(file) }
        var events: [JournalEvent] = []
        var line: [UInt8] = []
        var place = offset
        while true {
            let bytes = try read(file, at: place)
            if bytes.isEmpty { return events }
            place += UInt64(bytes.count)
            var rest = bytes[...]
            while let newline = rest.firstIndex(of: 0x0a) {
                if offset >= end { return events }
                line += rest[..<newline]
                offset += UInt64(line.count + 1)
                if let event = JournalEvent(line: line) { events.append(event) }
                line.removeAll(keepingCapacity: true)
                rest = rest[(newline + 1)...]
            }
            line += rest
            // Who writes more tells of it.
            if bytes.count < Self.chunk { return events }
            guard line.count <= Self.mostLine else {
                throw .damaged(path: path, offset: offset)
            }
        }
    }

    private func read(_ file: Int32, at place: UInt64) throws(EngineError) -> [UInt8] {
        var count = 0
        let bytes = [UInt8](unsafeUninitializedCapacity: Self.chunk) { buffer, used in
            repeat {
                count = pread(file, buffer.baseAddress, buffer.count, off_t(clamping: place))
            } while count < 0 && errno == EINTR
            used = max(0, count)
        }
        if count < 0 { throw .system("read", path: path, errno: errno) }
        return bytes
    }

    /// Bytes that are there.
    func size() throws(EngineError) -> UInt64 {
        let file = try open(O_RDONLY)
        defer { close(file) }
        return try end(of: file)
    }

    /// Makes sure that no engine of an earlier master begins any more: one that was asked for and
    /// has not begun finds the journal changed, and ends. Gives the journal's new size; `nil` when
    /// an engine has it.
    func claim() throws(EngineError) -> UInt64? {
        let file = try open(O_WRONLY | O_APPEND)
        defer { close(file) }
        guard flock(file, LOCK_EX | LOCK_NB) == 0 else {
            if errno == EWOULDBLOCK { return nil }
            throw .system("lock", path: path, errno: errno)
        }
        var newline: UInt8 = 0x0a
        guard write(file, &newline, 1) == 1 else {
            throw .system("write", path: path, errno: errno)
        }
        return try end(of: file)
    }

    private func open(_ flags: Int32) throws(EngineError) -> Int32 {
        let file = Glibc.open(path, flags | O_CLOEXEC | O_NOFOLLOW)
        guard file >= 0 else { throw .system("open", path: path, errno: errno) }
        return file
    }

    private func end(of file: Int32) throws(EngineError) -> UInt64 {
        guard let size = UInt64(exactly: lseek(file, 0, SEEK_END)) else {
            throw .system("read", path: path, errno: errno)
        }
        return size
    }

    /// Whether an engine, or what guards it, still holds the journal.
    func isHeld() -> Bool {
        let file = Glibc.open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
        guard file >= 0 else { return false }
        defer { close(file) }
        return flock(file, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK
    }
}
