internal import Logging
internal import NIOPosix

internal import struct Executor.Timestamp

/// What the routes of a master work with.
struct MasterParts: Sendable {
    let database: MasterDatabase
    let dispatcher: Dispatcher
    let data: DataFolder
    let secrets: SecretStore
    let hub: EventHub
    /// For what waits for files.
    let threads: NIOThreadPool
    let started: Timestamp
    let logger: Logger
    /// Ends the master after its jobs, or at once.
    let shutDown: @Sendable (_ isForced: Bool) -> Void

    /// All routes.
    func routes() -> APIRoutes {
        let routes = APIRoutes(database: database, logger: logger)
        let jobs = JobRoutes(database: database, dispatcher: dispatcher)
        jobs.add(to: routes)
        LogRoutes(jobs: jobs, data: data, threads: threads).add(to: routes)
        ArtifactRoutes(jobs: jobs, data: data, threads: threads).add(to: routes)
        EventRoutes(database: database, hub: hub).add(to: routes)
        SecretRoutes(database: database, store: secrets).add(to: routes)
        SystemRoutes(
            database: database, dispatcher: dispatcher,
            facts: .init(version: MasterProgram.version, started: started), shutDown: shutDown
        ).add(to: routes)
        routes.finish(version: MasterProgram.version)
        return routes
    }
}
