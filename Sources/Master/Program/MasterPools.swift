internal import NIOPosix

/// The threads that may wait, so that no task of the cooperative pool does.
struct MasterPools: Sendable {
    /// For files.
    let files = NIOThreadPool(numberOfThreads: 8)
    /// For `git`, which waits for networks.
    let fetches = NIOThreadPool(numberOfThreads: 8)
    /// For plans that are compiled and not run.
    let plans = NIOThreadPool(numberOfThreads: PlanCompiler.mostRunning)

    /// Starts them.
    init() {
        files.start()
        fetches.start()
        plans.start()
    }

    /// Ends them, when all that they were asked for is done.
    func end() async throws {
        try await fetches.shutdownGracefully()
        try await plans.shutdownGracefully()
        try await files.shutdownGracefully()
    }
}
