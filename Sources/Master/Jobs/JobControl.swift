internal import Glibc
internal import Synchronization

/// Ends the engine of a job, also one that is only being started.
final class JobControl: Sendable {
    private struct State {
        var process: pid_t?
        var signals = 0
    }

    private let state = Mutex(State())
    /// Ends what is done before there is an engine.
    let beforeEngine = StopSignal()

    /// An engine was started as a child of this process.
    func began(_ process: pid_t) { set(process) }

    /// An engine of a master before this one, which said its process id in the journal of a folder.
    /// It is believed where the process is such an engine: numbers are used again.
    func began(_ process: pid_t, folder: String) {
        guard state.withLock({ $0.process }) != process else { return }
        let file = open("/proc/\(process)/cmdline", O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return }
        defer { close(file) }
        var buffer = [UInt8](repeating: 0, count: 4096)
        let count = read(file, &buffer, buffer.count)
        guard count > 0,
            buffer[..<count].split(separator: 0).contains(where: { $0.elementsEqual(folder.utf8) })
        else { return }
        set(process)
    }

    /// Asks the engine to end its job in order; its guard ends it when asked for a third time, and
    /// the kernel for a fourth.
    func stop() {
        let (process, signals) = state.withLock { state in
            state.signals += 1
            return (state.process, state.signals)
        }
        if let process { kill(process, signals > 3 ? SIGKILL : SIGTERM) }
        beforeEngine.stop()
    }

    /// The engine is gone, or about to go by itself: its number may soon be another's.
    func ended() { state.withLock { $0.process = nil } }

    private func set(_ process: pid_t) {
        let signals = state.withLock { state in
            state.process = process
            return state.signals
        }
        for _ in 0..<min(signals, 3) { kill(process, SIGTERM) }
    }
}
