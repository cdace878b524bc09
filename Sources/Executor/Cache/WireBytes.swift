/// Writes messages in the wire format of protocol buffers (proto3), with fields in ascending order,
/// which is the canonical form that the Remote Execution API hashes.
struct WireWriter {
    private(set) var bytes: [UInt8] = []

    mutating func varint(_ value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(rest))
    }

    /// A number, left out when it is 0.
    mutating func field(_ number: UInt64, _ value: UInt64) {
        if value == 0 { return }
        varint(number << 3)
        varint(value)
    }

    /// Bytes, text or a message, left out when empty unless `always`.
    mutating func field(_ number: UInt64, _ value: some Collection<UInt8>, always: Bool = false) {
        if value.isEmpty, !always { return }
        varint(number << 3 | 2)
        varint(UInt64(value.count))
        bytes.append(contentsOf: value)
    }

    /// Fields that are encoded already.
    mutating func append(_ fields: [UInt8]) { bytes += fields }
}

/// Reads messages in the wire format of protocol buffers. What is not well-formed ends it.
struct WireReader {
    /// A field's value; fixed-width ones are skipped.
    enum Value {
        case number(UInt64)
        case bytes(ArraySlice<UInt8>)
        case skipped
    }

    private var rest: ArraySlice<UInt8>
    /// Whether everything so far was well-formed.
    private(set) var isValid = true

    init(_ bytes: ArraySlice<UInt8>) { rest = bytes }

    /// The next field; `nil` at the end or at what is not well-formed.
    mutating func next() -> (number: UInt64, value: Value)? {
        if rest.isEmpty || !isValid { return nil }
        guard let key = varint(), key >> 3 != 0 else { return fail() }
        switch key & 7 {
        case 0:
            guard let value = varint() else { return fail() }
            return (key >> 3, .number(value))
        case 2:
            guard let count = varint(), count <= UInt64(rest.count) else { return fail() }
            defer { rest = rest.dropFirst(Int(count)) }
            return (key >> 3, .bytes(rest.prefix(Int(count))))
        case 1, 5:
            let width = key & 7 == 1 ? 8 : 4
            guard rest.count >= width else { return fail() }
            rest = rest.dropFirst(width)
            return (key >> 3, .skipped)
        default: return fail()
        }
    }

    private mutating func fail() -> (number: UInt64, value: Value)? {
        isValid = false
        return nil
    }

    mutating func varint() -> UInt64? {
        var value: UInt64 = 0
        var shift: UInt64 = 0
        while let byte = rest.popFirst() {
            if shift == 63, byte > 1 { return nil }
            value |= UInt64(byte & 0x7F) << shift
            if byte & 0x80 == 0 { return value }
            shift += 7
            if shift > 63 { return nil }
        }
        return nil
    }

    /// Bytes that follow their length.
    mutating func counted() -> ArraySlice<UInt8>? {
        guard let count = varint(), count <= UInt64(rest.count) else { return nil }
        defer { rest = rest.dropFirst(Int(count)) }
        return rest.prefix(Int(count))
    }

    /// What was not read yet.
    var remaining: ArraySlice<UInt8> { rest }

    /// Whether everything was read.
    var isAtEnd: Bool { rest.isEmpty }
}
