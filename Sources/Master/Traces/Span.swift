internal import PipelineIR

internal import struct Executor.Timestamp

/// A span of OTLP (opentelemetry/proto/trace/v1/trace.proto), as JSON: ids are hexadecimal, whole
/// numbers of 64 bits are texts.
struct Span: Sendable, Equatable {
    /// The value of an attribute.
    enum Value: Sendable, Equatable {
        case text(String)
        case integer(Int64)
        case flag(Bool)
    }

    /// A name with a value.
    struct Attribute: Sendable, Equatable {
        var name: String
        var value: Value
    }

    /// Something that happened within it.
    struct Event: Sendable, Equatable {
        var at: Timestamp
        var name: String
        var attributes: [Attribute] = []
    }

    /// What came of it.
    enum Outcome: Sendable, Equatable {
        case unset, done
        case failed(String)
    }

    /// The words of an attribute or a reason, at most.
    private static let mostBytes = 1024

    let trace: String
    let id: String
    var parent: String?
    let name: String
    /// Whether it is the whole of what the master was asked for.
    var isRoot = false
    let start: Timestamp
    let end: Timestamp
    var attributes: [Attribute] = []
    var events: [Event] = []
    var outcome = Outcome.unset

    /// Writes it as a value.
    func write(to json: inout JSONWriter) {
        json.beginObject()
        Self.write(attributes, to: &json)
        json.key("endTimeUnixNano")
        json.string(Self.nanoseconds(max(start, end)))
        json.key("events")
        json.beginArray()
        for event in events {
            json.beginObject()
            Self.write(event.attributes, to: &json)
            json.key("name")
            json.string(event.name)
            json.key("timeUnixNano")
            json.string(Self.nanoseconds(event.at))
            json.endObject()
        }
        json.endArray()
        // SPAN_KIND_SERVER for what was asked from outside, else SPAN_KIND_INTERNAL.
        json.key("kind")
        json.integer(isRoot ? 2 : 1)
        json.key("name")
        json.string(Self.cut(name))
        json.field("parentSpanId", parent)
        json.key("spanId")
        json.string(id)
        json.key("startTimeUnixNano")
        json.string(Self.nanoseconds(start))
        json.key("status")
        json.beginObject()
        switch outcome {
        case .unset: break
        case .done: json.field("code", 1)
        case .failed(let reason):
            json.field("code", 2)
            json.field("message", Self.cut(reason))
        }
        json.endObject()
        json.field("traceId", trace)
        json.endObject()
    }

    /// Writes `attributes` as a member.
    static func write(_ attributes: [Attribute], to json: inout JSONWriter) {
        json.key("attributes")
        json.beginArray()
        for attribute in attributes {
            json.beginObject()
            json.key("key")
            json.string(attribute.name)
            json.key("value")
            json.beginObject()
            switch attribute.value {
            case .text(let text): json.field("stringValue", cut(text))
            case .integer(let number): json.field("intValue", "\(number)")
            case .flag(let flag):
                json.key("boolValue")
                json.bool(flag)
            }
            json.endObject()
            json.endObject()
        }
        json.endArray()
    }

    private static func nanoseconds(_ time: Timestamp) -> String {
        "\(max(0, time.microseconds))000"
    }

    private static func cut(_ text: String) -> String {
        guard text.utf8.count > mostBytes else { return text }
        return String(decoding: text.utf8.prefix(mostBytes), as: UTF8.self)
    }
}
