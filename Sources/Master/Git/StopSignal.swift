internal import Synchronization

/// Says once that something is to end, to whoever wants to hear it.
final class StopSignal: Sendable {
    private struct State {
        var isStopped = false
        var listeners: [@Sendable () -> Void] = []
    }

    private let state = Mutex(State())

    /// Whether it was said.
    var isStopped: Bool { state.withLock { $0.isStopped } }

    /// Says it.
    func stop() {
        let listeners = state.withLock { state in
            defer { state.listeners = [] }
            state.isStopped = true
            return state.listeners
        }
        for listener in listeners { listener() }
    }

    /// Calls a block when it is said, or at once when it was.
    func onStop(_ listener: @escaping @Sendable () -> Void) {
        let isStopped = state.withLock { state in
            if !state.isStopped { state.listeners.append(listener) }
            return state.isStopped
        }
        if isStopped { listener() }
    }
}
