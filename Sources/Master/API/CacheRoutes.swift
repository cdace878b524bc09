internal import HTTPTypes
internal import Hummingbird
internal import NIOCore
internal import PipelineIR

/// Routes of the cache for others: `/cas` and `/ac`, as Bazel and its like ask for them, and
/// contents beneath the rest of the API as well.
struct CacheRoutes: Sendable {
    let cache: SharedCache

    /// Adds them.
    func add(to routes: APIRoutes) {
        routes.on(.get, "/api/v1/cas/{digest}", .read, .getContent) { _, context in
            try await content(context)
        }
        routes.on(.put, "/api/v1/cas/{digest}", .write, .putContent) { request, context in
            try await put(request, context)
        }
        routes.on(.get, "/cas/{digest}", .read, .getBazelContent) { _, context in
            try await content(context)
        }
        routes.on(.put, "/cas/{digest}", .write, .putBazelContent) { request, context in
            try await put(request, context)
        }
        routes.on(.get, "/ac/{digest}", .read, .getBazelResult) { _, context in
            try await result(context)
        }
        routes.on(.put, "/ac/{digest}", .write, .putBazelResult) { request, context in
            try await putResult(request, context)
        }
    }

    private func digest(_ context: APIContext) throws -> Digest {
        let text = try context.part("digest")
        guard text.utf8.count == 64, text == text.lowercased(), let digest = Digest(hex: text)
        else {
            throw Problem(.badRequest, "The path has no SHA-256 in 64 small hexadecimal digits.")
        }
        return digest
    }

    private func content(_ context: APIContext) async throws -> Response {
        let digest = try digest(context)
        guard let reader = try await cache.content(digest) else {
            throw Problem(.notFound, "There is no content \(digest.hex).")
        }
        let threads = cache.threads
        return Response(
            status: .ok, headers: Self.headers(digest),
            body: .streamed(to: context, length: Int(clamping: reader.size)) { writer in
                while let part = try await reader.next(on: threads) {
                    try await writer.write(part)
                }
            })
    }

    private func put(_ request: Request, _ context: APIContext) async throws -> Response {
        let digest = try digest(context)
        let size = request.headers[.contentLength].flatMap { Int64($0) } ?? 0
        guard try await cache.keep(request.body, as: digest, size: size) else {
            throw Problem(
                .unprocessableContent, "The content is not that of \(digest.hex).",
                hint: "A content is put under its SHA-256.")
        }
        return Response(status: .noContent)
    }

    private func result(_ context: APIContext) async throws -> Response {
        let digest = try digest(context)
        guard let result = try await cache.result(digest) else {
            throw Problem(.notFound, "Nothing is known of the action \(digest.hex).")
        }
        return Response(
            status: .ok, headers: [.contentType: "application/octet-stream"],
            body: .init(byteBuffer: ByteBuffer(bytes: result)))
    }

    private func putResult(_ request: Request, _ context: APIContext) async throws -> Response {
        let digest = try digest(context)
        let buffer: ByteBuffer
        do {
            buffer = try await request.body.collect(upTo: SharedCache.mostResultBytes)
        } catch is NIOTooManyBytesError {
            throw Problem(
                .contentTooLarge,
                "What is said of an action has more than \(SharedCache.mostResultBytes) bytes.")
        }
        try await cache.keep(Array(buffer.readableBytesView), for: digest)
        return Response(status: .noContent)
    }

    private static func headers(_ digest: Digest) -> HTTPFields {
        [
            .contentType: "application/octet-stream", .eTag: "\"\(digest.hex)\"",
            .cacheControl: "private, max-age=31536000, immutable",
        ]
    }
}
