/// A JSON value of an event or of `ctx`.
package indirect enum JSONValue: Sendable, Equatable {
    case null
    case bool(Bool)
    case integer(Int64)
    case number(Double)
    case string(String)
    case array([JSONValue])
    /// In the order given; keys are different.
    case object([Member])

    /// One member of an object.
    package struct Member: Sendable, Equatable {
        /// The name as written, with its escapes resolved.
        package var key: String
        /// What stands after the colon.
        package var value: JSONValue
        /// Binds a key to a value.
        package init(_ key: String, _ value: JSONValue) {
            self.key = key
            self.value = value
        }
    }

    /// Reads a JSON text. Throws when it is none, or nests too deeply.
    package static func parse(_ bytes: [UInt8]) throws(JSONTextError) -> JSONValue {
        try JSONText.parse(bytes)
    }

    /// The text of a string value.
    package var text: String? {
        guard case .string(let text) = self else { return nil }
        return text
    }

    /// The members of an object.
    package var members: [Member]? {
        guard case .object(let members) = self else { return nil }
        return members
    }

    /// The member of an object with this key.
    package subscript(_ key: String) -> JSONValue? {
        members?.first { $0.key == key }?.value
    }

    /// Puts a value where a dotted path leads, making objects on the way.
    package mutating func set(_ path: some Collection<String>, to value: JSONValue) {
        guard let key = path.first else {
            self = value
            return
        }
        var members = self.members ?? []
        let place = members.firstIndex { $0.key == key } ?? members.endIndex
        if place == members.endIndex { members.append(Member(key, .null)) }
        members[place].value.set(path.dropFirst(), to: value)
        self = .object(members)
    }

    /// JSON without white space, keys sorted by their bytes.
    package var canonical: String {
        var bytes: [UInt8] = []
        append(to: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Writes the value as the evaluator reads it: arrays as tuples, objects as
    /// `("dict", ((key, value), …))`.
    func write(to writer: inout MarshalWriter) {
        switch self {
        case .null: writer.none()
        case .bool(let value): writer.bool(value)
        case .integer(let value): writer.integer(value)
        case .number(let value): writer.float(value)
        case .string(let value): writer.string(value)
        case .array(let values):
            writer.tuple(values.count)
            for value in values { value.write(to: &writer) }
        case .object(let members):
            writer.tuple(2)
            writer.string("dict")
            writer.tuple(members.count)
            for member in members {
                writer.tuple(2)
                writer.string(member.key)
                member.value.write(to: &writer)
            }
        }
    }

    private func append(to bytes: inout [UInt8]) {
        switch self {
        case .null: bytes.append(contentsOf: "null".utf8)
        case .bool(let value): bytes.append(contentsOf: (value ? "true" : "false").utf8)
        case .integer(let value): bytes.append(contentsOf: String(value).utf8)
        case .number(let value): bytes.append(contentsOf: value.description.utf8)
        case .string(let value): Self.append(value, to: &bytes)
        case .array(let values):
            bytes.append(UInt8(ascii: "["))
            for (index, value) in values.enumerated() {
                if index > 0 { bytes.append(UInt8(ascii: ",")) }
                value.append(to: &bytes)
            }
            bytes.append(UInt8(ascii: "]"))
        case .object(let members):
            bytes.append(UInt8(ascii: "{"))
            let sorted = members.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
            for (index, member) in sorted.enumerated() {
                if index > 0 { bytes.append(UInt8(ascii: ",")) }
                Self.append(member.key, to: &bytes)
                bytes.append(UInt8(ascii: ":"))
                member.value.append(to: &bytes)
            }
            bytes.append(UInt8(ascii: "}"))
        }
    }

    private static func append(_ text: String, to bytes: inout [UInt8]) {
        bytes.append(UInt8(ascii: "\""))
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"):
                bytes.append(UInt8(ascii: "\\"))
                bytes.append(byte)
            case 0..<32, 127:
                bytes.append(contentsOf: "\\u00".utf8)
                for digit in [byte >> 4, byte & 15] {
                    bytes.append(digit + UInt8(ascii: digit < 10 ? "0" : "W"))
                }
            default: bytes.append(byte)
            }
        }
        bytes.append(UInt8(ascii: "\""))
    }
}
