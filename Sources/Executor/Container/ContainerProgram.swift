internal import CFiles
internal import CSandbox
internal import Glibc

/// Runs programs for a supervisor, which hears of signals only where it waits.
final class ContainerProgram {
    /// Whether the step was asked to stop.
    private(set) var isStopping = false
    private var watched = sigset_t()
    private let nothing: Int32

    /// Blocks the signals that end programs, and adopts what children leave behind.
    init() {
        sigemptyset(&watched)
        for number in [SIGTERM, SIGINT, SIGHUP, SIGCHLD] { sigaddset(&watched, number) }
        sigprocmask(SIG_BLOCK, &watched, nil)
        signal(SIGTTOU, SIG_IGN)
        danube_adopt_orphans()
        nothing = open("/dev/null", O_RDWR | O_CLOEXEC)
    }

    /// Where a program's standard output goes.
    enum Output {
        case step
        case nowhere
        case file(Int32)
    }

    /// Starts a program; `nil` when it cannot be executed.
    func start(
        _ arguments: [String], environment: [String], output: Output = .nowhere,
        input: String? = nil, script: String? = nil, showsErrors: Bool = true
    ) -> pid_t? {
        let words = CStrings(arguments)
        let variables = CStrings(environment)
        let given = input.map(Self.memory) ?? nothing
        let text = script.map(Self.memory) ?? -1
        defer {
            if given != nothing { close(given) }
            if text >= 0 { close(text) }
        }
        var pid: pid_t = 0
        var handle: Int32 = -1
        var failed: Int32 = 0
        let out: Int32 =
            switch output {
            case .step: 1
            case .nowhere: nothing
            case .file(let file): file
            }
        let status = "/".withCString { folder in
            var step = danube_step(
                arguments: words.pointers, environment: variables.pointers, search: folder,
                folder: folder, input: given, output: out, error: showsErrors ? 2 : nothing,
                script: text, source: nil, view: nil)
            return danube_step_start(&step, &pid, &handle, &failed)
        }
        if status < 0 { return nil }
        close(handle)
        return pid
    }

    private static func memory(_ text: String) -> Int32 {
        var text = text
        return text.withUTF8 { danube_memory_file($0.baseAddress, $0.count) }
    }

    /// Waits until a program has ended, passes the wish to stop on to it, and gives its exit code.
    func finish(_ pid: pid_t) -> Int32 {
        if isStopping { kill(-pid, SIGTERM) }
        while true {
            var status: Int32 = 0
            let ended = waitpid(pid, &status, WNOHANG)
            if ended == pid {
                let signal = danube_status_signal(status)
                return signal != 0 ? 128 + signal : danube_status_code(status)
            }
            if ended < 0, errno != EINTR { return 255 }
            if wait(milliseconds: 1000) { kill(-pid, SIGTERM) }
        }
    }

    /// Runs a program to its end.
    func run(_ arguments: [String], input: String? = nil, showsErrors: Bool = true) -> Int32 {
        let pid = start(
            arguments, environment: Podman.environment, input: input, showsErrors: showsErrors)
        return pid.map { finish($0) } ?? 127
    }

    /// Runs a program to its end and gives what it writes, or `nil` when it fails.
    func output(_ arguments: [String]) -> String? {
        let file = danube_memory_file(nil, 0)
        if file < 0 { return nil }
        defer { close(file) }
        guard
            let pid = start(arguments, environment: Podman.environment, output: .file(file)),
            finish(pid) == 0
        else { return nil }
        let bytes = [UInt8](unsafeUninitializedCapacity: 1 << 16) { buffer, count in
            count = max(0, pread(file, buffer.baseAddress, buffer.count, 0))
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Waits for a signal or for some time. True when the step was asked to stop just now.
    func wait(milliseconds: Int) -> Bool {
        var time = timespec(
            tv_sec: milliseconds / 1000, tv_nsec: milliseconds % 1000 * 1_000_000)
        let number = sigtimedwait(&watched, nil, &time)
        guard number > 0, number != SIGCHLD else { return false }
        isStopping = true
        return true
    }

    /// Waits until whatever podman left running has ended: it tidies up after a container.
    func finishOthers(milliseconds: UInt64) {
        let until = MonotonicClock.now() &+ milliseconds * 1_000_000
        while MonotonicClock.now() < until {
            let ended = waitpid(-1, nil, WNOHANG)
            if ended < 0, errno == ECHILD { return }
            if ended == 0 { _ = wait(milliseconds: 100) }
        }
    }
}
