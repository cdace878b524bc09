internal import PipelineIR

/// Goes over the fields of messages in protobuf, from one to the next.
///
/// Plans are read with it and not through generated messages: those are made, copied and freed for
/// each step, which took a quarter of the time of a run that has one step to do. It takes nothing
/// on the word of `WireScan`: what does not fit its message is an error, never a trap. The encoding
/// is described at https://protobuf.dev/programming-guides/encoding.
struct WireReader {
    private let bytes: [UInt8]
    /// Where the next byte is.
    private(set) var offset: Int
    private var wireType: UInt8 = 0
    private var depth = 0

    /// Begins at a field of a message that has no more bytes than are there.
    init(_ bytes: [UInt8], at offset: Int) {
        self.bytes = bytes
        self.offset = offset
    }

    /// The number of the next field of a message; `nil` at the message's end.
    mutating func field(before end: Int) throws(PlanError) -> Int? {
        guard offset < end else {
            if offset == end { return nil }
            throw malformed()
        }
        let tag = try varint()
        wireType = UInt8(truncatingIfNeeded: tag & 7)
        return Int(truncatingIfNeeded: tag >> 3)
    }

    /// An integer that has no sign.
    mutating func number() throws(PlanError) -> UInt64 {
        guard wireType == 0 else { throw malformed() }
        return try varint()
    }

    /// An integer of 32 bits.
    mutating func small() throws(PlanError) -> UInt32 {
        guard let value = UInt32(exactly: try number()) else { throw malformed() }
        return value
    }

    /// An integer of which the sign is the lowest bit.
    mutating func signed() throws(PlanError) -> Int64 {
        let value = try number()
        return Int64(bitPattern: value >> 1) ^ -Int64(bitPattern: value & 1)
    }

    /// A truth.
    mutating func flag() throws(PlanError) -> Bool { try number() != 0 }

    /// A binary64 number.
    mutating func double() throws(PlanError) -> Double {
        guard wireType == 1, bytes.count - offset >= 8 else { throw malformed() }
        var bits: UInt64 = 0
        for place in 0..<8 { bits |= UInt64(bytes[offset + place]) << UInt64(8 * place) }
        offset += 8
        return Double(bitPattern: bits)
    }

    /// A text; throws where it is not UTF-8.
    mutating func text() throws(PlanError) -> String {
        let end = try end()
        let start = offset
        offset = end
        if start == end { return "" }
        let text = bytes.withUnsafeBufferPointer { bytes in
            String(validating: UnsafeBufferPointer(rebasing: bytes[start..<end]), as: UTF8.self)
        }
        if let text { return text }
        throw PlanError(.syntax, [], "A text between bytes \(start) and \(end) is not UTF-8.")
    }

    /// Adds the integers of a repeated field, packed or one by itself.
    mutating func numbers<Element>(
        to list: inout [Element], _ make: (UInt32) -> Element
    ) throws(PlanError) {
        if wireType == 0 { return list.append(make(try small())) }
        let end = try end()
        wireType = 0
        while offset < end { list.append(make(try small())) }
        if offset > end { throw malformed() }
    }

    /// Goes into a message: where it ends. Whoever goes in goes over all of its fields.
    mutating func end() throws(PlanError) -> Int {
        guard wireType == 2 else { throw malformed() }
        let length = try varint()
        guard length <= UInt64(bytes.count - offset) else { throw malformed() }
        return offset + Int(length)
    }

    /// Goes into a message that can have its own kind inside it, no deeper than a plan has it.
    mutating func enter() throws(PlanError) -> Int {
        depth += 1
        if depth > WireScan.depthLimit { throw malformed() }
        return try end()
    }

    /// Goes out of what `enter` went into.
    mutating func leave() { depth -= 1 }

    /// What there is no other word for.
    func malformed() -> PlanError {
        PlanError(
            .syntax, [],
            "The plan is not the message that plan.proto describes (at byte \(offset)).")
    }

    private mutating func varint() throws(PlanError) -> UInt64 {
        var place = offset
        let value = Self.varint(bytes.span, &place, end: bytes.count)
        offset = place
        if let value { return value }
        throw malformed()
    }

    /// A varint, which is gone over; `nil` where it does not end before `end`, which is reached
    /// then, or has more than 64 bits.
    static func varint(_ bytes: Span<UInt8>, _ offset: inout Int, end: Int) -> UInt64? {
        var value: UInt64 = 0
        var shift: UInt64 = 0
        while offset < end {
            let byte = bytes[offset]
            offset += 1
            if shift == 63, byte > 1 { return nil }
            value |= UInt64(byte & 0x7F) << shift
            if byte < 0x80 { return value }
            shift += 7
        }
        return nil
    }
}
