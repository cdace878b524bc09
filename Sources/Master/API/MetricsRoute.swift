internal import Hummingbird
internal import PipelineIR

internal import struct Executor.Timestamp

/// The route of figures for Prometheus.
struct MetricsRoute: Sendable {
    let database: MasterDatabase
    let dispatcher: Dispatcher
    let metrics: JobMetrics
    let reaper: ReaperMetrics
    let sizes: DataSizes
    let cache: CacheUses
    /// Where traces are sent.
    let traces: TraceExporter?
    let started: Timestamp
    let disk: DiskReserve
    /// Whether it is answered without a token.
    let isOpen: @Sendable () -> Bool
    /// Whether the configuration that was read last is in force.
    let isCurrent: @Sendable () -> Bool

    /// Adds it.
    func add(to routes: APIRoutes) {
        routes.on(.get, "/metrics", .read, .getMetrics, isOpen: isOpen) { _, _ in
            try await figures()
        }
    }

    private func figures() async throws -> Response {
        let counts = await dispatcher.counts
        let states = try await database.jobCounts()
        let sizes = try await sizes.sizes()
        let space = try await disk.space()
        var text = MetricsText()
        text.begin("danube_build_info", .gauge, "The version that runs, always 1.")
        text.add([("version", Release.version)], 1)
        text.begin("danube_start_time_seconds", .gauge, "When the master began.")
        text.add([], Double(started.sinceEpoch) / 1000)
        metrics.write(to: &text)
        dispatcher.decisions.write(to: &text)
        text.gauge("danube_active_jobs", "Jobs that run.", Int64(counts.running))
        text.gauge("danube_job_queue_size", "Jobs that wait.", Int64(counts.pending))
        text.begin("danube_jobs", .gauge, "Jobs in each state that are not forgotten.")
        for state in JobState.allCases {
            text.add([("state", state.rawValue)], Double(states[state] ?? 0))
        }
        text.gauge(
            "danube_db_waiting_writes", "Requests to the database that wait to be written.",
            Int64(database.waitingWrites))
        text.gauge("danube_db_size_bytes", "Size of the database.", sizes.database)
        text.gauge("danube_log_size_bytes", "Size of the logs of all jobs.", sizes.logs)
        text.begin("danube_cache_size_bytes", .gauge, "Size of a cache, as it was found lately.")
        text.add([("cache", "jobs")], Double(sizes.cache))
        text.add([("cache", "shared")], Double(sizes.shared))
        cache.write(to: &text)
        text.gauge("danube_disk_free_bytes", "Free space on the data folder's disk.", space.free)
        text.gauge("danube_disk_size_bytes", "Size of the data folder's disk.", space.total)
        reaper.write(to: &text)
        traces?.write(to: &text)
        text.gauge(
            "danube_config_last_reload_successful",
            "Whether the configuration that was read last had no mistake.", isCurrent() ? 1 : 0)
        return Response(
            status: .ok, headers: [.contentType: "text/plain; version=0.0.4; charset=utf-8"],
            body: .init(byteBuffer: ByteBuffer(string: text.text)))
    }
}
