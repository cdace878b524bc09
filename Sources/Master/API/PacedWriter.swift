internal import HTTPTypes
internal import Hummingbird
internal import NIOCore

/// Writes an answer of any length, of which no more is in memory than its client is about to take.
///
/// What is written to a channel is taken until its event loop has said that the channel is full. A
/// loop that is busy says so late, and a log could be in memory as often as it is followed. So the
/// loop is waited for after some bytes.
struct PacedWriter {
    private var writer: any ResponseBodyWriter
    private let loop: any EventLoop
    private var ahead = 0

    /// Bytes after which the loop is waited for.
    private static let mostAhead = 64 << 10
    /// The most bytes that are copied at once.
    static let pieceBytes = 16 << 10

    fileprivate init(_ writer: any ResponseBodyWriter, _ loop: any EventLoop) {
        self.writer = writer
        self.loop = loop
    }

    /// Writes a buffer.
    mutating func write(_ buffer: ByteBuffer) async throws {
        ahead += buffer.readableBytes
        try await writer.write(buffer)
        guard ahead >= Self.mostAhead else { return }
        ahead = 0
        try await loop.submit {}.get()
    }

    /// Writes bytes piece by piece, so that a client that stalls holds no second copy of them.
    mutating func write(pieces bytes: [UInt8]) async throws {
        var start = 0
        while start < bytes.count {
            let end = min(start + Self.pieceBytes, bytes.count)
            try await write(ByteBuffer(bytes: bytes[start..<end]))
            start = end
        }
    }

    fileprivate consuming func finish() async throws { try await writer.finish(nil) }
}

extension ResponseBody {
    /// A body that a block writes to the connection of a request.
    ///
    /// - Parameter length: its bytes, where they are known.
    static func streamed(
        to context: APIContext, length: Int? = nil,
        _ write: @escaping @Sendable (inout PacedWriter) async throws -> Void
    ) -> ResponseBody {
        let loop = context.loop
        return ResponseBody(contentLength: length) { body in
            var writer = PacedWriter(body, loop)
            try await write(&writer)
            try await writer.finish()
        }
    }
}
