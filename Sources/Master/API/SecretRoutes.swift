internal import Compiler
internal import HTTPTypes
internal import Hummingbird
internal import PipelineIR

internal import struct Executor.Timestamp

/// Routes of secrets. A value goes in; none comes out.
struct SecretRoutes: Sendable {
    let database: MasterDatabase
    let store: SecretStore

    /// Adds them.
    func add(to routes: APIRoutes) {
        routes.on(.get, "/api/v1/secrets", .read, .listSecrets) { request, _ in
            try await list(request)
        }
        routes.on(.put, "/api/v1/secrets/{scope}/{name}", .write, .putSecret) { request, context in
            try await put(request, context)
        }
        routes.on(.delete, "/api/v1/secrets/{scope}/{name}", .write, .deleteSecret) { _, context in
            try await remove(context)
        }
        routes.on(.post, "/api/v1/secrets/rotate-key", .admin, .rotateSecretKey) {
            request, context in
            _ = try await JSONBody(request, of: [])
            try await store.rotateKey(by: context.actor)
            return Response(status: .noContent)
        }
    }

    private func list(_ request: Request) async throws -> Response {
        let query = try Query(request, known: ["scope"])
        let records = try await database.secrets(scope: query["scope"])
        let secrets = try records.map { ($0, try StoredSecretRows.summary($0)) }
        return JSONAnswer.make { json in
            json.beginObject()
            json.key("secrets")
            json.beginArray()
            for (record, summary) in secrets { Self.write(record, summary, to: &json) }
            json.endArray()
            json.endObject()
        }
    }

    /// Sets a value, or the restrictions alone where there is none in the body.
    private func put(_ request: Request, _ context: APIContext) async throws -> Response {
        let id = try id(context)
        let body = try await JSONBody(request, of: ["value", "branches", "events"])
        let restriction = try SecretRestriction(
            branches: try body.texts("branches"), events: try body.texts("events"))
        if body["value"] != nil {
            var bytes = Array(try body.neededText("value").utf8)
            let value = SecretValue(taking: &bytes)
            try await store.set(id, value, restriction, by: context.actor)
        } else {
            try await store.restrict(id, to: restriction, by: context.actor)
        }
        let name = SecretName(scope: id.scope.description, name: id.name)
        guard let record = try await database.secret(name)?.record else {
            throw SecretError.missing(id.description)
        }
        let summary = try StoredSecretRows.summary(record)
        return JSONAnswer.make { Self.write(record, summary, to: &$0) }
    }

    private func remove(_ context: APIContext) async throws -> Response {
        let id = try id(context)
        guard try await store.remove(id, by: context.actor) else {
            throw SecretError.missing(id.description)
        }
        return Response(status: .noContent)
    }

    private func id(_ context: APIContext) throws -> SecretID {
        let text = try context.part("scope")
        guard let scope = SecretScope(text) else {
            throw SecretError.badScope(ShownText.line(text, most: 64))
        }
        return try SecretID(scope, try context.part("name"))
    }

    private static func write(
        _ record: SecretRecord, _ summary: SecretSummary, to json: inout JSONWriter
    ) {
        json.beginObject()
        json.member("scope", record.name.scope)
        json.member("name", record.name.name)
        json.member("version", record.version)
        json.key("branches")
        json.beginArray()
        for branch in summary.restriction.branches { json.string(branch.text) }
        json.endArray()
        json.key("events")
        json.beginArray()
        for event in summary.restriction.events { json.string(event) }
        json.endArray()
        json.member("created", record.created.utc)
        json.member("changed", record.changed.utc)
        json.member("changed_by", record.changedBy)
        json.endObject()
    }
}
