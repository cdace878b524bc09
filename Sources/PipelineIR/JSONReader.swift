/// Pulls values out of a JSON text (RFC 8259), strictly and without recursion.
///
/// The caller says what it expects; anything else is a `PlanError` with the path and position.
/// The stack of open containers is the only state that grows, up to `PlanLimits.depth`.
struct JSONReader {
    let bytes: [UInt8]
    /// Where the next byte is read.
    var offset = 0
    private var open: [Container] = []
    var scratch: [UInt8] = []
    private var values = 0

    private struct Container {
        var isObject: Bool
        var count = 0
        var key: String = ""
    }

    /// What a value is, by its first byte.
    enum Kind: String {
        case object = "an object"
        case array = "an array"
        case string = "a string"
        case number = "a number"
        case bool = "true or false"
        case null = "null"
    }

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    // MARK: Errors

    /// Where the reader is: the value that comes next, or the container just closed.
    var path: PlanPath {
        PlanPath(open.map { $0.isObject ? .key($0.key) : .index(max(0, $0.count - 1)) })
    }

    func error(
        _ reason: PlanError.Reason, _ message: String, hint: String? = nil, at place: Int? = nil
    ) -> PlanError {
        PlanError(
            reason, path, message, hint: hint, position: position(of: place ?? offset))
    }

    /// The line and column of an offset.
    func position(of offset: Int) -> PlanError.Position {
        var line = 1
        var start = 0
        let end = min(offset, bytes.count)
        for index in 0..<end where bytes[index] == 0x0A {
            line += 1
            start = index + 1
        }
        return PlanError.Position(line: line, column: end - start + 1)
    }

    // MARK: Values

    /// The kind of the next value, without reading it.
    mutating func peek() throws(PlanError) -> Kind {
        skipSpace()
        guard offset < bytes.count else { throw ended() }
        switch bytes[offset] {
        case UInt8(ascii: "{"): return .object
        case UInt8(ascii: "["): return .array
        case UInt8(ascii: "\""): return .string
        case UInt8(ascii: "-"), 0x30...0x39: return .number
        case UInt8(ascii: "t"), UInt8(ascii: "f"): return .bool
        case UInt8(ascii: "n"): return .null
        default: throw error(.syntax, "A value cannot begin with \(shown(bytes[offset])).")
        }
    }

    mutating func beginObject() throws(PlanError) { try begin(.object) }
    mutating func beginArray() throws(PlanError) { try begin(.array) }

    /// Reads the next key, or closes the object and gives `nil`.
    mutating func nextKey() throws(PlanError) -> String? {
        guard try goOn(close: UInt8(ascii: "}")) else { return nil }
        guard offset < bytes.count, bytes[offset] == UInt8(ascii: "\"") else {
            throw offset < bytes.count
                ? error(.syntax, "A key must be a string, not \(shown(bytes[offset])).") : ended()
        }
        let key = try text()
        open[open.count - 1].key = key
        skipSpace()
        guard offset < bytes.count, bytes[offset] == UInt8(ascii: ":") else {
            throw offset < bytes.count ? error(.syntax, "A colon is missing after a key.") : ended()
        }
        offset += 1
        return key
    }

    /// Whether there is another element; closes the array when there is none.
    mutating func nextElement() throws(PlanError) -> Bool { try goOn(close: UInt8(ascii: "]")) }

    mutating func string() throws(PlanError) -> String {
        try expect(.string)
        return try text()
    }

    mutating func bool() throws(PlanError) -> Bool {
        try expect(.bool)
        let value = bytes[offset] == UInt8(ascii: "t")
        try word(value ? "true" : "false")
        return value
    }

    /// Reads an integer without a fraction or exponent.
    mutating func integer(
        in range: ClosedRange<Int64>, of what: String
    ) throws(PlanError) -> Int64 {
        try expect(.number)
        let start = offset
        let digits = try number()
        guard digits.isInteger else {
            throw error(.schema, "\(what) must be a whole number.", at: start)
        }
        guard let value = Int64(literal(digits.range)), range.contains(value) else {
            throw error(
                .value, "\(what) must be from \(range.lowerBound) to \(range.upperBound).",
                at: start)
        }
        return value
    }

    mutating func double(of what: String) throws(PlanError) -> Double {
        try expect(.number)
        let start = offset
        let digits = try number()
        guard let value = Double(literal(digits.range)), value.isFinite else {
            throw error(.value, "\(what) is too large a number.", at: start)
        }
        return value
    }

    /// Reads a number as it is written, and whether it is an integer.
    mutating func numberText() throws(PlanError) -> (text: String, isInteger: Bool) {
        try expect(.number)
        let digits = try number()
        return (literal(digits.range), digits.isInteger)
    }

    mutating func null() throws(PlanError) {
        try expect(.null)
        try word("null")
    }

    /// Passes over any value, checking its grammar.
    mutating func skip() throws(PlanError) {
        let outside = open.count
        repeat {
            switch try peek() {
            case .object: try beginObject()
            case .array: try beginArray()
            case .string:
                try expect(.string)
                try skipText()
            case .number: _ = try numberText()
            case .bool: _ = try bool()
            case .null: try null()
            }
            while open.count > outside {
                let isObject = open[open.count - 1].isObject
                let more = isObject ? try nextKey() != nil : try nextElement()
                if more { break }
            }
        } while open.count > outside
    }

    /// Checks that nothing follows.
    mutating func end() throws(PlanError) {
        skipSpace()
        if offset < bytes.count { throw error(.syntax, "Text follows the end of the plan.") }
    }

    // MARK: Grammar

    func expect(_ kind: Kind, _ found: Kind, at place: Int) throws(PlanError) {
        if kind != found {
            throw error(
                .schema, "This must be \(kind.rawValue), not \(found.rawValue).", at: place)
        }
    }

    private mutating func expect(_ kind: Kind) throws(PlanError) {
        let found = try peek()
        try expect(kind, found, at: offset)
        values += 1
        if values > PlanLimits.values {
            throw error(.limit, "A plan has at most \(PlanLimits.values) values.")
        }
    }

    private mutating func begin(_ kind: Kind) throws(PlanError) {
        try expect(kind)
        if open.count == PlanLimits.depth {
            throw error(.limit, "A plan nests at most \(PlanLimits.depth) deep.")
        }
        offset += 1
        open.append(Container(isObject: kind == .object))
    }

    /// Steps over a comma to the next member, or over the closing bracket.
    private mutating func goOn(close: UInt8) throws(PlanError) -> Bool {
        skipSpace()
        guard offset < bytes.count else { throw ended() }
        let last = open.count - 1
        if bytes[offset] == close {
            offset += 1
            open.removeLast()
            return false
        }
        if open[last].count > 0 {
            guard bytes[offset] == UInt8(ascii: ",") else {
                throw error(.syntax, "A comma is missing before \(shown(bytes[offset])).")
            }
            offset += 1
            skipSpace()
            guard offset < bytes.count else { throw ended() }
            if bytes[offset] == close {
                throw error(.syntax, "A comma stands before \(shown(close)).")
            }
        }
        open[last].count += 1
        return true
    }

    private mutating func skipSpace() {
        while offset < bytes.count {
            switch bytes[offset] {
            case 0x20, 0x0A, 0x0D, 0x09: offset += 1
            default: return
            }
        }
    }

    private mutating func word(_ text: StaticString) throws(PlanError) {
        let count = text.utf8CodeUnitCount
        let word = UnsafeBufferPointer(start: text.utf8Start, count: count)
        guard offset + count <= bytes.count, bytes[offset..<offset + count].elementsEqual(word)
        else { throw error(.syntax, "This is not a JSON word; did you mean `\(text)`?") }
        offset += count
    }

    private mutating func number() throws(PlanError) -> (range: Range<Int>, isInteger: Bool) {
        let start = offset
        var isInteger = true
        if bytes[offset] == UInt8(ascii: "-") { offset += 1 }
        let first = offset
        try digits()
        if bytes[first] == UInt8(ascii: "0"), offset > first + 1 {
            throw error(.syntax, "A number has no leading zeros.", at: start)
        }
        if offset < bytes.count, bytes[offset] == UInt8(ascii: ".") {
            offset += 1
            isInteger = false
            try digits()
        }
        if offset < bytes.count, bytes[offset] | 0x20 == UInt8(ascii: "e") {
            offset += 1
            isInteger = false
            if offset < bytes.count, bytes[offset] == 0x2B || bytes[offset] == 0x2D { offset += 1 }
            try digits()
        }
        if offset - start > 400 { throw error(.limit, "A number is too long.", at: start) }
        return (start..<offset, isInteger)
    }

    private mutating func digits() throws(PlanError) {
        let start = offset
        while offset < bytes.count, bytes[offset].isASCIIDigit { offset += 1 }
        if offset == start {
            throw offset < bytes.count ? error(.syntax, "A digit is missing.") : ended()
        }
    }

    private func literal(_ range: Range<Int>) -> String {
        String(decoding: bytes[range], as: UTF8.self)
    }

    func ended() -> PlanError { error(.syntax, "The text ends too early.") }

    private func shown(_ byte: UInt8) -> String {
        byte > 0x20 && byte < 0x7F
            ? "`\(Character(Unicode.Scalar(byte)))`"
            : "byte 0x" + (byte < 16 ? "0" : "") + String(byte, radix: 16)
    }
}
