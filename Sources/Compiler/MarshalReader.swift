/// Why bytes are not the marshal subset that the evaluator may send. `at` is an offset.
package enum MarshalError: Error, Equatable {
    case truncated(at: Int)
    case unknownType(UInt8, at: Int)
    /// A length or count larger than what is there, or than what is accepted.
    case tooLong(Int, at: Int)
    case badText(at: Int)
    case unexpected(wanted: String, at: Int)
    case trailing(at: Int)
}

/// One item of marshalled data. A tuple's elements follow it; ranges are offsets into the bytes.
package enum MarshalItem: Equatable {
    case none
    case bool(Bool)
    case int(Int32)
    case float(Double)
    case string(Range<Int>)
    case bytes(Range<Int>)
    /// How many items follow as elements.
    case tuple(Int)
}

/// Reads Python's marshal format, version 2, limited to `N T F i g u s (`.
///
/// The bytes are hostile: every length is compared with what is left before it is used, and nothing
/// is read recursively. The format is that of CPython's `Python/marshal.c`.
package struct MarshalReader {
    /// The bytes that items refer to.
    package let bytes: [UInt8]
    /// Offset of the next item.
    package private(set) var offset: Int

    /// The longest text that is accepted, in bytes.
    package static let textLimit = 1 << 20

    /// Reads from `offset` on.
    package init(_ bytes: [UInt8], at offset: Int = 0) {
        self.bytes = bytes
        self.offset = min(max(offset, 0), bytes.count)
    }

    /// Whether everything was read.
    package var isAtEnd: Bool { offset == bytes.count }

    /// Reads one item; after `.tuple(n)` its `n` elements are next.
    package mutating func next() throws(MarshalError) -> MarshalItem {
        let start = offset
        guard start < bytes.count else { throw .truncated(at: start) }
        let type = bytes[start]
        offset = start + 1
        switch type {
        case UInt8(ascii: "("):
            let count = try length()
            // An element takes at least one byte, so a huge count is found out at once.
            guard count <= bytes.count - offset else { throw .tooLong(count, at: start) }
            return .tuple(count)
        case UInt8(ascii: "i"): return .int(Int32(bitPattern: try word()))
        case UInt8(ascii: "u"):
            let count = try length()
            guard count <= Self.textLimit else { throw .tooLong(count, at: start) }
            return .string(try take(count))
        case UInt8(ascii: "N"): return .none
        case UInt8(ascii: "T"): return .bool(true)
        case UInt8(ascii: "F"): return .bool(false)
        case UInt8(ascii: "g"):
            let low = UInt64(try word())
            return .float(Double(bitPattern: UInt64(try word()) << 32 | low))
        case UInt8(ascii: "s"): return .bytes(try take(try length()))
        default: throw .unknownType(type, at: start)
        }
    }

    /// Reads a tuple's head and gives its number of elements.
    package mutating func expectTuple() throws(MarshalError) -> Int {
        let start = offset
        guard case .tuple(let count) = try next() else {
            throw .unexpected(wanted: "tuple", at: start)
        }
        return count
    }

    /// Reads the head of a tuple that must have `count` elements.
    package mutating func expectTuple(of count: Int) throws(MarshalError) {
        let start = offset
        guard case .tuple(count) = try next() else {
            throw .unexpected(wanted: "tuple of \(count)", at: start)
        }
    }

    /// Reads an integer.
    package mutating func expectInt() throws(MarshalError) -> Int32 {
        let start = offset
        guard case .int(let value) = try next() else {
            throw .unexpected(wanted: "int", at: start)
        }
        return value
    }

    /// Reads an integer, or `None`.
    package mutating func optionalInt() throws(MarshalError) -> Int32? {
        let start = offset
        switch try next() {
        case .int(let value): return value
        case .none: return nil
        default: throw .unexpected(wanted: "int or None", at: start)
        }
    }

    /// Reads a truth value.
    package mutating func expectBool() throws(MarshalError) -> Bool {
        let start = offset
        guard case .bool(let value) = try next() else {
            throw .unexpected(wanted: "bool", at: start)
        }
        return value
    }

    /// Reads a float.
    package mutating func expectFloat() throws(MarshalError) -> Double {
        let start = offset
        guard case .float(let value) = try next() else {
            throw .unexpected(wanted: "float", at: start)
        }
        return value
    }

    /// Reads text, which must be UTF-8 without surrogates.
    package mutating func expectString() throws(MarshalError) -> String {
        let start = offset
        guard case .string(let range) = try next() else {
            throw .unexpected(wanted: "str", at: start)
        }
        return try string(range)
    }

    /// Reads text, or `None`.
    package mutating func optionalString() throws(MarshalError) -> String? {
        let start = offset
        switch try next() {
        case .string(let range): return try string(range)
        case .none: return nil
        default: throw .unexpected(wanted: "str or None", at: start)
        }
    }

    /// Reads bytes.
    package mutating func expectBytes() throws(MarshalError) -> Range<Int> {
        let start = offset
        guard case .bytes(let range) = try next() else {
            throw .unexpected(wanted: "bytes", at: start)
        }
        return range
    }

    /// The text of a `.string` item.
    package func string(_ range: Range<Int>) throws(MarshalError) -> String {
        let text = bytes.withUnsafeBufferPointer { buffer in
            String(validating: UnsafeBufferPointer(rebasing: buffer[range]), as: UTF8.self)
        }
        guard let text else { throw .badText(at: range.lowerBound) }
        return text
    }

    /// Skips one item with all that is in it.
    package mutating func skip() throws(MarshalError) {
        var left = 1
        while left > 0 {
            left -= 1
            guard case .tuple(let count) = try next() else { continue }
            // Items that are owed and bytes that are left: each owed item takes at least one byte.
            guard left + count <= bytes.count - offset else { throw .truncated(at: offset) }
            left += count
        }
    }

    /// Throws unless everything was read.
    package func expectEnd() throws(MarshalError) {
        if !isAtEnd { throw .trailing(at: offset) }
    }

    private mutating func word() throws(MarshalError) -> UInt32 {
        guard bytes.count - offset >= 4 else { throw .truncated(at: offset) }
        let value =
            UInt32(bytes[offset]) | UInt32(bytes[offset + 1]) << 8
            | UInt32(bytes[offset + 2]) << 16 | UInt32(bytes[offset + 3]) << 24
        offset += 4
        return value
    }

    private mutating func length() throws(MarshalError) -> Int {
        let start = offset
        let value = Int32(bitPattern: try word())
        guard value >= 0 else { throw .tooLong(Int(UInt32(bitPattern: value)), at: start) }
        return Int(value)
    }

    private mutating func take(_ count: Int) throws(MarshalError) -> Range<Int> {
        guard count <= bytes.count - offset else { throw .truncated(at: bytes.count) }
        let range = offset..<offset + count
        offset = range.upperBound
        return range
    }
}
