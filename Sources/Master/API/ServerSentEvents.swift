internal import HTTPTypes
internal import Hummingbird
internal import NIOCore
internal import PipelineIR

/// Answers that go on (Server-Sent Events of the HTML standard).
enum ServerSentEvents {
    /// Writes events.
    struct Writer {
        fileprivate var body: any ResponseBodyWriter

        /// Writes an event with an object of JSON as its data, which has no line breaks.
        mutating func write(
            id: UInt64?, event: String?, _ data: (inout JSONWriter) -> Void
        ) async throws {
            var json = JSONWriter(capacity: 256)
            data(&json)
            try await write(id: id, event: event, bytes: json.bytes)
        }

        /// Writes an event whose data is JSON already.
        mutating func write(id: UInt64?, event: String?, bytes: [UInt8]) async throws {
            var buffer = ByteBuffer()
            if let id { buffer.writeString("id: \(id)\n") }
            if let event { buffer.writeString("event: \(event)\n") }
            buffer.writeString("data: ")
            buffer.writeBytes(bytes)
            buffer.writeString("\n\n")
            try await body.write(buffer)
        }

        /// Writes a comment, so that nobody between takes the connection for dead.
        mutating func beat() async throws {
            try await body.write(ByteBuffer(string: ":\n\n"))
        }
    }

    /// An answer whose events a block writes.
    static func answer(
        _ write: @escaping @Sendable (inout Writer) async throws -> Void
    ) -> Response {
        Response(
            status: .ok,
            headers: [
                .contentType: "text/event-stream; charset=utf-8", .cacheControl: "no-store",
            ],
            body: ResponseBody { body in
                var writer = Writer(body: body)
                do {
                    try await write(&writer)
                } catch is CancellationError {
                    // Whoever follows asks the next master.
                }
                try await writer.body.finish(nil)
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
