internal import CSandbox
internal import Glibc
internal import Synchronization

/// Asks `danube engine --host` for engines: a process that has loaded already what they need, and
/// forks. One is started when it is first needed, and another one when it has gone.
final class EngineHost: Sendable {
    private struct Host {
        var socket: Int32
        var process: pid_t
    }

    private let program: String
    private let cache: String
    private let environment: [String]
    private let state = Mutex<Host?>(nil)
    /// An answer takes a fork: a host that has none for so long is out of order.
    private static let patienceSeconds: Int32 = 10
    /// Room for the path of a job's folder in the arguments of its engine.
    private static let title = String(repeating: ".", count: 4000)

    /// - Parameter cache: the folder of the cache that engines use.
    init(program: String, cache: String, environment: [String]) {
        self.program = program
        self.cache = cache
        self.environment = environment
    }

    deinit { state.withLock { Self.end(&$0) } }

    /// An engine for a folder, whose journal it has locked; `nil` where there is no host to be had,
    /// and the engine has to be started without one. Throws when the folder is not to be had.
    ///
    /// - Parameter journal: the bytes that the journal has.
    func start(
        folder: String, journal: UInt64, input: Int32, error: Int32
    ) throws(EngineError) -> pid_t? {
        guard let answer = ask("\(journal) \(folder)", input: input, error: error) else {
            return nil
        }
        guard answer > 0 else {
            throw .system("start an engine in", path: folder, errno: -answer)
        }
        return answer
    }

    /// What `danube plan` comes to, done by a fork; `nil` where there is no host to be had, or the
    /// fork ended without an answer.
    ///
    /// - Parameter child: the program with its words, as it would be started without a host.
    func plan(_ child: ChildProgram, seconds: Int) -> ChildProgram.End? {
        var words: [UInt8] = []
        for word in child.arguments.dropFirst() { words += Array(word.utf8) + [0] }
        words.append(0)
        var sockets: [Int32] = [-1, -1]
        guard socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue) | O_CLOEXEC, 0, &sockets) == 0 else {
            return nil
        }
        defer { close(sockets[0]) }
        var error: (reading: Int32, writing: Int32) = (-1, -1)
        guard ChildProgram.pipe(&error) == 0 else {
            close(sockets[1])
            return nil
        }
        defer { close(error.reading) }
        let isAsked = ask("plan", input: sockets[1], error: error.writing).map { $0 > 0 } ?? false
        close(sockets[1])
        close(error.writing)
        guard isAsked, send(words, to: sockets[0]) else { return nil }
        guard let texts = child.drain(sockets[0], error.reading, seconds: seconds, nil) else {
            return .tooLong
        }
        // The last byte is the exit status, unless it was cut off.
        guard let status = texts.output.last, status < 0x0a || status == 70 else { return nil }
        return .ended(
            Int32(status), String(decoding: texts.output.dropLast(), as: UTF8.self),
            String(decoding: texts.error, as: UTF8.self))
    }

    private func send(_ bytes: [UInt8], to socket: Int32) -> Bool {
        var sent = 0
        while sent < bytes.count {
            let count = bytes.withUnsafeBytes { bytes in
                Glibc.send(
                    socket, bytes.baseAddress?.advanced(by: sent), bytes.count - sent,
                    Int32(MSG_NOSIGNAL))
            }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return false }
            sent += count
        }
        return true
    }

    /// The process that an order made, or a negative error number; `nil` without a host.
    private func ask(_ order: String, input: Int32, error: Int32) -> Int32? {
        state.withLock { host -> Int32? in
            if host == nil { host = begin() }
            guard let socket = host?.socket else { return nil }
            var process: Int32 = 0
            guard danube_host_ask(socket, order, input, error, &process) == 0 else {
                Self.end(&host)
                return nil
            }
            return process
        }
    }

    private func begin() -> Host? {
        var sockets: [Int32] = [-1, -1]
        guard danube_host_sockets(&sockets, Self.patienceSeconds) == 0 else { return nil }
        defer { close(sockets[1]) }
        let nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC)
        var process: pid_t = 0
        guard nowhere >= 0 else {
            close(sockets[0])
            return nil
        }
        defer { close(nowhere) }
        let status = ProgramStart.start(
            [program, "engine", "--host=\(cache)", Self.title], environment: environment,
            input: sockets[1], output: nowhere, error: nowhere, ownSession: true, &process)
        guard status == 0 else {
            close(sockets[0])
            return nil
        }
        return Host(socket: sockets[0], process: process)
    }

    /// Engines that it has forked go on.
    private static func end(_ host: inout Host?) {
        guard let gone = host else { return }
        host = nil
        close(gone.socket)
        kill(gone.process, SIGKILL)
        waitpid(gone.process, nil, 0)
    }
}
