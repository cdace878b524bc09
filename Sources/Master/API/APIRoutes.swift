internal import HTTPTypes
internal import Hummingbird
internal import Logging
internal import NIOPosix

/// The routes of the API: each names the level that a token needs for it, or that it needs none.
final class APIRoutes {
    /// A route, for the description of the API and for the test that tries all of them.
    struct Route: Sendable, Equatable {
        var method: String
        /// With parameters as `{name}`.
        var path: String
        /// `nil` where everybody may ask.
        var level: TokenScope?
        var operation: APIOperation

        /// The names of the parameters in the path.
        var parts: [String] {
            path.split(separator: "/").filter { $0.hasPrefix("{") }.map {
                String($0.dropFirst().dropLast())
            }
        }
    }

    let router = Router(context: APIContext.self, options: .autoGenerateHeadEndpoints)
    private(set) var all: [Route] = []
    private let database: MasterDatabase
    private let uses = TokenUses()

    /// - Parameters:
    ///   - threads: for what takes long to compute.
    ///   - mostBody: the most bytes of a body, which may change.
    init(
        database: MasterDatabase, threads: NIOThreadPool,
        mostBody: @escaping @Sendable () -> Int64, logger: Logger
    ) {
        self.database = database
        // They hold for the routes that are added after them.
        router.middlewares.add(CompressionMiddleware(threads: threads))
        router.middlewares.add(ProblemMiddleware(logger: logger))
        router.middlewares.add(BodyLimitMiddleware(limit: mostBody))
    }

    /// Adds a route.
    ///
    /// - Parameter isOpen: whether it is answered without a token all the same.
    func on(
        _ method: HTTPRequest.Method, _ path: String, _ level: TokenScope?,
        _ operation: APIOperation, isOpen: @escaping @Sendable () -> Bool = { false },
        _ handler: @escaping @Sendable (Request, APIContext) async throws -> Response
    ) {
        all.append(
            Route(method: method.rawValue, path: path, level: level, operation: operation))
        let (database, uses) = (database, uses)
        router.on(RouterPath(Self.template(path)), method: method) { request, context in
            var context = context
            if let level, !isOpen() {
                context.token = try await Self.check(request, level, database, uses)
            }
            return try await handler(request, context)
        }
    }

    /// Adds the description of all routes, and answers for the methods that a path does not have.
    func finish(version: String) {
        let path = "/api/v1/openapi.json"
        let itself = Route(method: "GET", path: path, level: nil, operation: .getDescription)
        let document = OpenAPIDocument(version: version, routes: all + [itself]).encoded()
        on(.get, path, nil, .getDescription) { _, _ in JSONAnswer.bytes(.ok, document) }
        for path in Set(all.map(\.path)) {
            var methods = Set(all.filter { $0.path == path }.map(\.method))
            if methods.contains("GET") { methods.insert("HEAD") }
            let allowed = methods.sorted().joined(separator: ", ")
            for method in Self.methods where !methods.contains(method.rawValue) {
                router.on(RouterPath(Self.template(path)), method: method) { _, _ -> Response in
                    throw Problem(
                        .methodNotAllowed, "There is no \(method.rawValue) here.",
                        hint: "There is \(allowed).", allowed: allowed)
                }
            }
        }
    }

    private static let methods: [HTTPRequest.Method] =
        [
            .get, .head, .post, .put, .patch, .delete, .options, .trace,
        ] + [HTTPRequest.Method("QUERY")].compactMap { $0 }

    /// `{name}` as the router has it: `:name`.
    private static func template(_ path: String) -> String {
        path.split(separator: "/").map { part in
            part.hasPrefix("{") ? ":\(part.dropFirst().dropLast())" : String(part)
        }.joined(separator: "/")
    }

    /// The text of a token: after `Bearer`, or the password of `Basic` (RFC 7617), which is all
    /// that some clients of caches know.
    private static func token(in header: String) -> String? {
        let words = header.split(separator: " ", maxSplits: 1)
        guard words.count == 2 else { return nil }
        switch words[0].lowercased() {
        case "bearer": return String(words[1])
        case "basic":
            guard let bytes = Base64.decode(String(words[1])),
                let pair = String(validating: bytes, as: UTF8.self),
                let colon = pair.firstIndex(of: ":")
            else { return nil }
            return String(pair[pair.index(after: colon)...])
        default: return nil
        }
    }

    private static func check(
        _ request: Request, _ level: TokenScope, _ database: MasterDatabase, _ uses: TokenUses
    ) async throws -> APIToken {
        guard let header = request.headers[.authorization], let text = token(in: header) else {
            throw Problem(
                .unauthorized, "This needs a token.",
                hint: "Send `Authorization: Bearer dnb_…`; `danube login` keeps one.")
        }
        guard let token = try await database.authenticate(text) else {
            throw Problem(
                .unauthorized, "The token is unknown, expired or revoked.",
                hint: "Ask an administrator for a new one.")
        }
        guard token.scope >= level else {
            throw Problem(
                .forbidden, "This needs a token of level \(level.rawValue).",
                hint: "The token `\(token.name)` has level \(token.scope.rawValue).")
        }
        uses.note(token, in: database)
        return token
    }
}
