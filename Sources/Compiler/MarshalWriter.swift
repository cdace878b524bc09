/// Writes the subset of Python's marshal format that `MarshalReader` reads.
///
/// The caller announces a tuple with its number of elements and then writes exactly that many.
package struct MarshalWriter {
    /// What was written.
    package private(set) var bytes: [UInt8] = []

    /// Starts with nothing written.
    package init() {}

    /// Starts with space for `capacity` bytes.
    package init(capacity: Int) { bytes.reserveCapacity(capacity) }

    /// Begins a tuple of `count` elements.
    package mutating func tuple(_ count: Int) {
        bytes.append(UInt8(ascii: "("))
        word(UInt32(truncatingIfNeeded: count))
    }

    /// Writes text.
    package mutating func string(_ value: String) {
        bytes.append(UInt8(ascii: "u"))
        word(UInt32(truncatingIfNeeded: value.utf8.count))
        bytes.append(contentsOf: value.utf8)
    }

    /// Writes text, or `None`.
    package mutating func string(_ value: String?) {
        if let value { string(value) } else { none() }
    }

    /// Writes an integer of 32 bits.
    package mutating func int(_ value: Int32) {
        bytes.append(UInt8(ascii: "i"))
        word(UInt32(bitPattern: value))
    }

    /// Writes an integer; one that needs more than 32 bits travels as `("L", decimal)`.
    package mutating func integer(_ value: Int64) {
        if let small = Int32(exactly: value) { return int(small) }
        tuple(2)
        string("L")
        string(String(value))
    }

    /// Writes a float.
    package mutating func float(_ value: Double) {
        bytes.append(UInt8(ascii: "g"))
        word(UInt32(truncatingIfNeeded: value.bitPattern))
        word(UInt32(truncatingIfNeeded: value.bitPattern >> 32))
    }

    /// Writes `None`.
    package mutating func none() { bytes.append(UInt8(ascii: "N")) }

    /// Writes a truth value.
    package mutating func bool(_ value: Bool) {
        bytes.append(value ? UInt8(ascii: "T") : UInt8(ascii: "F"))
    }

    /// Writes bytes.
    package mutating func bytes(_ value: some Collection<UInt8>) {
        bytes.append(UInt8(ascii: "s"))
        word(UInt32(truncatingIfNeeded: value.count))
        bytes.append(contentsOf: value)
    }

    private mutating func word(_ value: UInt32) {
        bytes.append(UInt8(truncatingIfNeeded: value))
        bytes.append(UInt8(truncatingIfNeeded: value >> 8))
        bytes.append(UInt8(truncatingIfNeeded: value >> 16))
        bytes.append(UInt8(truncatingIfNeeded: value >> 24))
    }
}
