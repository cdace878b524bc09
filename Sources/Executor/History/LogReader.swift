internal import CSandbox
internal import Glibc

/// A piece of a job's log: what one attempt printed to one stream, or a note.
package struct LogChunk: Sendable, Equatable {
    /// The attempt; `nil` when the chunk is about the whole job. An attempt 0 is about the step.
    package var key: AttemptKey?
    /// Where it comes from.
    package var stream: LogStream
    /// When it was printed.
    package var time: Timestamp
    /// Bytes of the attempt's output before it.
    package var offset: UInt64
    /// What was printed.
    package var bytes: [UInt8]

    /// A piece of a log that was read elsewhere.
    package init(
        key: AttemptKey?, stream: LogStream, time: Timestamp, offset: UInt64, bytes: [UInt8]
    ) {
        self.key = key
        self.stream = stream
        self.time = time
        self.offset = offset
        self.bytes = bytes
    }
}

/// What a job's log has of one attempt.
package struct LogExtent: Sendable, Equatable {
    /// The attempt.
    package var key: AttemptKey
    /// Bytes of output.
    package var byteCount: UInt64
    /// When the first and the last of it was printed.
    package var first: Timestamp
    /// When the last of it was printed.
    package var last: Timestamp
}

/// Reads the log of a job, also while it is written. It belongs to one thread.
///
/// Everything in the file is checked: a damaged file ends where the damage begins.
package final class LogReader {
    /// The file.
    package let path: String
    private let folder: String
    private let descriptor: Int32
    /// Where in the file the next chunk begins.
    package private(set) var position = UInt64(LogFrame.fileHead.count)
    private var buffer: [UInt8] = []
    /// Where in the file the buffer begins.
    private var bufferStart: UInt64 = 0
    /// Whether the last frame of the job was seen.
    package private(set) var hasEnded = false

    private static let bufferBytes = 1 << 18

    /// Opens the log in a job's folder.
    package init(folder: String) throws(LogError) {
        path = "\(folder)/\(JobLog.fileName)"
        self.folder = folder
        descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
        guard descriptor >= 0 else { throw JobLog.problem(errno, path, opening: true) }
        let count = LogFrame.fileHead.count
        try fill(0, count)
        guard buffer.starts(with: LogFrame.fileHead) else {
            throw .notALog(path: path)
        }
    }

    deinit { close(descriptor) }

    /// Whether a living process writes it.
    package var isWritten: Bool {
        guard flock(descriptor, LOCK_SH | LOCK_NB) == 0 else { return true }
        flock(descriptor, LOCK_UN)
        return false
    }

    /// The next chunk; `nil` at the end of what was written so far.
    ///
    /// - Parameter wanted: says for which attempts (`nil`: for the whole job) chunks are wanted;
    ///   what is not wanted is not read.
    package func next(
        where wanted: (AttemptKey?) -> Bool = { _ in true }
    ) throws(LogError) -> LogChunk? {
        while let frame = try head(at: position) {
            let start = position + UInt64(LogFrame.headBytes)
            let key = frame.key.step == LogFrame.wholeJob ? nil : frame.key
            guard let stream = frame.stream, wanted(key) else {
                guard try isWhole(frame, start) else { return nil }
                if frame.kind == LogFrame.end { hasEnded = true }
                position = start + UInt64(frame.length)
                continue
            }
            guard let bytes = try read(start, frame.length) else { return nil }
            position = start + UInt64(frame.length)
            return LogChunk(
                key: key, stream: stream, time: frame.time, offset: frame.offset, bytes: bytes)
        }
        return nil
    }

    /// Goes back to the beginning.
    package func rewind() { seek(to: 0) }

    /// Goes to where a chunk begins: a `position` of before.
    package func seek(to position: UInt64) {
        self.position = max(position, UInt64(LogFrame.fileHead.count))
        hasEnded = false
    }

    /// What the log has of each attempt that printed something, by step.
    package func extents() throws(LogError) -> [LogExtent] {
        var found: [AttemptKey: LogExtent] = [:]
        try forEachHead { frame, _ in
            guard frame.isOutput else { return true }
            let end = frame.offset + UInt64(frame.length)
            var extent =
                found[frame.key]
                ?? LogExtent(key: frame.key, byteCount: 0, first: frame.time, last: frame.time)
            extent.byteCount = max(extent.byteCount, end)
            extent.last = frame.time
            found[frame.key] = extent
            return true
        }
        return found.values.sorted { $0.key < $1.key }
    }

    /// A range of the bytes that an attempt printed, or as much of it as there is; both streams as
    /// they came, or one of them alone.
    package func bytes(
        _ key: AttemptKey, _ range: Range<UInt64> = 0..<UInt64.max, stream: LogStream? = nil
    ) throws(LogError) -> [UInt8] {
        var out: [UInt8] = []
        try visit(key, from: index().entry(key, offset: range.lowerBound)) { frame, _, bytes in
            if frame.offset >= range.upperBound { return false }
            guard stream == nil || stream == frame.stream else { return true }
            let from = range.lowerBound > frame.offset ? range.lowerBound - frame.offset : 0
            let to = min(UInt64(bytes.count), range.upperBound - frame.offset)
            if from < to { out += bytes[Int(from)..<Int(to)] }
            return true
        }
        return out
    }

    /// A range of an attempt's lines, from 0, with their ends, or as many of them as there are.
    package func lines(
        _ key: AttemptKey, _ range: Range<Int>
    ) throws(LogError) -> [UInt8] {
        guard range.lowerBound >= 0, !range.isEmpty else { return [] }
        let entry = try index().entry(key, line: UInt64(range.lowerBound))
        var line = Int(clamping: entry?.line ?? 0)
        var out: [UInt8] = []
        try visit(key, from: entry) { _, _, bytes in
            var start = bytes.startIndex
            while start < bytes.endIndex, line < range.upperBound {
                let end = bytes[start...].firstIndex(of: 10).map { $0 + 1 } ?? bytes.endIndex
                if line >= range.lowerBound { out += bytes[start..<end] }
                if bytes[end - 1] == 10 { line += 1 }
                start = end
            }
            return line < range.upperBound
        }
        return out
    }

    // MARK: Frames

    private var known: LogIndex?

    /// The index, from its file or from the log.
    private func index() throws(LogError) -> LogIndex {
        if let known { return known }
        var status = stat()
        if fstat(descriptor, &status) == 0,
            let stored = LogIndex.read(from: folder, covering: UInt64(status.st_size))
        {
            known = stored
            return stored
        }
        var made = LogIndex()
        var lines: [AttemptKey: Int] = [:]
        var place = UInt64(LogFrame.fileHead.count)
        while let frame = try head(at: place) {
            let start = place + UInt64(LogFrame.headBytes)
            guard let bytes = try read(start, frame.length) else { break }
            if frame.isOutput {
                made.add(frame, lines: lines[frame.key, default: 0], position: place)
                lines[frame.key, default: 0] += bytes.withUnsafeBytes { LogWriter.lines(in: $0) }
            }
            place = start + UInt64(frame.length)
            if frame.kind == LogFrame.end { known = made }
        }
        // The index of a log that is still written is not kept: more will come.
        return made
    }

    /// Gives an attempt's frames of output, from an indexed one on.
    private func visit(
        _ key: AttemptKey, from entry: LogIndex.Entry?,
        _ body: (LogFrame, UInt64, [UInt8]) -> Bool
    ) throws(LogError) {
        guard let entry else { return }
        var place = entry.position
        while let frame = try head(at: place) {
            let start = place + UInt64(LogFrame.headBytes)
            if frame.key == key, frame.isOutput {
                guard let bytes = try read(start, frame.length) else { return }
                if !body(frame, place, bytes) { return }
            }
            place = start + UInt64(frame.length)
        }
    }

    private func forEachHead(
        _ body: (LogFrame, UInt64) -> Bool
    ) throws(LogError) {
        var place = UInt64(LogFrame.fileHead.count)
        while let frame = try head(at: place) {
            let start = place + UInt64(LogFrame.headBytes)
            guard try isWhole(frame, start), body(frame, place) else { return }
            place = start + UInt64(frame.length)
        }
    }

    private func head(at place: UInt64) throws(LogError) -> LogFrame? {
        guard try fill(place, LogFrame.headBytes) else { return nil }
        let from = Int(place - bufferStart)
        return buffer.withUnsafeBytes { bytes in
            bytes.baseAddress.flatMap { LogFrame($0 + from) }
        }
    }

    private func read(_ place: UInt64, _ count: Int) throws(LogError) -> [UInt8]? {
        guard try fill(place, count) else { return nil }
        let from = Int(place - bufferStart)
        return Array(buffer[from..<from + count])
    }

    private func isWhole(_ frame: LogFrame, _ start: UInt64) throws(LogError) -> Bool {
        let end = start + UInt64(frame.length)
        if end <= bufferStart + UInt64(buffer.count) { return true }
        return frame.length == 0 ? true : try fill(end - 1, 1)
    }

    /// Sees to it that the buffer has a part of the file; whether it has.
    @discardableResult
    private func fill(_ place: UInt64, _ count: Int) throws(LogError) -> Bool {
        let end = place + UInt64(count)
        if place >= bufferStart, end <= bufferStart + UInt64(buffer.count) { return true }
        if buffer.count < Self.bufferBytes {
            buffer = [UInt8](repeating: 0, count: Self.bufferBytes)
        }
        let got = buffer.withUnsafeMutableBytes {
            danube_pread(descriptor, $0.baseAddress, $0.count, Int64(clamping: place))
        }
        guard got >= 0 else {
            buffer = []
            throw JobLog.problem(Int32(clamping: -got), path)
        }
        bufferStart = place
        if got < buffer.count { buffer.removeLast(buffer.count - got) }
        return got >= count
    }
}
