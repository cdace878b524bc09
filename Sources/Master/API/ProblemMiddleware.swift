internal import HTTPTypes
internal import Hummingbird
internal import Logging

/// Turns whatever is thrown into a problem, and gives every answer the id of its request.
struct ProblemMiddleware: RouterMiddleware {
    typealias Context = APIContext

    let logger: Logger

    func handle(
        _ request: Request, context: APIContext,
        next: (Request, APIContext) async throws -> Response
    ) async throws -> Response {
        var response: Response
        do {
            response = try await next(request, context)
        } catch {
            let problem = Problem(of: error)
            if problem.status.code >= 500 {
                logger.error(
                    "\(error)",
                    metadata: [
                        "request": "\(context.id)", "path": "\(request.uri.path)",
                        "status": "\(problem.status.code)",
                    ])
            }
            response = problem.response(from: request, context: context)
        }
        response.headers[Self.name] = context.id
        response.headers[.init("X-Content-Type-Options") ?? .server] = "nosniff"
        return response
    }

    private static let name = HTTPField.Name("X-Request-Id") ?? .server
}
