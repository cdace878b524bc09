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
        let file = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
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

    /// Whether an engine, or what guards it, still holds the journal.
    func isHeld() -> Bool {
        let file = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
        guard file >= 0 else { return false }
        defer { close(file) }
        return flock(file, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK
    }
}
