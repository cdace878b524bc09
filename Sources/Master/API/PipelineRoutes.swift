internal import Hummingbird
internal import PipelineIR

/// Routes of the pipelines of which there have been jobs.
struct PipelineRoutes: Sendable {
    let database: MasterDatabase

    /// Adds them.
    func add(to routes: APIRoutes) {
        routes.on(.get, "/api/v1/pipelines", .read, .listPipelines) { request, _ in
            try await list(request)
        }
        routes.on(.get, "/api/v1/pipelines/{name}", .read, .getPipeline) { _, context in
            let name = try context.part("name")
            guard let pipeline = try await database.pipeline(name) else {
                throw Problem(
                    .notFound, "No job is of a pipeline `\(ShownText.line(name, most: 200))`.",
                    hint: "GET /api/v1/pipelines lists those there are.")
            }
            let counts = try await counts([pipeline])
            return JSONAnswer.make { Self.write(pipeline, counts, to: &$0) }
        }
    }

    private func list(_ request: Request) async throws -> Response {
        let query = try Query(request, known: ["after", "limit"])
        let limit = try query.integer("limit", 1...PipelineListing.most) ?? PipelineListing.most
        let found = try await database.pipelines(after: query["after"] ?? "", limit: limit)
        let counts = try await counts(found)
        return JSONAnswer.make { json in
            json.beginObject()
            json.key("pipelines")
            json.beginArray()
            for pipeline in found { Self.write(pipeline, counts, to: &json) }
            json.endArray()
            json.member("next", found.count == limit ? found.last?.name : nil)
            json.endObject()
        }
    }

    private func counts(_ found: [PipelineSummary]) async throws -> [Int64: JobJSON.Counts] {
        try await database.stepCounts(of: found.map(\.last.number))
    }

    private static func write(
        _ pipeline: PipelineSummary, _ counts: [Int64: JobJSON.Counts], to json: inout JSONWriter
    ) {
        json.beginObject()
        json.member("name", pipeline.name)
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
