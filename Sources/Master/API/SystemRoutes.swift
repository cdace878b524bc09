internal import Hummingbird
internal import PipelineIR

internal import struct Executor.Timestamp

/// Routes of the master itself: how it is, who asks, tokens, and its end.
struct SystemRoutes: Sendable {
    /// What the master is.
    struct Facts: Sendable {
        var version: String
        var started: Timestamp
    }

    static let mostTokenSeconds: Int64 = 10 * 366 * 86_400

    let database: MasterDatabase
    let dispatcher: Dispatcher
    let facts: Facts
    /// Ends the master after its jobs, or at once.
    let shutDown: @Sendable (_ isForced: Bool) -> Void

    /// Adds them.
    func add(to routes: APIRoutes) {
        routes.on(.get, "/api/v1/health", nil, .getHealth) { _, _ in
            JSONAnswer.make { json in
                json.beginObject()
                json.member("status", "ok")
                json.endObject()
            }
        }
        routes.on(.get, "/api/v1/health/ready", nil, .getReadiness) { _, _ in await ready() }
        routes.on(.get, "/api/v1/status", .read, .getStatus) { _, _ in try await status() }
        routes.on(.get, "/api/v1/whoami", .read, .getWhoami) { _, context in whoami(context) }
        routes.on(.post, "/api/v1/drain", .admin, .drain) { request, _ in try await drain(request) }
        routes.on(.get, "/api/v1/tokens", .admin, .listTokens) { _, _ in try await tokens() }
        routes.on(.post, "/api/v1/tokens", .admin, .createToken) { request, _ in
            try await create(request)
        }
        routes.on(.delete, "/api/v1/tokens/{token}", .admin, .revokeToken) { _, context in
            try await revoke(context)
        }
    }

    private func ready() async -> Response {
        let problem = database.problem
        let isDraining = await dispatcher.counts.isDraining
        let isReady = problem == nil && !isDraining
        return JSONAnswer.make(isReady ? .ok : .serviceUnavailable) { json in
            json.beginObject()
            json.key("ready")
            json.bool(isReady)
            json.key("parts")
            json.beginObject()
            json.member("database", problem.map { "\($0)" } ?? "ok")
            json.member("jobs", isDraining ? "the master is about to stop" : "ok")
            json.endObject()
            json.endObject()
        }
    }

    private func status() async throws -> Response {
        let counts = await dispatcher.counts
        let states = try await database.jobCounts()
        return JSONAnswer.make { json in
            json.beginObject()
            json.member("version", facts.version)
            json.member("started", facts.started.utc)
            json.key("ready")
            json.bool(database.problem == nil && !counts.isDraining)
            json.key("draining")
            json.bool(counts.isDraining)
            json.key("jobs")
            json.beginObject()
            for state in JobState.allCases {
                json.key(state.rawValue)
                json.integer(states[state] ?? 0)
            }
            json.endObject()
            json.member("waiting_writes", Int64(database.waitingWrites))
            json.endObject()
        }
    }

    private func whoami(_ context: APIContext) -> Response {
        JSONAnswer.make { json in
            json.beginObject()
            json.member("name", context.token?.name)
            json.key("scopes")
            json.beginArray()
            for scope in TokenScope.allCases where context.token.map({ scope <= $0.scope }) ?? false
            {
                json.string(scope.rawValue)
            }
            json.endArray()
            json.member("expires", context.token?.expires?.utc)
            json.endObject()
        }
    }

    private func drain(_ request: Request) async throws -> Response {
        let body = try await JSONBody(request, of: ["timeout_seconds", "force"])
        let isForced = try body.bool("force") ?? false
        let seconds = try body.integer("timeout_seconds", 0...86_400)
        shutDown(isForced || seconds == 0)
        return JSONAnswer.make(.accepted) { json in
            json.beginObject()
            json.key("draining")
            json.bool(true)
            json.endObject()
        }
    }

    // MARK: Tokens

    private func tokens() async throws -> Response {
        let tokens = try await database.tokens()
        return JSONAnswer.make { json in
            json.beginObject()
            json.key("tokens")
            json.beginArray()
            for token in tokens { Self.write(token, text: nil, to: &json) }
            json.endArray()
            json.endObject()
        }
    }

    private func create(_ request: Request) async throws -> Response {
        let body = try await JSONBody(request, of: ["name", "scope", "expires_seconds"])
        let word = try body.neededText("scope")
        guard let scope = TokenScope(rawValue: word) else {
            throw Problem(
                .unprocessableContent, "There is no level `\(word)`.",
                hint: "Levels are read, write and admin.")
        }
        let now = Timestamp.now()
        let expires = try body.integer("expires_seconds", 1...Self.mostTokenSeconds).map {
            Timestamp(microseconds: now.microseconds + $0 * 1_000_000)
        }
        let made = try await database.createToken(
            name: try body.neededText("name"), scope: scope, expires: expires, at: now)
        return JSONAnswer.make(.created) { Self.write(made.token, text: made.text, to: &$0) }
    }

    private func revoke(_ context: APIContext) async throws -> Response {
        let text = try context.part("token")
        guard Int64(text) != context.token?.id else {
            throw Problem(
                .conflict, "A token does not revoke itself.",
                hint: "Make another one, and revoke this one with it.")
        }
        guard let id = Int64(text), try await database.revokeToken(id) else {
            throw Problem(.notFound, "There is no valid token \(text).")
        }
        return Response(status: .noContent)
    }

    private static func write(
        _ token: APIToken, text: TokenText?, to json: inout JSONWriter
    ) {
        json.beginObject()
        json.member("id", token.id)
        json.member("name", token.name)
        json.member("scope", token.scope.rawValue)
        json.member("created", token.created.utc)
        json.member("expires", token.expires?.utc)
        json.member("used", token.used?.utc)
        json.member("revoked", token.revoked?.utc)
        if let text { json.member("token", text.text) }
        json.endObject()
    }
}
