package import Executor
internal import Glibc
package import Logging
internal import Synchronization

/// Where the master's own log goes: a file descriptor, one `write` for each line.
///
/// A line has at most 4096 bytes, which a pipe takes whole or not at all. A reader that stalls
/// holds nobody up: lines are dropped while it does, and counted in the next one that is written.
/// One that is gone ends the program, unless that ignores SIGPIPE.
package final class LogSink: Sendable {
    /// Bytes of a line with its newline: `PIPE_BUF` of Linux.
    package static let mostLineBytes = 4096
    /// How long a line waits for a reader that was not stalled before.
    private static let patienceMilliseconds: Int32 = 20

    private let descriptor: Int32
    private let now: @Sendable () -> Timestamp
    private let levelIndex: Atomic<Int>
    private let state: Mutex<State>

    private struct State {
        var redact: @Sendable (String) -> String
        var format: LogFormat
        var dropped = 0
    }

    /// A sink for a descriptor, which stays open.
    ///
    /// - Parameter redact: replaces secrets in a text. Everything that is logged goes through it
    ///   whole, before it is cut or escaped.
    package init(
        descriptor: Int32 = STDERR_FILENO, format: LogFormat, level: Logger.Level,
        now: @escaping @Sendable () -> Timestamp = { .now() },
        redact: @escaping @Sendable (String) -> String
    ) {
        self.descriptor = descriptor
        self.now = now
        levelIndex = Atomic(Self.index(level))
        state = Mutex(State(redact: redact, format: format))
    }

    /// The least level that is written; it may change at any time.
    package var level: Logger.Level {
        get { Logger.Level.allCases[levelIndex.load(ordering: .relaxed)] }
        set { levelIndex.store(Self.index(newValue), ordering: .relaxed) }
    }

    /// How lines are written; it may change at any time.
    package var format: LogFormat {
        get { state.withLock { $0.format } }
        set { state.withLock { $0.format = newValue } }
    }

    /// Replaces what takes secrets out.
    package func setRedaction(_ redact: @escaping @Sendable (String) -> String) {
        state.withLock { $0.redact = redact }
    }

    /// Writes an event, whatever its level.
    func write(label: String, _ event: LogEvent, _ metadata: Logger.Metadata) {
        let (redact, format) = state.withLock { ($0.redact, $0.format) }
        var line = LogLine(format: format, time: now().utc, level: event.level)
        line.add(label: label, message: redact(event.message.description))
        if let error = event.error { line.add("error", redact("\(error)")) }
        for (key, value) in Self.ordered(metadata) { line.add(key, redact(value.description)) }
        let bytes = line.finish()
        state.withLock { state in
            if state.dropped > 0, put(notice(state.dropped, format), patience: 0) {
                state.dropped = 0
            }
            let patience = state.dropped > 0 ? 0 : Self.patienceMilliseconds
            if state.dropped > 0 || !put(bytes, patience: patience) { state.dropped += 1 }
        }
    }

    private func notice(_ count: Int, _ format: LogFormat) -> [UInt8] {
        var line = LogLine(format: format, time: now().utc, level: .warning)
        line.add(label: "log", message: "lines were dropped: nobody read the log")
        line.add("dropped", String(count))
        return line.finish()
    }

    /// False when the reader takes nothing. What a broken descriptor loses, nobody could be told.
    private func put(_ bytes: [UInt8], patience: Int32) -> Bool {
        var poll = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
        guard Glibc.poll(&poll, 1, patience) != 0 else { return false }
        while bytes.withUnsafeBytes({ Glibc.write(descriptor, $0.baseAddress, $0.count) }) < 0 {
            if errno == EAGAIN { return false }
            if errno != EINTR { break }
        }
        return true
    }

    /// Ids first, so that they are never what is cut off; the rest by name.
    private static func ordered(
        _ metadata: Logger.Metadata
    ) -> [(String, Logger.MetadataValue)] {
        let first = ["request", "job", "step", "attempt"]
        return first.compactMap { key in metadata[key].map { (key, $0) } }
            + metadata.filter { !first.contains($0.key) }.sorted { $0.key < $1.key }
    }

    private static func index(_ level: Logger.Level) -> Int {
        Logger.Level.allCases.firstIndex(of: level) ?? 0
    }
}
