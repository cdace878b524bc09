/// Why a text is not JSON (RFC 8259); `at` is an offset in bytes.
package struct JSONTextError: Error, Equatable {
    /// What was expected, without the place.
    package var message: String
    /// Bytes before the mistake.
    package var at: Int
}

/// Reads a JSON text, such as the file of an event. Nesting is bounded, so that it may recurse.
struct JSONText {
    private let bytes: [UInt8]
    private var offset = 0

    private static let depth = 64

    /// Reads a whole text.
    static func parse(_ bytes: [UInt8]) throws(JSONTextError) -> JSONValue {
        var text = JSONText(bytes: bytes)
        let value = try text.value(depth: 0)
        text.skipSpace()
        if text.offset < bytes.count { throw text.error("text follows the value") }
        return value
    }

    private init(bytes: [UInt8]) { self.bytes = bytes }

    private mutating func value(depth: Int) throws(JSONTextError) -> JSONValue {
        guard depth < Self.depth else { throw error("nests more than \(Self.depth) deep") }
        skipSpace()
        switch peek {
        case UInt8(ascii: "{"): return try object(depth: depth)
        case UInt8(ascii: "["): return try array(depth: depth)
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "t"): return try word("true", .bool(true))
        case UInt8(ascii: "f"): return try word("false", .bool(false))
        case UInt8(ascii: "n"): return try word("null", .null)
        default: return try number()
        }
    }

    private mutating func object(depth: Int) throws(JSONTextError) -> JSONValue {
        var members: [JSONValue.Member] = []
        var keys: Set<String> = []
        offset += 1
        skipSpace()
        if take(UInt8(ascii: "}")) { return .object([]) }
        repeat {
            skipSpace()
            guard peek == UInt8(ascii: "\"") else { throw error("a key is missing") }
            let key = try string()
            guard keys.insert(key).inserted else { throw error("the key `\(key)` is there twice") }
            skipSpace()
            guard take(UInt8(ascii: ":")) else { throw error("a colon is missing") }
            members.append(JSONValue.Member(key, try value(depth: depth + 1)))
            skipSpace()
        } while take(UInt8(ascii: ","))
        guard take(UInt8(ascii: "}")) else { throw error("`,` or `}` is missing") }
        return .object(members)
    }

    private mutating func array(depth: Int) throws(JSONTextError) -> JSONValue {
        var values: [JSONValue] = []
        offset += 1
        skipSpace()
        if take(UInt8(ascii: "]")) { return .array([]) }
        repeat {
            values.append(try value(depth: depth + 1))
            skipSpace()
        } while take(UInt8(ascii: ","))
        guard take(UInt8(ascii: "]")) else { throw error("`,` or `]` is missing") }
        return .array(values)
    }

    private mutating func string() throws(JSONTextError) -> String {
        let start = offset
        var text: [UInt8] = []
        offset += 1
        while let byte = peek {
            offset += 1
            switch byte {
            case UInt8(ascii: "\""):
                guard let valid = String(validating: text, as: UTF8.self) else {
                    throw JSONTextError(message: "not UTF-8", at: start)
                }
                return valid
            case UInt8(ascii: "\\"): try escape(into: &text)
            case 0..<32: throw error("a control character in a string")
            default: text.append(byte)
            }
        }
        throw error("a string has no end")
    }

    private mutating func escape(into text: inout [UInt8]) throws(JSONTextError) {
        let byte = peek
        offset += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): text.append(byte ?? 0)
        case UInt8(ascii: "b"): text.append(8)
        case UInt8(ascii: "f"): text.append(12)
        case UInt8(ascii: "n"): text.append(10)
        case UInt8(ascii: "r"): text.append(13)
        case UInt8(ascii: "t"): text.append(9)
        case UInt8(ascii: "u"):
            var scalar = try unit()
            if (0xD800..<0xDC00).contains(scalar) {
                guard take(UInt8(ascii: "\\")), take(UInt8(ascii: "u")) else {
                    throw error("half a surrogate pair")
                }
                let low = try unit()
                guard (0xDC00..<0xE000).contains(low) else { throw error("half a surrogate pair") }
                scalar = 0x10000 + (scalar - 0xD800) << 10 + (low - 0xDC00)
            }
            guard let valid = Unicode.Scalar(scalar) else { throw error("half a surrogate pair") }
            text.append(contentsOf: String(Character(valid)).utf8)
        default: throw error("an unknown escape")
        }
    }

    private mutating func unit() throws(JSONTextError) -> UInt32 {
        guard bytes.count - offset >= 4,
            bytes[offset..<offset + 4].allSatisfy({ Character(UnicodeScalar($0)).isHexDigit }),
            let value = UInt32(
                String(decoding: bytes[offset..<offset + 4], as: UTF8.self), radix: 16)
        else { throw error("four hexadecimal digits are missing") }
        offset += 4
        return value
    }

    private mutating func number() throws(JSONTextError) -> JSONValue {
        let start = offset
        _ = take(UInt8(ascii: "-"))
        let first = offset
        let whole = digits()
        var isInteger = true
        guard whole > 0, whole == 1 || bytes[first] != UInt8(ascii: "0") else {
            throw error("a value is missing")
        }
        if take(UInt8(ascii: ".")) {
            isInteger = false
            if digits() == 0 { throw error("digits are missing") }
        }
        if take(UInt8(ascii: "e")) || take(UInt8(ascii: "E")) {
            isInteger = false
            _ = take(UInt8(ascii: "+")) || take(UInt8(ascii: "-"))
            if digits() == 0 { throw error("digits are missing") }
        }
        let text = String(decoding: bytes[start..<offset], as: UTF8.self)
        if isInteger, let value = Int64(text) { return .integer(value) }
        guard let value = Double(text), value.isFinite else { throw error("too large a number") }
        return .number(value)
    }

    private mutating func digits() -> Int {
        let start = offset
        while let byte = peek, (0x30...0x39).contains(byte) { offset += 1 }
        return offset - start
    }

    private mutating func word(
        _ word: String, _ value: JSONValue
    ) throws(JSONTextError) -> JSONValue {
        guard bytes[offset...].starts(with: word.utf8) else { throw error("a value is missing") }
        offset += word.utf8.count
        return value
    }

    private var peek: UInt8? { offset < bytes.count ? bytes[offset] : nil }

    private mutating func take(_ byte: UInt8) -> Bool {
        guard peek == byte else { return false }
        offset += 1
        return true
    }

    private mutating func skipSpace() {
        while let byte = peek, [0x20, 0x0A, 0x0D, 0x09].contains(byte) { offset += 1 }
    }

    private func error(_ message: String) -> JSONTextError {
        JSONTextError(message: message, at: offset)
    }
}
