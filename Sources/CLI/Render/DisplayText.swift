/// How text that may be hostile looks on a terminal: its width in columns, and visible escapes
/// for what would move the cursor, reorder the line or vanish.
enum DisplayText {
    /// Whether every byte is printable ASCII, so that bytes are columns.
    static func isPlain(_ text: String) -> Bool {
        var plain = true
        for byte in text.utf8 where byte < 0x20 || byte > 0x7e {
            plain = false
            break
        }
        return plain
    }

    /// The columns that the text takes once it is escaped.
    static func width(_ text: String) -> Int {
        if isPlain(text) { return text.utf8.count }
        var columns = 0
        for scalar in text.unicodeScalars { columns += width(scalar) }
        return columns
    }

    /// The columns of one character, or of its escape.
    static func width(_ scalar: Unicode.Scalar) -> Int {
        if let escape = escape(scalar) { return escape.utf8.count }
        if scalar.value < 0x300 { return 1 }
        switch scalar.properties.generalCategory {
        case .nonspacingMark, .enclosingMark, .format: return 0
        default: return isWide(scalar) ? 2 : 1
        }
    }

    /// The visible form of a character that must not reach a terminal as it is; else `nil`.
    static func escape(_ scalar: Unicode.Scalar) -> String? {
        let value = scalar.value
        if value >= 0x20 && value < 0x7f { return nil }
        switch value {
        case 0x0a: return "\\n"
        case 0x0d: return "\\r"
        case 0x09: return "\\t"
        case 0..<0x20, 0x7f..<0xa0: return "\\x" + hex(value, digits: 2)
        // The joiner of emoji sequences is harmless; all other invisible format characters,
        // the bidirectional controls among them, are shown.
        case 0x200d: return nil
        default: break
        }
        if value < 0xad { return nil }
        switch scalar.properties.generalCategory {
        case .format, .lineSeparator, .paragraphSeparator, .control, .surrogate:
            return value > 0xffff ? "\\U" + hex(value, digits: 8) : "\\u" + hex(value, digits: 4)
        default: return nil
        }
    }

    /// The text with its escapes, whole.
    static func escaped(_ text: String) -> String {
        if isPlain(text) { return text }
        var result = ""
        for scalar in text.unicodeScalars {
            if let escape = escape(scalar) {
                result += escape
            } else {
                result.unicodeScalars.append(scalar)
            }
        }
        return result
    }

    /// The first line, escaped, with `…` when there is more or when it is wider than `columns`.
    static func firstLine(_ text: String, columns: Int = .max) -> String {
        var line = ""
        var used = 0
        var cut = false
        for scalar in text.unicodeScalars {
            if scalar == "\n" || scalar == "\r" {
                cut = true
                break
            }
            let piece = escape(scalar) ?? String(Character(scalar))
            let columnsOfPiece = width(scalar)
            if used + columnsOfPiece > columns {
                cut = true
                break
            }
            line += piece
            used += columnsOfPiece
        }
        return cut ? shortened(line, columns: columns) + "…" : line
    }

    /// Escaped text of at most `columns` columns; the last is `…` when something was left out.
    static func fitted(_ text: String, columns: Int) -> String {
        let whole = escaped(text)
        if width(whole) <= columns { return whole }
        return shortened(whole, columns: columns) + "…"
    }

    /// Escaped text of at most `columns` columns, with `…` for what is left out of its middle.
    static func cutInside(_ text: String, columns: Int) -> String {
        let whole = escaped(text)
        if width(whole) <= columns { return whole }
        if columns < 8 { return shortened(whole, columns: columns) + "…" }
        var tail = ""
        var used = 0
        for scalar in whole.unicodeScalars.reversed() {
            let columnsOfScalar = width(scalar)
            if used + columnsOfScalar > columns * 2 / 5 { break }
            tail.unicodeScalars.insert(scalar, at: tail.unicodeScalars.startIndex)
            used += columnsOfScalar
        }
        return shortened(whole, columns: columns - used) + "…" + tail
    }

    /// As much of an escaped text as leaves one column free.
    private static func shortened(_ text: String, columns: Int) -> String {
        if columns == .max { return text }
        var result = ""
        var used = 0
        for scalar in text.unicodeScalars {
            let columnsOfScalar = width(scalar)
            if used + columnsOfScalar > columns - 1 { break }
            result.unicodeScalars.append(scalar)
            used += columnsOfScalar
        }
        return result
    }

    /// Lower-case hexadecimal, padded with zeros.
    static func hex(_ value: UInt32, digits: Int) -> String {
        let text = String(value, radix: 16)
        return String(repeating: "0", count: max(0, digits - text.utf8.count)) + text
    }

    // East Asian Width W and F (UAX #11), as terminals use it, in blocks.
    private static let wide: [ClosedRange<UInt32>] = [
        0x1100...0x115f, 0x2329...0x232a, 0x2e80...0x303e, 0x3041...0x33ff, 0x3400...0x4dbf,
        0x4e00...0xa4cf, 0xa960...0xa97f, 0xac00...0xd7a3, 0xf900...0xfaff, 0xfe10...0xfe19,
        0xfe30...0xfe6f, 0xff00...0xff60, 0xffe0...0xffe6, 0x16fe0...0x18cff, 0x1b000...0x1b2ff,
        0x1f200...0x1f2ff, 0x20000...0x3fffd,
    ]

    private static func isWide(_ scalar: Unicode.Scalar) -> Bool {
        let value = scalar.value
        if value < 0x1100 { return false }
        if value >= 0x1f000, scalar.properties.isEmojiPresentation { return true }
        if value >= 0x231a, value <= 0x2b55 { return scalar.properties.isEmojiPresentation }
        return wide.contains { $0.contains(value) }
    }
}
