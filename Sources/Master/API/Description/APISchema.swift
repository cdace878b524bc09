internal import PipelineIR

/// A form of values in the words of JSON Schema 2020-12, as OpenAPI 3.1 has it.
struct APISchema: Sendable, Equatable {
    /// The schema.
    let json: String

    /// A schema that is named in the components of the document.
    static func component(_ name: String) -> APISchema {
        APISchema(json: "{\"$ref\":\"#/components/schemas/\(name)\"}")
    }

    /// Anything.
    static let any = APISchema(json: "{}")
    static let bool = APISchema(json: #"{"type":"boolean"}"#)
    /// Bytes that are no text.
    static let bytes = APISchema(json: #"{"type":"string","format":"binary"}"#)
    /// Any text; what it says may mean nothing.
    static let anyText = APISchema(json: #"{"type":"string"}"#)
    /// A text without NUL.
    static let text = matching("^[^\\u0000]*$")
    /// A text without NUL that is not empty.
    static let filledText = matching("^[^\\u0000]+$")
    /// A point of time (RFC 3339) in UTC with milliseconds.
    static let time = APISchema(json: #"{"type":"string","format":"date-time"}"#)
    /// The name of a job.
    static let jobID = matching("^[0-9a-hjkmnp-tv-z]{9}$")
    /// A SHA-256 in small hexadecimal digits.
    static let hexDigest = matching("^[0-9a-f]{64}$")
    /// A digest with the name of its function.
    static let digest = matching("^sha256:[0-9a-f]{64}$")
    /// An object with any members.
    static let object = APISchema(json: #"{"type":"object"}"#)

    /// A text of a pattern (ECMA-262).
    static func matching(_ pattern: String) -> APISchema {
        APISchema(json: "{\"type\":\"string\",\"pattern\":\(quoted(pattern))}")
    }

    /// A whole number.
    static func integer(_ range: ClosedRange<Int64>) -> APISchema {
        APISchema(
            json: """
                {"type":"integer","minimum":\(range.lowerBound),"maximum":\(range.upperBound)}
                """)
    }

    /// A whole number that counts something.
    static let count = APISchema(json: #"{"type":"integer","minimum":0}"#)

    /// One of a few words.
    static func words(_ words: [String]) -> APISchema {
        APISchema(json: "{\"enum\":[\(words.map { quoted($0) }.joined(separator: ","))]}")
    }

    /// An array.
    static func array(of element: APISchema, most: Int? = nil) -> APISchema {
        let bound = most.map { ",\"maxItems\":\($0)" } ?? ""
        return APISchema(json: "{\"type\":\"array\",\"items\":\(element.json)\(bound)}")
    }

    /// An object whose members all have one form.
    static func map(of value: APISchema) -> APISchema {
        APISchema(json: "{\"type\":\"object\",\"additionalProperties\":\(value.json)}")
    }

    /// An object with these members and no others.
    static func object(
        _ members: KeyValuePairs<String, APISchema>,
        optional: KeyValuePairs<String, APISchema> = [:]
    ) -> APISchema {
        let properties = (Array(members) + Array(optional)).map { name, schema in
            "\(quoted(name)):\(schema.json)"
        }
        let needed = members.map { quoted($0.key) }.joined(separator: ",")
        return APISchema(
            json: """
                {"type":"object","additionalProperties":false,"required":[\(needed)],\
                "properties":{\(properties.joined(separator: ","))}}
                """)
    }

    /// This or `null`.
    var orNull: APISchema { APISchema(json: "{\"anyOf\":[\(json),{\"type\":\"null\"}]}") }

    /// A text as JSON has it.
    static func quoted(_ text: String) -> String {
        var json = JSONWriter()
        json.string(text)
        return String(decoding: json.bytes, as: UTF8.self)
    }
}
