/// Writes canonical JSON straight into bytes: no white space, only `"`, `\` and control
/// characters escaped. The caller writes keys in ascending order.
package struct JSONWriter {
    /// What is written so far.
    package private(set) var bytes: [UInt8] = []
    /// Whether the next value or key of the open container follows another.
    private var follows = false

    /// Starts an empty text with room for `capacity` bytes.
    package init(capacity: Int = 0) { bytes.reserveCapacity(capacity) }

    /// Opens an object, as a value.
    package mutating func beginObject() {
        separate()
        bytes.append(UInt8(ascii: "{"))
        follows = false
    }

    /// Closes the innermost object.
    package mutating func endObject() {
        bytes.append(UInt8(ascii: "}"))
        follows = true
    }

    /// Opens an array, as a value.
    package mutating func beginArray() {
        separate()
        bytes.append(UInt8(ascii: "["))
        follows = false
    }

    /// Closes the innermost array.
    package mutating func endArray() {
        bytes.append(UInt8(ascii: "]"))
        follows = true
    }

    /// Writes a key that needs no escapes.
    package mutating func key(_ name: StaticString) {
        if follows { bytes.append(UInt8(ascii: ",")) }
        bytes.append(UInt8(ascii: "\""))
        bytes.append(
            contentsOf: UnsafeBufferPointer(start: name.utf8Start, count: name.utf8CodeUnitCount))
        bytes.append(UInt8(ascii: "\""))
        bytes.append(UInt8(ascii: ":"))
        follows = false
    }

    /// Writes a key.
    package mutating func key(_ name: String) {
        string(name)
        bytes.append(UInt8(ascii: ":"))
        follows = false
    }

    /// Writes a string value.
    package mutating func string(_ text: String) {
        separate()
        bytes.append(UInt8(ascii: "\""))
        var text = text
        text.withUTF8 { escape($0) }
        bytes.append(UInt8(ascii: "\""))
        follows = true
    }

    /// Writes an integer value.
    package mutating func integer(_ value: some FixedWidthInteger) {
        separate()
        follows = true
        if let small = UInt8(exactly: value), small < 10 {
            bytes.append(UInt8(ascii: "0") + small)
            return
        }
        if value < 0 { bytes.append(UInt8(ascii: "-")) }
        var rest = UInt64(value.magnitude)
        let start = bytes.count
        repeat {
            bytes.append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10))
            rest /= 10
        } while rest > 0
        bytes[start...].reverse()
    }

    /// Writes a finite number: without a fraction when it is integral and below 2^53, else the
    /// shortest digits that give the same number back. What is not finite becomes `null`, which
    /// every reader of plans refuses.
    package mutating func double(_ value: Double) {
        if !value.isFinite {
            raw([UInt8]("null".utf8))
        } else if let whole = Int64(exactly: value), whole.magnitude < 1 << 53 {
            integer(whole)
        } else {
            raw([UInt8](value.description.utf8))
        }
    }

    /// Writes `true` or `false`.
    package mutating func bool(_ value: Bool) {
        separate()
        bytes.append(contentsOf: value ? Self.yes : Self.no)
        follows = true
    }

    /// Writes a value that is JSON already.
    package mutating func raw(_ json: some Sequence<UInt8>) {
        separate()
        bytes.append(contentsOf: json)
        follows = true
    }

    private static let yes = [UInt8]("true".utf8)
    private static let no = [UInt8]("false".utf8)
    private static let digits = [UInt8]("0123456789abcdef".utf8)

    private mutating func separate() {
        if follows { bytes.append(UInt8(ascii: ",")) }
    }

    private mutating func escape(_ text: UnsafeBufferPointer<UInt8>) {
        var plain = true
        for byte in text where byte < 0x20 || byte == 0x22 || byte == 0x5C { plain = false }
        if plain {
            bytes.append(contentsOf: text)
            return
        }
        var start = 0
        for position in text.indices {
            let byte = text[position]
            guard byte < 0x20 || byte == 0x22 || byte == 0x5C else { continue }
            bytes.append(contentsOf: UnsafeBufferPointer(rebasing: text[start..<position]))
            start = position + 1
            bytes.append(UInt8(ascii: "\\"))
            if byte >= 0x20 {
                bytes.append(byte)
            } else {
                bytes.append(contentsOf: [0x75, 0x30, 0x30])
                bytes.append(Self.digits[Int(byte >> 4)])
                bytes.append(Self.digits[Int(byte & 15)])
            }
        }
        bytes.append(contentsOf: UnsafeBufferPointer(rebasing: text[start...]))
    }
}
