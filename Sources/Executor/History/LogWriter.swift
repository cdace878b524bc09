/// Takes what one attempt prints, keeps secrets out of it, and adds it to the job's log.
///
/// It belongs to one thread. Memory is bounded whatever is printed: what may be the beginning of a
/// secret, and the last few kilobytes, which are shown when the step fails.
package final class LogWriter {
    private let log: JobLog
    /// The attempt.
    package let key: AttemptKey
    private var output: Redactor.Stream
    private var errors: Redactor.Stream
    private var redacted: [UInt8] = []
    private var ring: [UInt8] = []
    /// Hears of everything that is added to the log, without secrets.
    package var listener: ((LogStream, UnsafeRawBufferPointer) -> Void)?
    /// Bytes that were added to the log.
    package private(set) var byteCount: UInt64 = 0
    /// Ends of lines that were added to the log.
    package private(set) var lineCount = 0

    /// How many of the last bytes are kept for `tail`, at least, when there are as many.
    package static let tailBytes = 16 << 10

    init(_ log: JobLog, _ key: AttemptKey) {
        self.log = log
        self.key = key
        output = Redactor.Stream(log.redactor)
        errors = Redactor.Stream(log.redactor)
    }

    /// Adds output.
    ///
    /// When it throws because the disk is full, what did not fit is lost; the next call tries
    /// again.
    package func append(
        _ stream: LogStream, _ bytes: UnsafeRawBufferPointer, at time: Timestamp
    ) throws(LogError) {
        guard !bytes.isEmpty else { return }
        if log.redactor.isEmpty { return try add(stream, bytes, time) }
        redacted.removeAll(keepingCapacity: true)
        if stream == .standardError {
            errors.append(bytes, into: &redacted)
        } else {
            output.append(bytes, into: &redacted)
        }
        try addRedacted(stream, time)
    }

    /// Adds output.
    package func append(
        _ stream: LogStream, _ bytes: [UInt8], at time: Timestamp
    ) throws(LogError) {
        try bytes.withUnsafeBufferPointer { bytes throws(LogError) in
            try append(stream, UnsafeRawBufferPointer(bytes), at: time)
        }
    }

    /// Adds what was held back, when the attempt's output has ended.
    package func finish(at time: Timestamp) throws(LogError) {
        redacted.removeAll(keepingCapacity: true)
        output.finish(into: &redacted)
        try addRedacted(.standardOutput, time)
        redacted.removeAll(keepingCapacity: true)
        errors.finish(into: &redacted)
        try addRedacted(.standardError, time)
        redacted = []
    }

    /// The end of what was printed so far, without secrets.
    package var tail: ArraySlice<UInt8> { ring.suffix(Self.tailBytes) }

    /// The last line that has something in it, without its end; at most 400 bytes of it.
    package var lastLine: ArraySlice<UInt8> {
        let isEnd: (UInt8) -> Bool = { $0 == 10 || $0 == 13 }
        var lines = tail
        while let last = lines.last, isEnd(last) || last == 32 { lines.removeLast() }
        let start = lines.lastIndex(where: isEnd).map { $0 + 1 } ?? lines.startIndex
        return lines[start...].prefix(400)
    }

    private func addRedacted(_ stream: LogStream, _ time: Timestamp) throws(LogError) {
        guard !redacted.isEmpty else { return }
        let bytes = redacted
        try bytes.withUnsafeBufferPointer { bytes throws(LogError) in
            try add(stream, UnsafeRawBufferPointer(bytes), time)
        }
    }

    private func add(
        _ stream: LogStream, _ bytes: UnsafeRawBufferPointer, _ time: Timestamp
    ) throws(LogError) {
        remember(bytes)
        listener?(stream, bytes)
        try log.append(
            bytes, key, stream.rawValue, offset: byteCount, lines: lineCount, at: time)
        byteCount += UInt64(bytes.count)
        lineCount += Self.lines(in: bytes)
    }

    private func remember(_ bytes: UnsafeRawBufferPointer) {
        let part = bytes.suffix(Self.tailBytes)
        if ring.count + part.count > 2 * Self.tailBytes {
            ring.removeFirst(ring.count - max(0, Self.tailBytes - part.count))
        }
        ring.append(contentsOf: part)
    }

    static func lines(in bytes: UnsafeRawBufferPointer) -> Int {
        var count = 0
        for byte in bytes { count &+= byte == 10 ? 1 : 0 }
        return count
    }
}
