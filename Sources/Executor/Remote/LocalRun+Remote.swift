internal import CSandbox

/// A run's use of a cache elsewhere.
extension LocalRun {
    /// The cache elsewhere, if there is one to be used.
    func remoteCache(
        _ configured: RunConfiguration, _ cache: ActionCache
    ) throws -> RemoteCache? {
        guard configured.usesCache, let use = configured.remoteCache else { return nil }
        return try RemoteCache(use, cache: cache)
    }

    /// Sends what is still to be sent, and says what a person should know. Who interrupts the run
    /// does not wait.
    func finish(_ remote: RemoteCache, isAwaited: Bool) {
        let earlier = remote.takeProblem()
        let isSent = remote.finish(isStopped: { !isAwaited || danube_end_is_pending() == 1 })
        // What was ended fails, and is no problem of the cache.
        if let problem = earlier ?? (isSent ? remote.takeProblem() : nil) {
            observer.told(
                RunMessage(
                    .warning,
                    "The cache at \(remote.address) was not used to the end: \(problem)",
                    hint: "The run did without; its own cache has all results."))
        } else if !isSent, isAwaited {
            observer.told(
                RunMessage(.warning, "Not all results were sent to the cache at \(remote.address)"))
        }
    }
}
