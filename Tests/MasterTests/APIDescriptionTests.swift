import Compiler
import Logging
import NIOPosix
import Testing

import class Executor.ContentStore
import struct Executor.Timestamp

@testable import Master

/// The description of the API against the routes that there are.
@Suite struct APIDescriptionTests {
    let scratch: DatabaseScratch
    let routes: APIRoutes
    let document: JSONValue

    init() async throws {
        scratch = try DatabaseScratch()
        let database = try scratch.open()
        let threads = NIOThreadPool.singleton
        let logger = Logger(label: "test")
        let rows = StoredSecretRows(database: database)
        let secrets = try await SecretStore(
            rows: rows, file: SecretKeyFile(dataFolder: scratch.path)
        ) { try await rows.note($0) }
        let data = try DataFolder(scratch.path)
        let setting = JobRunner.Setting(
            database: database, data: data,
            mirrors: SourceMirrors(folder: data.mirrors, threads: threads),
            engine: EngineProcess(program: "/bin/false", cache: "/nonexistent", environment: []),
            watcher: try JournalWatcher(), secrets: secrets, threads: threads,
            cacheFolder: scratch.path, configuration: LiveConfiguration(MasterConfiguration()),
            logger: logger)
        let disk = DiskReserve(path: scratch.path, reserve: 0, threads: threads)
        let dispatcher = Dispatcher(
            setting, disk: disk, metrics: JobMetrics(),
            limits: JobQueue.Limits(active: 1, perPipeline: 1, weights: [:]),
            mostPending: 1, mostMilliseconds: 1)
        routes = MasterParts(
            setting: setting, dispatcher: dispatcher, hub: EventHub(),
            compiler: PlanCompiler(
                program: "/bin/false", environment: [], host: setting.engine.host,
                threads: threads),
            disk: disk, metrics: JobMetrics(), reaper: ReaperMetrics(),
            cache: SharedCache(
                store: try ContentStore("\(scratch.path)/cas"), database: database,
                threads: threads, disk: disk), traces: nil,
            started: .now(), shutDown: { _ in }
        ).routes()
        document = try JSONValue.parse(
            OpenAPIDocument(version: "1", routes: routes.all).encoded())
    }

    @Test func `every route is described, and nothing else`() throws {
        let paths = try #require(document["paths"]?.members)
        var described: Set<String> = []
        for path in paths {
            for operation in try #require(path.value.members) {
                described.insert("\(operation.key.uppercased()) \(path.key)")
            }
        }
        #expect(described == Set(routes.all.map { "\($0.method) \($0.path)" }))
        #expect(described.count == routes.all.count)
        #expect(described.contains("GET /api/v1/openapi.json"))
    }

    @Test func `names of operations are there once`() {
        let names = routes.all.map(\.operation.id)
        #expect(Set(names).count == names.count)
    }

    @Test func `each route says its level, and what changes something needs more than read`() {
        for route in routes.all {
            let described = document["paths"]?[route.path]?[route.method.lowercased()]
            #expect(described?["x-danube-level"]?.text == route.level?.rawValue)
            if route.method != "GET" {
                #expect(route.level == .write || route.level == .admin, "\(route.path)")
            }
        }
    }

    @Test func `each body and answer has a form that is there`() {
        let known = Set(APIComponents.all.map(\.key))
        for schema in APIComponents.all.map(\.value)
            + routes.all.flatMap({ route in
                ((route.operation.body.map { [$0] } ?? [])
                    + route.operation.answers.flatMap(\.content))
                    .map(\.schema)
            })
        {
            for part in schema.json.split(separator: "#/components/schemas/").dropFirst() {
                #expect(known.contains(String(part.prefix { $0 != "\"" })), "\(part)")
            }
        }
    }
}
