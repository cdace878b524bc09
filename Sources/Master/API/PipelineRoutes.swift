internal import Hummingbird
internal import PipelineIR

/// Routes of the pipelines of which there have been jobs.
struct PipelineRoutes: Sendable {
    let database: MasterDatabase
    let dispatcher: Dispatcher

    /// Adds them.
    func add(to routes: APIRoutes) {
        routes.on(.get, "/api/v1/pipelines", .read, .listPipelines) { request, _ in
            try await list(request)
        }
        routes.on(.get, "/api/v1/pipelines/{name}", .read, .getPipeline) { _, context in
            try await answer(try await pipeline(context))
        }
        routes.on(.post, "/api/v1/pipelines/{name}/pause", .write, .pausePipeline) { _, context in
            try await pause(context, true)
        }
        routes.on(
            .post, "/api/v1/pipelines/{name}/resume", .write, .resumePipeline
        ) { _, context in try await pause(context, false) }
    }

    private func pipeline(_ context: APIContext) async throws -> PipelineSummary {
        let name = try context.part("name")
        guard let pipeline = try await database.pipeline(name) else {
            throw Problem(
                .notFound, "No job is of a pipeline `\(ShownText.line(name, most: 200))`.",
                hint: "GET /api/v1/pipelines lists those there are.")
        }
        return pipeline
    }

    private func pause(_ context: APIContext, _ isPaused: Bool) async throws -> Response {
        let pipeline = try await pipeline(context)
        try await dispatcher.pause(pipeline.name, isPaused)
        return try await answer(try await database.pipeline(pipeline.name) ?? pipeline)
    }

    private func answer(_ pipeline: PipelineSummary) async throws -> Response {
        let counts = try await counts([pipeline])
        let paused = try await database.pausedPipelines()
        return JSONAnswer.make { Self.write(pipeline, counts, paused, to: &$0) }
    }

    private func list(_ request: Request) async throws -> Response {
        let query = try Query(request, known: ["after", "limit"])
        let limit = try query.integer("limit", 1...PipelineListing.most) ?? PipelineListing.most
        let found = try await database.pipelines(after: query["after"] ?? "", limit: limit)
        let counts = try await counts(found)
        let paused = try await database.pausedPipelines()
        return JSONAnswer.make { json in
            json.beginObject()
            json.key("pipelines")
            json.beginArray()
            for pipeline in found { Self.write(pipeline, counts, paused, to: &json) }
            json.endArray()
            json.member("next", found.count == limit ? found.last?.name : nil)
            json.endObject()
        }
    }

    private func counts(_ found: [PipelineSummary]) async throws -> [Int64: JobJSON.Counts] {
        try await database.stepCounts(of: found.map(\.last.number))
    }

    private static func write(
        _ pipeline: PipelineSummary, _ counts: [Int64: JobJSON.Counts], _ paused: Set<String>,
        to json: inout JSONWriter
    ) {
        json.beginObject()
        json.member("name", pipeline.name)
        json.key("paused")
        json.bool(paused.contains(pipeline.name))
        json.key("jobs")
        json.beginObject()
        for state in JobState.allCases {
            json.key(state.rawValue)
            json.integer(pipeline.counts[state] ?? 0)
        }
        json.endObject()
        json.key("last")
        JobJSON.write(pipeline.last, counts[pipeline.last.number] ?? .init(), to: &json)
        json.endObject()
    }
}
