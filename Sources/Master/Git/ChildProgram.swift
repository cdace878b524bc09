internal import CSandbox
internal import Glibc

/// A program that is run to its end, with what it prints held in memory. It waits, so no task of
/// the cooperative pool calls it.
struct ChildProgram {
    /// How it ended.
    enum End: Equatable {
        /// Its exit status (128 and more for a signal), standard output and standard error.
        case ended(Int32, String, String)
        /// It could not be started.
        case notStarted(errno: Int32)
        /// It was killed, with what it had started, since its time was over.
        case tooLong
        /// It was killed, with what it had started, on demand.
        case stopped
    }

    /// The program, looked up in `PATH` of its own environment, and its arguments.
    var arguments: [String]
    /// Variables as `NAME=value`.
    var environment: [String]
    /// The most bytes that are kept of each stream.
    var mostBytes = 1 << 20
    /// What it reads; nothing when there is none. It is open for as long as the program runs.
    var input: Int32?

    private static let stopPauseMilliseconds: Int32 = 50

    /// Runs it, for a bounded time, and no longer than until it is to stop.
    func run(seconds: Int, until stop: StopSignal? = nil) -> End {
        var output: (reading: Int32, writing: Int32) = (-1, -1)
        var error: (reading: Int32, writing: Int32) = (-1, -1)
        var failed = Self.pipe(&output)
        guard failed == 0 else { return .notStarted(errno: failed) }
        defer { close(output.reading) }
        failed = Self.pipe(&error)
        guard failed == 0 else {
            close(output.writing)
            return .notStarted(errno: failed)
        }
        defer { close(error.reading) }
        var process: pid_t = 0
        let status = spawn(&process, output.writing, error.writing)
        close(output.writing)
        close(error.writing)
        guard status == 0 else { return .notStarted(errno: status) }
        let texts = drain(output.reading, error.reading, seconds: seconds, stop)
        if texts == nil { kill(-process, SIGKILL) }
        var code: Int32 = 0
        while waitpid(process, &code, 0) < 0, errno == EINTR {}
        // Its group has nobody else to end it.
        kill(-process, SIGKILL)
        guard let (out, err) = texts else {
            return stop?.isStopped == true ? .stopped : .tooLong
        }
        let signal = code & 0x7f
        return .ended(
            signal == 0 ? code >> 8 & 0xff : 128 + signal, String(decoding: out, as: UTF8.self),
            String(decoding: err, as: UTF8.self))
    }

    static func pipe(_ ends: inout (reading: Int32, writing: Int32)) -> Int32 {
        var (reading, writing) = ends
        let status = danube_pipe(&reading, &writing)
        ends = (reading, writing)
        return -status
    }

    private func spawn(_ process: inout pid_t, _ output: Int32, _ error: Int32) -> Int32 {
        let nothing = input == nil ? open("/dev/null", O_RDONLY | O_CLOEXEC) : -1
        guard input != nil || nothing >= 0 else { return errno }
        defer { if nothing >= 0 { close(nothing) } }
        return -ProgramStart.start(
            arguments, environment: environment, input: input ?? nothing, output: output,
            error: error,
            ownSession: false, &process)
    }

    /// Reads both until they end; `nil` when that takes too long.
    func drain(
        _ output: Int32, _ error: Int32, seconds: Int, _ stop: StopSignal?
    ) -> (output: [UInt8], error: [UInt8])? {
        let end = ContinuousClock.now + .seconds(seconds)
        var texts: [[UInt8]] = [[], []]
        var entries = [output, error].map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while entries.contains(where: { $0.fd >= 0 }) {
            let left = end - .now
            guard left > .zero, stop?.isStopped != true else { return nil }
            let milliseconds = Int32(clamping: left.components.seconds * 1000 + 1)
            let most = stop == nil ? 1000 : Self.stopPauseMilliseconds
            guard poll(&entries, 2, min(milliseconds, most)) > 0 else { continue }
            for index in entries.indices where entries[index].revents != 0 {
                let count = read(entries[index].fd, &buffer, buffer.count)
                if count > 0 {
                    let room = mostBytes - texts[index].count
                    texts[index] += buffer[..<min(count, max(0, room))]
                } else if count == 0 || errno != EINTR {
                    // A negative descriptor is not asked any more.
                    entries[index].fd = -1
                }
            }
        }
        return (texts[0], texts[1])
    }
}
