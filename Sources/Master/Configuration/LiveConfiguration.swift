internal import Synchronization

/// The configuration that is in force now. It changes when the master is told to read it again.
final class LiveConfiguration: Sendable {
    private let state: Mutex<MasterConfiguration>

    init(_ configuration: MasterConfiguration) { state = Mutex(configuration) }

    /// What is in force.
    var values: MasterConfiguration { state.withLock { $0 } }

    /// Puts another one in force.
    func replace(_ configuration: MasterConfiguration) {
        state.withLock { $0 = configuration }
    }
}
