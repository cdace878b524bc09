/// The texts in which a secret may show itself: as it is, and as programs usually encode it.
struct SecretForms {
    private(set) var patterns: Set<[UInt8]> = []

    /// Shorter texts are not looked for: they would be found in everything.
    static let leastBytes = 4
    /// Pieces of an encoded form that was wrapped into lines have to be longer to tell anything.
    static let leastPieceBytes = 8

    /// All forms of a value. None when the value is too short.
    init(_ value: [UInt8]) {
        let trimmed = Self.trim(value)
        guard trimmed.count >= Self.leastBytes else { return }
        // A file of a secret ends with a newline that is no part of the secret.
        for whole in value == trimmed ? [value] : [value, trimmed] {
            add(whole)
            addEscaped(whole)
            addHex(whole)
            addBase64(whole)
        }
        for line in value.split(whereSeparator: { $0 == 10 || $0 == 13 }) {
            add(Self.trim(Array(line)))
        }
    }

    private mutating func add(_ pattern: [UInt8], least: Int = leastBytes) {
        if pattern.count >= least { patterns.insert(pattern) }
    }

    private mutating func addHex(_ value: [UInt8]) {
        for digits in [Array("0123456789abcdef".utf8), Array("0123456789ABCDEF".utf8)] {
            let hex = value.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }
            add(hex)
            addLines(of: hex, width: 60)  // xxd -p
        }
    }

    /// Escapes of JSON, of URLs and of a shell's trace.
    private mutating func addEscaped(_ value: [UInt8]) {
        for slash in [false, true] {
            for ascii in [false, true] {
                for html in [false, true] {
                    add(Self.json(value, escapeSlash: slash, asciiOnly: ascii, escapeHTML: html))
                }
            }
        }
        let unreserved = "-._~"
        for kept in [unreserved, unreserved + "/", unreserved + "!*'()"] {
            for lower in [false, true] {
                let encoded = Self.percent(value, keeping: kept, lower: lower)
                add(encoded)
                add(Self.replace(encoded, Array("%20".utf8), Array("+".utf8)))
            }
        }
        add(Self.replace(value, Array("'".utf8), Array("'\\''".utf8)))
    }

    /// Base64 (RFC 4648, both alphabets) with 0, 1 or 2 bytes before the value in its group.
    private mutating func addBase64(_ value: [UInt8]) {
        let letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
        for alphabet in [Array((letters + "+/").utf8), Array((letters + "-_").utf8)] {
            for before in 0..<3 {
                let encoded = Self.base64([UInt8](repeating: 0, count: before) + value, alphabet)
                let from = (before * 8 + 5) / 6
                // Only these digits depend on nothing that follows the value.
                let sure = (before + value.count) * 8 / 6
                guard from < sure else { continue }
                add(Array(encoded[from..<sure]))
                add(Array(encoded[from...]))
                add(Array(encoded[from...].prefix { $0 != UInt8(ascii: "=") }))
                guard before == 0, alphabet.last == UInt8(ascii: "/") else { continue }
                for width in [64, 76] {
                    addLines(of: Array(encoded[..<sure]), width: width)
                    addLines(of: encoded, width: width)
                }
            }
        }
    }

    private mutating func addLines(of encoded: [UInt8], width: Int) {
        guard encoded.count > width else { return }
        for start in stride(from: 0, to: encoded.count, by: width) {
            let end = min(start + width, encoded.count)
            add(Array(encoded[start..<end]), least: Self.leastPieceBytes)
        }
    }

    static func trim(_ bytes: [UInt8]) -> [UInt8] {
        let blank: (UInt8) -> Bool = { $0 == 32 || (9...13).contains($0) }
        let end = bytes.lastIndex { !blank($0) }.map { $0 + 1 } ?? 0
        return Array(bytes[..<end].drop(while: blank))
    }

    static func base64(_ bytes: [UInt8], _ alphabet: [UInt8]) -> [UInt8] {
        var out: [UInt8] = []
        out.reserveCapacity((bytes.count + 2) / 3 * 4)
        for start in stride(from: 0, to: bytes.count, by: 3) {
            let count = min(3, bytes.count - start)
            var group = 0
            for offset in 0..<3 {
                group = group << 8 | (offset < count ? Int(bytes[start + offset]) : 0)
            }
            for digit in 0..<4 {
                let value = group >> (18 - 6 * digit) & 63
                out.append(digit <= count ? alphabet[value] : UInt8(ascii: "="))
            }
        }
        return out
    }

    static func percent(_ bytes: [UInt8], keeping kept: String, lower: Bool) -> [UInt8] {
        let digits = Array((lower ? "0123456789abcdef" : "0123456789ABCDEF").utf8)
        let kept = Set(kept.utf8)
        return bytes.flatMap { byte -> [UInt8] in
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "a")...UInt8(ascii: "z"):
                [byte]
            case _ where kept.contains(byte): [byte]
            default: [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            }
        }
    }

    /// The inside of a JSON string (RFC 8259).
    static func json(
        _ bytes: [UInt8], escapeSlash: Bool, asciiOnly: Bool, escapeHTML: Bool
    ) -> [UInt8] {
        // Bytes that are no UTF-8 have no form of escapes alone; the repaired one is never printed.
        let text = String(decoding: bytes, as: UTF8.self)
        var out = ""
        for unit in text.unicodeScalars {
            switch unit {
            case "\"", "\\": out += "\\\(unit)"
            case "\n": out += "\\n"
            case "\r": out += "\\r"
            case "\t": out += "\\t"
            case "\u{8}": out += "\\b"
            case "\u{c}": out += "\\f"
            case "/" where escapeSlash: out += "\\/"
            case "<" where escapeHTML, ">" where escapeHTML, "&" where escapeHTML:
                out += escape(UInt16(unit.value))
            case _ where unit.value < 0x20 || (asciiOnly && unit.value > 0x7e):
                for part in UTF16.encode(unit) ?? UTF16.EncodedScalar() { out += escape(part) }
            default: out.unicodeScalars.append(unit)
            }
        }
        return Array(out.utf8)
    }

    private static func escape(_ unit: UInt16) -> String {
        let hex = String(unit, radix: 16)
        return "\\u" + String(repeating: "0", count: 4 - hex.count) + hex
    }

    private static func replace(_ bytes: [UInt8], _ old: [UInt8], _ new: [UInt8]) -> [UInt8] {
        var out: [UInt8] = []
        var position = 0
        while position < bytes.count {
            if bytes[position...].starts(with: old) {
                out += new
                position += old.count
            } else {
                out.append(bytes[position])
                position += 1
            }
        }
        return out
    }
}
