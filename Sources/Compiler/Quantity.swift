import PipelineIR

/// Forms that texts in a danubefile must have.
enum Quantity {
    /// Whether a text is shown on one line: nothing in it moves a cursor or turns the direction.
    static func isLine(_ text: String) -> Bool {
        var isPlain = true
        for byte in text.utf8 where byte < 0x20 || byte >= 0x7F { isPlain = false }
        return isPlain || !text.unicodeScalars.contains(where: \.isControl)
    }

    /// A text with a blank for each character that `isLine` refuses.
    static func line(_ text: String) -> String {
        if isLine(text) { return text }
        var result = ""
        for scalar in text.unicodeScalars {
            result.unicodeScalars.append(scalar.isControl ? " " : scalar)
        }
        return result
    }

    /// A text for people in which NUL, which no plan may hold, is shown as U+FFFD.
    static func withoutNUL(_ text: String) -> String {
        guard text.utf8.contains(0) else { return text }
        var result = ""
        for scalar in text.unicodeScalars {
            result.unicodeScalars.append(scalar.value == 0 ? "\u{FFFD}" : scalar)
        }
        return result
    }

    /// A year: nothing in a pipeline takes longer.
    static let longestSeconds = 366.0 * 86_400

    /// Milliseconds of `90s`, `10m`, `1h30m`, `1.5h`, `200ms`; a bare number is seconds.
    static func milliseconds(_ text: String) -> UInt64? {
        var total = 0.0
        var rest = text[...]
        guard !rest.isEmpty, text.utf8.count <= 64 else { return nil }
        while !rest.isEmpty {
            let digits = rest.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
            guard !digits.isEmpty, let value = Double(digits) else { return nil }
            rest = rest.dropFirst(digits.count)
            let unit = rest.prefix { $0.isASCII && $0.isLetter }
            rest = rest.dropFirst(unit.count)
            let factors: [Substring: Double] = [
                "ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000,
            ]
            if unit.isEmpty, rest.isEmpty, total == 0 {
                total = value * 1000
            } else if let factor = factors[unit] {
                total += value * factor
            } else {
                return nil
            }
        }
        return total <= longestSeconds * 1000 ? UInt64(total) : nil
    }

    /// Thousandths of a core.
    static func milliCores(_ given: RecordedQuantity) -> UInt64? {
        switch given {
        case .number(let cores):
            return cores > 0 && cores <= 4096 ? UInt64((cores * 1000).rounded()) : nil
        case .text(let text):
            if text.hasSuffix("m") {
                guard let value = UInt64(text.dropLast()), value > 0, value <= 4_096_000 else {
                    return nil
                }
                return value
            }
            return Double(text).flatMap { milliCores(.number($0)) }
        }
    }

    /// Bytes of a number, `512Mi`, `2Gi`, `1G`.
    static func bytes(_ given: RecordedQuantity) -> UInt64? {
        let largest = 1.0 * Double(1 << 50)
        switch given {
        case .number(let bytes):
            return bytes >= 0 && bytes <= largest ? UInt64(bytes) : nil
        case .text(let text):
            let digits = text.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
            guard let value = Double(digits) else { return nil }
            let factors: [Substring: Double] = [
                "": 1, "k": 1e3, "K": 1e3, "M": 1e6, "G": 1e9, "T": 1e12, "Ki": 1024,
                "Mi": 1_048_576, "Gi": 1_073_741_824, "Ti": 1_099_511_627_776, "B": 1,
            ]
            guard let factor = factors[text.dropFirst(digits.count)], value * factor <= largest,
                value * factor >= 1
            else { return nil }
            return UInt64(value * factor)
        }
    }

    /// A path or glob beneath the workspace.
    static func isInside(_ path: String) -> Bool {
        guard !path.isEmpty, path.utf8.count <= 4096, !path.hasPrefix("/"), !path.hasPrefix("~"),
            !path.utf8.contains(where: { $0 < 0x20 || $0 == 0x7F || $0 == UInt8(ascii: "\\") })
        else { return false }
        return !path.split(separator: "/").contains("..")
    }

    /// `[A-Za-z_][A-Za-z0-9_]*`, at most 256 characters.
    static func isVariable(_ name: String) -> Bool {
        guard let first = name.utf8.first, name.utf8.count <= 256 else { return false }
        return !(UInt8(ascii: "0")...UInt8(ascii: "9")).contains(first)
            && name.utf8.allSatisfy { isWord($0) }
    }

    private static func isWord(_ byte: UInt8) -> Bool {
        isLowerOrDigit(byte) || (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte)
            || byte == UInt8(ascii: "_")
    }

    private static func isLowerOrDigit(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
            || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
    }

    /// A label of a host name (RFC 1123).
    static func isHostName(_ name: String) -> Bool {
        guard (1...63).contains(name.utf8.count), name.first != "-", name.last != "-" else {
            return false
        }
        return name.utf8.allSatisfy { isLowerOrDigit($0) || $0 == UInt8(ascii: "-") }
    }

    /// The last component of an image's path, without tag and digest.
    static func hostName(ofImage image: String) -> String {
        let path = image.split(separator: "@").first ?? ""
        let last = path.split(separator: "/").last ?? ""
        return String(last.split(separator: ":").first ?? "")
    }

    /// An image reference: `[host[:port]/]path[:tag][@sha256:digest]` (distribution's grammar).
    static func isImage(_ text: String) -> Bool {
        guard (1...512).contains(text.utf8.count) else { return false }
        let halves = text.split(separator: "@", maxSplits: 1, omittingEmptySubsequences: false)
        if halves.count == 2 {
            let digest = halves[1]
            guard digest.hasPrefix("sha256:"), digest.utf8.count == 71,
                digest.dropFirst(7).utf8.allSatisfy({
                    (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0)
                        || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains($0)
                })
            else { return false }
        }
        var components = halves[0].split(separator: "/", omittingEmptySubsequences: false)
        guard let last = components.popLast() else { return false }
        let tagged = last.split(separator: ":", omittingEmptySubsequences: false)
        guard tagged.count <= 2, isPathComponent(tagged[0]) else { return false }
        if tagged.count == 2 {
            guard (1...128).contains(tagged[1].utf8.count),
                tagged[1].utf8.allSatisfy({
                    isWord($0) || $0 == UInt8(ascii: ".") || $0 == UInt8(ascii: "-")
                }), tagged[1].first != ".", tagged[1].first != "-"
            else { return false }
        }
        for (index, component) in components.enumerated() {
            if index == 0,
                component.contains(where: { $0 == "." || $0 == ":" })
                    || component == "localhost"
            {
                guard isRegistry(component) else { return false }
            } else if !isPathComponent(component) {
                return false
            }
        }
        return true
    }

    private static func isRegistry(_ text: Substring) -> Bool {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count <= 2, !parts[0].isEmpty else { return false }
        if parts.count == 2, UInt16(parts[1]) == nil { return false }
        return parts[0].utf8.allSatisfy {
            isWord($0) || $0 == UInt8(ascii: ".") || $0 == UInt8(ascii: "-")
        }
    }

    private static func isPathComponent(_ text: Substring) -> Bool {
        guard let first = text.utf8.first, let last = text.utf8.last, isLowerOrDigit(first),
            isLowerOrDigit(last)
        else { return false }
        return text.utf8.allSatisfy {
            isLowerOrDigit($0) || $0 == UInt8(ascii: ".") || $0 == UInt8(ascii: "_")
                || $0 == UInt8(ascii: "-")
        }
    }
}

extension RecordedQuantity {
    /// As the danubefile has it.
    var shown: String {
        switch self {
        case .text(let text): return text
        case .number(let value):
            return value == value.rounded() && abs(value) < 1e15
                ? String(Int64(value)) : String(value)
        }
    }
}
