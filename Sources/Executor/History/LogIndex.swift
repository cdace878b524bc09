internal import CSandbox
internal import Glibc

/// Where in a job's log the output of each attempt is, by offset and by line.
///
/// It is sparse: an attempt's first frame, and then one frame in 64 KiB. The file beside a large
/// log is only a shortcut; what is wrong with it is found out, and the log is read instead.
struct LogIndex: Equatable {
    /// A frame of an attempt.
    struct Entry: Equatable {
        /// Bytes of the attempt's output before the frame.
        var offset: UInt64
        /// Ends of lines in the attempt's output before the frame.
        var line: UInt64
        /// Where in the file the frame begins.
        var position: UInt64
    }

    private(set) var entries: [AttemptKey: [Entry]] = [:]

    static let stride: UInt64 = 1 << 16
    static let fileName = "log.index"
    private static let fileHead: UInt64 = 0x0000_3178_6469_6e64  // "dnidx1"
    private static let wordsPerEntry = 4
    private static let mostFileBytes = 1 << 30

    /// Notes a frame when it is far enough from the last one that was noted.
    mutating func add(_ frame: LogFrame, lines: Int, position: UInt64) {
        if let last = entries[frame.key]?.last, frame.offset < last.offset + Self.stride { return }
        entries[frame.key, default: []].append(
            Entry(offset: frame.offset, line: UInt64(lines), position: position))
    }

    /// The last frame that begins at or before an offset.
    func entry(_ key: AttemptKey, offset: UInt64) -> Entry? {
        last(key) { $0.offset <= offset }
    }

    /// The last frame that begins in or before a line.
    ///
    /// A line may begin within an earlier frame than the first one whose number of lines before it
    /// is the same, so that one is taken.
    func entry(_ key: AttemptKey, line: UInt64) -> Entry? {
        line == 0 ? entries[key]?.first : last(key) { $0.line < line }
    }

    private func last(_ key: AttemptKey, where holds: (Entry) -> Bool) -> Entry? {
        guard let entries = entries[key], !entries.isEmpty else { return nil }
        var low = 0
        var high = entries.count
        while low < high {
            let middle = (low + high) / 2
            if holds(entries[middle]) { low = middle + 1 } else { high = middle }
        }
        return entries[max(0, low - 1)]
    }

    // MARK: The file

    /// Writes the index of a finished log beside it.
    func write(to folder: String, covering logBytes: UInt64) {
        var words: [UInt64] = [Self.fileHead, logBytes]
        for key in entries.keys.sorted() {
            for entry in entries[key] ?? [] {
                words += [
                    UInt64(key.step) << 16 | UInt64(key.attempt), entry.offset, entry.line,
                    entry.position,
                ]
            }
        }
        words.append(Self.check(words))
        let path = "\(folder)/\(Self.fileName)"
        let file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard file >= 0 else { return }
        defer { close(file) }
        let error = words.map(\.littleEndian).withUnsafeBytes {
            danube_write_all(file, $0.baseAddress, $0.count)
        }
        if error != 0 { unlink(path) }
    }

    /// Reads the index of a log that has exactly this size; `nil` when there is none.
    static func read(from folder: String, covering logBytes: UInt64) -> LogIndex? {
        let file = open("\(folder)/\(fileName)", O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
        guard file >= 0 else { return nil }
        defer { close(file) }
        var status = stat()
        guard fstat(file, &status) == 0, status.st_size <= mostFileBytes,
            status.st_size >= 24, status.st_size % 8 == 0
        else { return nil }
        let count = Int(status.st_size) / 8
        var words = [UInt64](repeating: 0, count: count)
        let got = words.withUnsafeMutableBytes {
            danube_pread(file, $0.baseAddress, $0.count, 0)
        }
        guard got == count * 8 else { return nil }
        for place in words.indices { words[place] = UInt64(littleEndian: words[place]) }
        guard let check = words.popLast(), check == Self.check(words), words[0] == fileHead,
            words[1] == logBytes, (words.count - 2) % wordsPerEntry == 0
        else { return nil }
        var index = LogIndex()
        for place in Swift.stride(from: 2, to: words.count, by: wordsPerEntry) {
            let key = AttemptKey(
                step: Int(words[place] >> 16), attempt: Int(words[place] & 0xffff))
            index.entries[key, default: []].append(
                Entry(
                    offset: words[place + 1], line: words[place + 2],
                    position: words[place + 3]))
        }
        return index
    }

    private static func check(_ words: [UInt64]) -> UInt64 {
        words.reduce(14_695_981_039_346_656_037) { ($0 ^ $1) &* 1_099_511_628_211 }
    }
}
