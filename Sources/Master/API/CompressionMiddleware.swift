internal import HTTPTypes
internal import Hummingbird
internal import NIOCore
internal import NIOPosix
internal import Synchronization

/// Compresses answers in JSON that are worth it, for those who take them so.
struct CompressionMiddleware: RouterMiddleware {
    typealias Context = APIContext

    /// For what takes longer to compress than the cooperative pool should wait for.
    let threads: NIOThreadPool

    private static let sizes = 1024...(64 << 20)
    private static let mostAtOnce = 32 << 10

    func handle(
        _ request: Request, context: APIContext,
        next: (Request, APIContext) async throws -> Response
    ) async throws -> Response {
        var response = try await next(request, context)
        guard request.method != .head, let size = response.body.contentLength,
            Self.sizes.contains(size), response.headers[.contentEncoding] == nil,
            response.headers[.contentType]?.hasPrefix("application/json") ?? false
        else { return response }
        response.headers[.vary] = "Accept-Encoding"
        guard AcceptedEncoding.takesGzip(request.headers[.acceptEncoding]) else { return response }
        let collected = Collected()
        try await response.body.write(collected)
        let bytes = collected.bytes
        let packed =
            size <= Self.mostAtOnce
            ? try Self.pack(bytes) : try await threads.runIfActive { try Self.pack(bytes) }
        response.body = .init(byteBuffer: ByteBuffer(bytes: packed))
        response.headers[.contentEncoding] = "gzip"
        response.headers[.contentLength] = "\(packed.count)"
        if let tag = response.headers[.eTag], !tag.hasPrefix("W/") {
            // The bytes are others than those of the tag, what they mean is the same.
            response.headers[.eTag] = "W/\(tag)"
        }
        return response
    }

    private static func pack(_ bytes: [UInt8]) throws(ArtifactProblem) -> [UInt8] {
        var stream = try GzipStream(level: 4)
        return stream.add(bytes, isLast: true)
    }

    /// What a body writes.
    private final class Collected: ResponseBodyWriter, Sendable {
        private let held = Mutex<[UInt8]>([])

        var bytes: [UInt8] { held.withLock { $0 } }

        func write(_ buffer: ByteBuffer) async throws {
            held.withLock { $0 += buffer.readableBytesView }
        }

        func finish(_ trailingHeaders: HTTPFields?) async throws {}
    }
}
