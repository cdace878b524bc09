internal import HTTPTypes
internal import Hummingbird
internal import NIOCore

/// Refuses bodies that are larger than `http.max_body`, before or while they are read.
struct BodyLimitMiddleware: RouterMiddleware {
    typealias Context = APIContext

    let limit: @Sendable () -> Int64

    func handle(
        _ request: Request, context: APIContext,
        next: (Request, APIContext) async throws -> Response
    ) async throws -> Response {
        let most = limit()
        if let header = request.headers[.contentLength] {
            guard let length = Int64(header), length >= 0 else {
                throw Problem(.badRequest, "Content-Length is no number.")
            }
            guard length <= most else { throw Self.tooLarge(most) }
        }
        var request = request
        request.body = RequestBody(asyncSequence: LimitedBody(body: request.body, most: most))
        return try await next(request, context)
    }

    fileprivate static func tooLarge(_ most: Int64) -> Problem {
        Problem(
            .contentTooLarge, "The body has more than \(Quantities.text(bytes: most)).",
            hint: "`http.max_body` says how large one may be.")
    }
}

/// A body that ends with an error where it is too long.
private struct LimitedBody: AsyncSequence, Sendable {
    typealias Element = ByteBuffer

    let body: RequestBody
    let most: Int64

    struct AsyncIterator: AsyncIteratorProtocol {
        var body: RequestBody.AsyncIterator
        var left: Int64
        let most: Int64

        mutating func next() async throws -> ByteBuffer? {
            guard let buffer = try await body.next() else { return nil }
            left -= Int64(buffer.readableBytes)
            guard left >= 0 else { throw BodyLimitMiddleware.tooLarge(most) }
            return buffer
        }
    }

    func makeAsyncIterator() -> AsyncIterator {
        AsyncIterator(body: body.makeAsyncIterator(), left: most, most: most)
    }
}
