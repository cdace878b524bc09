internal import CSandbox
internal import Glibc
internal import HTTPTypes
internal import Hummingbird
internal import HummingbirdCore
internal import Logging
internal import NIOCore
internal import NIOPosix
internal import ServiceLifecycle
internal import UnixSignals

internal import enum Executor.CacheError
internal import class Executor.ContentStore
internal import struct Executor.Timestamp

/// A running master: its parts, how they begin and how they end.
struct MasterServer: Sendable {
    /// As it was at the start.
    private let configuration: MasterConfiguration
    private let live: LiveConfiguration
    private let environment: [String: String]
    private let read: @Sendable () throws -> MasterConfiguration
    private let sink: LogSink
    private let logger: Logger

    /// How long SIGTERM waits for jobs; those that go on are left to the next master.
    private static let patience = Duration.seconds(10)
    /// Files that it opens beside the connections, at most.
    private static let ownFiles: UInt = 4096
    /// What is read of a body beyond the most, so that a refusal arrives before the connection is
    /// closed.
    private static let bodySlack: Int64 = 1 << 20

    /// - Parameter read: reads the configuration again.
    init(
        _ configuration: MasterConfiguration, environment: [String: String],
        read: @escaping @Sendable () throws -> MasterConfiguration
    ) {
        self.configuration = configuration
        self.environment = environment
        self.read = read
        live = LiveConfiguration(configuration)
        let sink = LogSink(
            format: configuration.log.format, level: configuration.log.level, redact: { $0 })
        self.sink = sink
        logger = Logger(label: "master") { MasterLogHandler(label: $0, sink: sink) }
    }

    /// Runs until it is told to end.
    func run() async throws {
        let started = Timestamp.now()
        danube_master_protect(UInt(configuration.http.maxConnections) + Self.ownFiles)
        let pools = MasterPools()
        let hub = EventHub()
        let queue = configuration.traces.endpoint == nil ? nil : TraceQueue()
        let (data, database) = try await open(pools.files) { events in
            hub.wake()
            queue?.take(events)
        }
        if let path = try await FirstToken.make(in: data.path, database) {
            MasterProgram.say(
                "The administrator's token is in \(path)\n", to: STDOUT_FILENO)
        }
        let traces = try await exporter(queue, database, pools.files)
        let secrets = try await openSecrets(data, database)
        let setting = try setting(data, database, secrets, pools)
        let disk = DiskReserve(
            path: data.path, reserve: configuration.disk.reserve, threads: pools.files)
        let metrics = JobMetrics()
        metrics.begin(with: try await database.endedJobs())
        let dispatcher = Dispatcher(
            setting, disk: disk, metrics: metrics, limits: Self.limits(configuration),
            mostPending: configuration.jobs.queue,
            mostMilliseconds: Self.mostMilliseconds(configuration))
        try await dispatcher.start()
        let cache = try await openCache(data, database, disk, pools.files)
        let reaper = Reaper(
            data: data.path, database: database, shared: cache.store,
            cacheFolder: configuration.cache.folder, mirrors: setting.mirrors,
            threads: pools.files, metrics: ReaperMetrics(), logger: logger,
            hold: { await dispatcher.hold($0) })
        let (ends, end) = AsyncStream.makeStream(of: Bool.self)
        let parts = MasterParts(
            setting: setting, dispatcher: dispatcher, hub: hub,
            compiler: PlanCompiler(
                program: setting.engine.program, environment: setting.engine.environment,
                host: setting.engine.host, threads: pools.plans),
            disk: disk, metrics: metrics, reaper: reaper.metrics, cache: cache, traces: traces,
            started: started,
            shutDown: { end.yield($0) })
        let reaping = ReaperService(
            reaper: reaper, disk: disk, configuration: live, started: started)
        let reloading = reloading(dispatcher, disk, pools)
        let ending = EndService(
            ends: ends, dispatcher: dispatcher, hub: hub, patience: Self.patience)
        try await serve(parts.routes(), ending, [reaping, reloading] + (traces.map { [$0] } ?? []))
        await dispatcher.abandon()
        await traces?.flush()
        try await pools.files.runIfActive { database.close() }
        try await pools.end()
        withExtendedLifetime(data) {}
        logger.info("ended")
    }

    private func open(
        _ threads: NIOThreadPool, _ committed: @escaping @Sendable ([JobEvent]) -> Void
    ) async throws -> (DataFolder, MasterDatabase) {
        let logger = logger
        let path = configuration.data
        return try await threads.runIfActive {
            do {
                let data = try DataFolder(path)
                var options = MasterDatabase.Options()
                options.committed = committed
                options.failed = { error in
                    // Nobody knows what is on the disk: the next master finds out.
                    logger.critical("\(error)")
                    exit(3)
                }
                return (data, try MasterDatabase(folder: path, options: options))
            } catch let problem as DataFolder.Problem {
                throw StartFailure(message: "\(problem)", hint: problem.hint)
            } catch let error as MasterDatabaseError {
                throw StartFailure(message: "\(error)", hint: error.hint)
            }
        }
    }

    /// What sends traces, where that is wanted.
    private func exporter(
        _ queue: TraceQueue?, _ database: MasterDatabase, _ threads: NIOThreadPool
    ) async throws -> TraceExporter? {
        guard let queue, let endpoint = configuration.traces.endpoint else { return nil }
        let file = configuration.traces.headers
        let headers: [String]
        do {
            headers = try await threads.runIfActive { try file.map(TraceHeaders.read) ?? [] }
        } catch let mistake as TraceHeaders.Mistake {
            throw StartFailure(message: mistake.message, hint: mistake.hint)
        }
        return TraceExporter(
            database, queue, TraceCollector(endpoint: endpoint, headers: headers),
            share: configuration.traces.sample, logger: logger)
    }

    private func openSecrets(
        _ data: DataFolder, _ database: MasterDatabase
    ) async throws -> SecretStore {
        let rows = StoredSecretRows(database: database)
        do {
            let store = try await SecretStore(
                rows: rows, file: SecretKeyFile(dataFolder: data.path)
            ) { try await rows.note($0) }
            if let error = store.unfinished {
                logger.error("the rotation of the key of secrets is not ended: \(error.message)")
            }
            return store
        } catch let error as SecretError {
            throw StartFailure(
                message: error.message, hint: error.hint ?? "Look at the disk of the data folder.")
        }
    }

    private func openCache(
        _ data: DataFolder, _ database: MasterDatabase, _ disk: DiskReserve,
        _ threads: NIOThreadPool
    ) async throws -> SharedCache {
        let folder = "\(data.path)/\(SharedCache.folderName)"
        do {
            let store = try await threads.runIfActive { try ContentStore(folder) }
            return SharedCache(store: store, database: database, threads: threads, disk: disk)
        } catch let error as CacheError {
            throw StartFailure(
                message: "\(error)", hint: "Make it writable, or name another folder with --data.")
        }
    }

    /// Reads the configuration again, and tells those who keep a value of it.
    private func reloading(
        _ dispatcher: Dispatcher, _ disk: DiskReserve, _ pools: MasterPools
    ) -> ReloadService {
        let sink = sink
        return ReloadService(
            live: live, read: read,
            apply: { newer in
                sink.level = newer.log.level
                sink.format = newer.log.format
                disk.reserve = newer.disk.reserve
                await dispatcher.change(
                    limits: Self.limits(newer), mostPending: newer.jobs.queue,
                    mostMilliseconds: Self.mostMilliseconds(newer))
            }, threads: pools.files, logger: logger)
    }

    private static func mostMilliseconds(_ configuration: MasterConfiguration) -> Int64 {
        configuration.jobs.maxDuration.components.seconds * 1000
    }

    private static func limits(_ configuration: MasterConfiguration) -> JobQueue.Limits {
        JobQueue.Limits(
            active: configuration.jobs.active, perPipeline: configuration.jobs.perPipeline,
            perTeam: configuration.jobs.perTeam > 0
                ? configuration.jobs.perTeam : configuration.jobs.limit + JobQueue.ahead,
            weights: configuration.teams.mapValues { Double($0.weight) })
    }

    private func setting(
        _ data: DataFolder, _ database: MasterDatabase, _ secrets: SecretStore,
        _ pools: MasterPools
    ) throws -> JobRunner.Setting {
        var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
        let count = readlink("/proc/self/exe", &buffer, buffer.count - 1)
        let own = String(
            decoding: buffer.prefix(max(0, count)).map { UInt8(bitPattern: $0) }, as: UTF8.self)
        let program = own.split(separator: "/").dropLast().map { "/\($0)" }.joined() + "/danube"
        guard access(program, X_OK) == 0 else {
            throw StartFailure(
                message: "there is no program \(program), which runs the jobs",
                hint: "Install danube and danube-master into one folder.")
        }
        return JobRunner.Setting(
            database: database, data: data,
            mirrors: SourceMirrors(
                folder: data.mirrors, threads: pools.fetches,
                allowsPrivate: configuration.repositories.isPrivateAllowed),
            engine: EngineProcess(
                program: program, cache: configuration.cache.folder,
                environment: engineEnvironment),
            watcher: try JournalWatcher(), secrets: secrets, threads: pools.files,
            cacheFolder: configuration.cache.folder, configuration: live, logger: logger)
    }

    /// What engines are given of the master's environment: nothing that could be a secret.
    private var engineEnvironment: [String] {
        var variables = [
            "XDG_CACHE_HOME=\(configuration.cache.folder)", "LANG=C.UTF-8",
            "PATH=\(environment["PATH"] ?? "/usr/local/bin:/usr/bin:/bin")",
        ]
        for name in ["HOME", "TMPDIR", "DANUBE_PODMAN_FLAGS", "DANUBE_PYBRIDGE", "USER"] {
            if let value = environment[name] { variables.append("\(name)=\(value)") }
        }
        return variables
    }

    private func serve(
        _ routes: APIRoutes, _ ending: EndService, _ others: [any Service]
    ) async throws {
        let logger = logger
        let listen = configuration.http.listen
        let live = live
        let (idle, stall) = (
            TimeAmount(configuration.http.idleTimeout), TimeAmount(configuration.http.stallTimeout)
        )
        var server = HTTP1Channel.Configuration(
            additionalChannelHandlers: [
                BodyCutter(most: live.values.http.maxBody + Self.bodySlack),
                SlowClientCutter(idle: idle, stall: stall),
            ], idleTimeout: idle)
        server.httpDecoder = .init(
            maxHeaderFieldSize: 16 << 10, maxHeaderListSize: 64 << 10, maxHeaderFieldCount: 200)
        let application = Application(
            router: routes.router, server: .http1(configuration: server),
            configuration: .init(
                address: .hostname(listen.host, port: listen.port), serverName: "danube",
                availableConnectionsDelegate: MaximumAvailableConnections(
                    configuration.http.maxConnections)),
            onServerRunning: { channel in
                let port = channel.localAddress?.port ?? listen.port
                logger.info("ready on http://\(listen.host):\(port)")
            }, logger: logger)
        let group = ServiceGroup(
            configuration: .init(
                services: others.map { .init(service: $0) } + [
                    .init(service: application),
                    .init(
                        service: ending, successTerminationBehavior: .gracefullyShutdownGroup),
                ], logger: logger))
        do {
            try await group.run()
        } catch let error as IOError {
            throw StartFailure(
                message: "cannot listen on \(listen.host):\(listen.port): \(error)",
                hint: "Choose another address with --http-listen.")
        }
    }
}
