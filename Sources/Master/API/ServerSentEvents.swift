internal import HTTPTypes
internal import Hummingbird
internal import NIOCore
internal import PipelineIR

/// Answers that go on (Server-Sent Events of the HTML standard).
enum ServerSentEvents {
    /// Writes events.
    struct Writer {
        fileprivate var body: PacedWriter

        /// Writes an event with an object of JSON as its data, which has no line breaks.
        ///
        /// - Parameter size: about how many bytes of text the data has.
        mutating func write(
            id: UInt64?, event: String?, size: Int = 0, _ data: (inout JSONWriter) -> Void
        ) async throws {
            var json = JSONWriter(capacity: size + size / 16 + 256)
            data(&json)
            try await write(id: id, event: event, bytes: json.bytes)
        }

        /// Writes an event whose data is JSON already.
        mutating func write(id: UInt64?, event: String?, bytes: [UInt8]) async throws {
            var buffer = ByteBuffer()
            if let id { buffer.writeString("id: \(id)\n") }
            if let event { buffer.writeString("event: \(event)\n") }
            buffer.writeString("data: ")
            if bytes.count < PacedWriter.pieceBytes {
                buffer.writeBytes(bytes)
                buffer.writeString("\n\n")
                return try await body.write(buffer)
            }
            try await body.write(buffer)
            try await body.write(pieces: bytes)
            try await body.write(ByteBuffer(string: "\n\n"))
        }

        /// Writes a comment, so that nobody between takes the connection for dead.
        mutating func beat() async throws {
            try await body.write(ByteBuffer(string: ":\n\n"))
        }
    }

    /// An answer whose events a block writes.
    static func answer(
        to context: APIContext, _ write: @escaping @Sendable (inout Writer) async throws -> Void
    ) -> Response {
        Response(
            status: .ok,
            headers: [
                .contentType: "text/event-stream; charset=utf-8", .cacheControl: "no-store",
            ],
            body: .streamed(to: context) { body in
                var writer = Writer(body: body)
                do {
                    try await write(&writer)
                } catch is CancellationError {
                    // Whoever follows asks the next master.
                }
                body = writer.body
            })
    }

    /// What a follower has seen last; 0 at first.
    static func last(_ request: Request) throws -> UInt64 {
        guard let name = HTTPField.Name("Last-Event-ID"), let text = request.headers[name]
        else { return 0 }
        guard let number = UInt64(text), number <= UInt64(Int64.max) else {
            throw Problem(.badRequest, "Last-Event-ID is no number that this master gave.")
        }
        return number
    }
}
