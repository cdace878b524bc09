internal import Hummingbird
internal import PipelineIR

/// Answers in JSON.
enum JSONAnswer {
    /// An answer whose body a block writes.
    static func make(
        _ status: HTTPResponse.Status = .ok, _ write: (inout JSONWriter) -> Void
    ) -> Response {
        var json = JSONWriter(capacity: 1024)
        write(&json)
        return bytes(status, json.bytes)
    }

    /// An answer with a body that is JSON already.
    static func bytes(_ status: HTTPResponse.Status, _ bytes: [UInt8]) -> Response {
        Response(
            status: status,
            headers: [
                .contentType: "application/json", .contentLength: "\(bytes.count)",
                .cacheControl: "no-store",
            ], body: .init(byteBuffer: ByteBuffer(bytes: bytes)))
    }
}

extension JSONWriter {
    /// Writes a key and a text, or `null`.
    mutating func member(_ key: StaticString, _ text: String?) {
        self.key(key)
        if let text { string(text) } else { raw("null".utf8) }
    }

    /// Writes a key and a number, or `null`.
    mutating func member(_ key: StaticString, _ number: Int64?) {
        self.key(key)
        if let number { integer(number) } else { raw("null".utf8) }
    }
}
