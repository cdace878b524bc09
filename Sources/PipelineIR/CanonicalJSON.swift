/// The canonical form of any JSON value, and its form for people.
package enum CanonicalJSON {
    /// Rewrites a JSON text: keys ascend by their UTF-8 bytes, no white space, integers as they
    /// are written, other numbers as the shortest digits of their 64-bit value.
    package static func canonical(_ json: [UInt8]) throws(PlanError) -> [UInt8] {
        var reader = JSONReader(json)
        let value = try reader.canonicalValue()
        try reader.end()
        return value
    }

    /// Lays out valid JSON for people: two spaces per level, short objects and arrays on one line.
    package static func pretty(_ json: [UInt8]) -> [UInt8] {
        var layout = PrettyJSON(json)
        return layout.run()
    }
}

extension JSONReader {
    /// Reads any value in its canonical form. The bound on depth bounds the recursion.
    mutating func canonicalValue() throws(PlanError) -> [UInt8] {
        var writer = JSONWriter()
        switch try peek() {
        case .string: writer.string(try string())
        case .bool: writer.bool(try bool())
        case .null:
            try null()
            writer.raw("null".utf8)
        case .number:
            let start = offset
            let (text, isInteger) = try numberText()
            if isInteger {
                writer.raw((text == "-0" ? "0" : text).utf8)
            } else if let value = Double(text), value.isFinite {
                writer.double(value)
            } else {
                throw error(.value, "This is too large a number.", at: start)
            }
        case .array:
            writer.beginArray()
            try beginArray()
            while try nextElement() { writer.raw(try canonicalValue()) }
            writer.endArray()
        case .object:
            var members: [(key: String, value: [UInt8])] = []
            var names: Set<String> = []
            try beginObject()
            while let key = try nextKey() {
                guard names.insert(key).inserted else {
                    throw error(.schema, "The key `\(key.prefix(64))` stands twice in one object.")
                }
                members.append((key, try canonicalValue()))
            }
            writer.beginObject()
            for member in members.ascending(by: \.key) {
                writer.key(member.key)
                writer.raw(member.value)
            }
            writer.endObject()
        }
        return writer.bytes
    }
}

/// Lays out JSON. Its input is valid, so brackets match and strings end.
private struct PrettyJSON {
    private let json: [UInt8]
    private var out: [UInt8] = []
    /// The offset after the bracket that closes the one at an offset.
    private var ends: [Int: Int] = [:]
    /// Bytes of a container that still stands on one line.
    private static let lineBytes = 76

    init(_ json: [UInt8]) {
        self.json = json
        out.reserveCapacity(json.count * 3 / 2)
    }

    mutating func run() -> [UInt8] {
        findShort()
        var level = 0
        var flatUntil = 0
        var inString = false
        var position = 0
        while position < json.count {
            let byte = json[position]
            defer { position += 1 }
            if inString {
                out.append(byte)
                if byte == UInt8(ascii: "\\"), position + 1 < json.count {
                    position += 1
                    out.append(json[position])
                } else if byte == UInt8(ascii: "\"") {
                    inString = false
                }
                continue
            }
            let isFlat = position < flatUntil
            switch byte {
            case UInt8(ascii: "\""):
                inString = true
                out.append(byte)
            case UInt8(ascii: "{"), UInt8(ascii: "["):
                out.append(byte)
                if isFlat { break }
                if let end = ends[position] {
                    flatUntil = end
                } else {
                    level += 1
                    newLine(level)
                }
            case UInt8(ascii: "}"), UInt8(ascii: "]"):
                if !isFlat {
                    level -= 1
                    newLine(level)
                }
                out.append(byte)
            case UInt8(ascii: ","):
                out.append(byte)
                if isFlat { out.append(0x20) } else { newLine(level) }
            case UInt8(ascii: ":"):
                out.append(byte)
                out.append(0x20)
            case 0x20, 0x09, 0x0A, 0x0D: break
            default: out.append(byte)
            }
        }
        out.append(0x0A)
        return out
    }

    /// Finds the containers that fit on one line.
    private mutating func findShort() {
        var starts: [Int] = []
        var inString = false
        var position = 0
        while position < json.count {
            let byte = json[position]
            if inString {
                if byte == UInt8(ascii: "\\") { position += 1 }
                if byte == UInt8(ascii: "\"") { inString = false }
            } else if byte == UInt8(ascii: "\"") {
                inString = true
            } else if byte == UInt8(ascii: "{") || byte == UInt8(ascii: "[") {
                starts.append(position)
            } else if byte == UInt8(ascii: "}") || byte == UInt8(ascii: "]"),
                let start = starts.popLast(), position - start < Self.lineBytes
            {
                ends[start] = position + 1
            }
            position += 1
        }
    }

    private mutating func newLine(_ level: Int) {
        out.append(0x0A)
        for _ in 0..<max(0, level) {
            out.append(0x20)
            out.append(0x20)
        }
    }
}
