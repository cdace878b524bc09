internal import Logging
internal import PipelineIR

internal import struct Executor.Timestamp

/// What the routes of a master work with.
struct MasterParts: Sendable {
    /// What jobs are run with, most of which routes need as well.
    let setting: JobRunner.Setting
    let dispatcher: Dispatcher
    let hub: EventHub
    let compiler: PlanCompiler
    let disk: DiskReserve
    let metrics: JobMetrics
    let reaper: ReaperMetrics
    let cache: SharedCache
    let traces: TraceExporter?
    let started: Timestamp
    /// Ends the master after its jobs, or at once.
    let shutDown: @Sendable (_ isForced: Bool) -> Void

    /// All routes.
    func routes() -> APIRoutes {
        let database = setting.database
        let configuration = setting.configuration
        let threads = setting.threads
        let routes = APIRoutes(
            database: database, threads: threads, mostBody: { configuration.values.http.maxBody },
            logger: setting.logger)
        let jobs = JobRoutes(
            database: database, dispatcher: dispatcher, room: AnswerRoom(), threads: threads)
        jobs.add(to: routes)
        LogRoutes(jobs: jobs, data: setting.data, threads: threads).add(to: routes)
        ArtifactRoutes(jobs: jobs, data: setting.data, threads: threads).add(to: routes)
        EventRoutes(database: database, hub: hub).add(to: routes)
        SecretRoutes(database: database, store: setting.secrets).add(to: routes)
        PipelineRoutes(database: database, dispatcher: dispatcher).add(to: routes)
        CacheRoutes(cache: cache).add(to: routes)
        PlanRoutes(setting: setting, compiler: compiler).add(to: routes)
        MetricsRoute(
            database: database, dispatcher: dispatcher, metrics: metrics, reaper: reaper,
            sizes: DataSizes(
                folder: setting.data.path, cacheFolder: setting.cacheFolder, shared: cache.store,
                threads: threads), cache: cache.uses, traces: traces, started: started,
            disk: disk,
            isOpen: { configuration.values.metrics.open },
            isCurrent: { configuration.isCurrent }
        ).add(to: routes)
        SystemRoutes(
            database: database, dispatcher: dispatcher,
            facts: .init(version: Release.version, started: started), shutDown: shutDown
        ).add(to: routes)
        routes.finish(version: Release.version)
        return routes
    }
}
