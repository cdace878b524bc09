/// What reading a configuration again comes to.
struct Reload: Sendable, Equatable {
    /// What is in force from now on.
    let configuration: MasterConfiguration
    /// Names of keys of which another value is in force now, with where that was set.
    let changed: [String]
    /// Names of keys that differ and keep their values until the next start.
    let needsRestart: [String]

    /// Takes of a newer configuration what a running master can.
    init(of current: MasterConfiguration, from newer: MasterConfiguration) {
        (configuration, needsRestart) = current.reloaded(from: newer)
        let result = configuration
        changed = ConfigurationKey.all.filter { $0.written(current) != $0.written(result) }
            .map(\.shownName)
    }
}
