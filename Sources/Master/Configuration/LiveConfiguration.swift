internal import Synchronization

/// The configuration that is in force now. It changes when the master is told to read it again.
final class LiveConfiguration: Sendable {
    private struct State {
        var values: MasterConfiguration
        var isCurrent = true
    }

    private let state: Mutex<State>

    init(_ configuration: MasterConfiguration) { state = Mutex(State(values: configuration)) }

    /// What is in force.
    var values: MasterConfiguration { state.withLock { $0.values } }

    /// Whether it is what was read last, which had no mistake then.
    var isCurrent: Bool { state.withLock { $0.isCurrent } }

    /// Puts another one in force.
    func replace(_ configuration: MasterConfiguration) {
        state.withLock { $0 = State(values: configuration) }
    }

    /// What was read last has a mistake, and this stays in force.
    func keep() { state.withLock { $0.isCurrent = false } }
}
