// Strings, numbers and words of TOML.
extension TOMLReader {
    /// A number, a word, a date or a time.
    mutating func scalar() throws(TOMLMistake) -> GivenValue {
        let start = self
        while let byte = next,
            byte.isWord || "+-.:".utf8.contains(byte)
                || byte == UInt8(ascii: " ") && isWithinDate(from: start.at)
        {
            advance()
        }
        let token = String(decoding: bytes[start.at..<at], as: UTF8.self)
        if token.isEmpty {
            throw mistake("Here should be a value.", "Put a text in quotes.")
        }
        switch token {
        case "true": return .boolean(true)
        case "false": return .boolean(false)
        case "inf", "+inf", "-inf", "nan", "+nan", "-nan":
            return .other("a number with a fraction")
        default: break
        }
        if let number = try Self.integer(token, start) { return .integer(number) }
        if Self.isDate(token) { return .other("a date or time without quotes") }
        if Self.isFraction(token) { return .fraction(token) }
        throw start.mistake("This is no value.", "Put a text in quotes.")
    }

    /// Whether a blank stands between a date and a time.
    private func isWithinDate(from start: Int) -> Bool {
        at - start == 10 && Self.isDate(String(decoding: bytes[start..<at], as: UTF8.self))
            && at + 1 < bytes.count && bytes[at + 1].isDigit
    }

    /// An integer of TOML; `nil` for anything else. Throws where 64 bits do not hold it.
    private static func integer(
        _ token: String, _ start: TOMLReader
    ) throws(TOMLMistake) -> Int64? {
        let sign = token.hasPrefix("-") || token.hasPrefix("+") ? 1 : 0
        var digits = token.dropFirst(sign)
        var radix = 10
        let bases = [("0x", 16), ("0o", 8), ("0b", 2)]
        if sign == 0, let (_, other) = bases.first(where: { digits.hasPrefix($0.0) }) {
            digits = digits.dropFirst(2)
            radix = other
        }
        guard areDigits(digits, radix), radix != 10 || digits == "0" || !digits.hasPrefix("0")
        else {
            return nil
        }
        guard let number = Int64(token.prefix(sign) + digits.filter { $0 != "_" }, radix: radix)
        else {
            throw start.mistake("64 bits do not hold this number.")
        }
        return number
    }

    /// Whether it begins like `1979-05-27` or `07:32`.
    private static func isDate(_ token: String) -> Bool {
        let bytes = Array(token.utf8)
        let isDate =
            bytes.count >= 10 && bytes[..<4].allSatisfy(\.isDigit)
            && bytes[4] == UInt8(ascii: "-")
        let isTime =
            bytes.count >= 5 && bytes[..<2].allSatisfy(\.isDigit) && bytes[2] == UInt8(ascii: ":")
        return isDate || isTime
    }

    /// Digits with single underscores between them.
    private static func areDigits(_ text: Substring, _ radix: Int) -> Bool {
        text.split(separator: "_", omittingEmptySubsequences: false).allSatisfy { part in
            !part.isEmpty && part.allSatisfy { $0.hexDigitValue.map { $0 < radix } ?? false }
        }
    }

    private static func isFraction(_ token: String) -> Bool {
        var number = token[...]
        if let sign = number.first, sign == "-" || sign == "+" { number = number.dropFirst() }
        let whole = number.prefix { $0.isNumber || $0 == "_" }
        number = number.dropFirst(whole.count)
        guard areDigits(whole, 10), whole == "0" || !whole.hasPrefix("0") else { return false }
        if number.first == "." {
            let part = number.dropFirst().prefix { $0.isNumber || $0 == "_" }
            number = number.dropFirst(1 + part.count)
            if !areDigits(part, 10) { return false }
        }
        guard let exponent = number.popFirst() else { return true }
        if let sign = number.first, sign == "-" || sign == "+" { number = number.dropFirst() }
        return (exponent == "e" || exponent == "E") && areDigits(number, 10)
    }

    // MARK: strings

    /// A string in one of the four forms.
    mutating func string() throws(TOMLMistake) -> String {
        guard let quote = next, bytes[at...].starts(with: [quote, quote, quote]) else {
            return try shortString()
        }
        let start = self
        advance(3)
        _ = try newline()
        var text: [UInt8] = []
        while let byte = next {
            if byte == quote {
                let run = bytes[at...].prefix(5).prefix { $0 == quote }.count
                advance(run)
                // The last three end the text; one or two before them belong to it.
                text += [UInt8](repeating: quote, count: run < 3 ? run : run - 3)
                if run >= 3 { return String(decoding: text, as: UTF8.self) }
            } else if byte == UInt8(ascii: "\\"), quote == UInt8(ascii: "\"") {
                if try !lineContinues() { text += try escape() }
            } else if try newline() {
                text.append(UInt8(ascii: "\n"))
            } else {
                try refuseControl(byte)
                text.append(byte)
                advance()
            }
        }
        throw start.mistake("The text does not end.")
    }

    /// A string on one line, also as a key.
    mutating func shortString() throws(TOMLMistake) -> String {
        let start = self
        let quote = next
        advance()
        var text: [UInt8] = []
        while let byte = next, byte != UInt8(ascii: "\n") {
            if byte == quote {
                advance()
                return String(decoding: text, as: UTF8.self)
            }
            if byte == UInt8(ascii: "\\"), quote == UInt8(ascii: "\"") {
                text += try escape()
            } else {
                try refuseControl(byte)
                text.append(byte)
                advance()
            }
        }
        throw start.mistake("The text does not end.")
    }

    /// Passes over a backslash at the end of a line, and what is blank after it.
    private mutating func lineContinues() throws(TOMLMistake) -> Bool {
        var ahead = self
        ahead.advance()
        ahead.skipBlanks()
        guard try ahead.newline() else { return false }
        repeat { ahead.skipBlanks() } while try ahead.newline()
        self = ahead
        return true
    }

    /// The bytes that an escape stands for.
    private mutating func escape() throws(TOMLMistake) -> [UInt8] {
        let start = self
        advance()
        let letter = next
        advance()
        switch letter {
        case UInt8(ascii: "b"): return [0x08]
        case UInt8(ascii: "t"): return [0x09]
        case UInt8(ascii: "n"): return [0x0A]
        case UInt8(ascii: "f"): return [0x0C]
        case UInt8(ascii: "r"): return [0x0D]
        case UInt8(ascii: "\""), UInt8(ascii: "\\"): return letter.map { [$0] } ?? []
        case UInt8(ascii: "u"), UInt8(ascii: "U"): break
        default: throw start.mistake("TOML has no such escape.", "Write \\\\ for a backslash.")
        }
        let count = letter == UInt8(ascii: "u") ? 4 : 8
        let digits = bytes[at...].prefix(count)
        advance(count)
        let isHex = digits.allSatisfy { $0.isDigit || ($0.isLetter && $0 | 0x20 <= 0x66) }
        guard digits.count == count, isHex,
            let value = UInt32(String(decoding: digits, as: UTF8.self), radix: 16),
            let scalar = Unicode.Scalar(value)
        else { throw start.mistake("This escape is no character.") }
        // Paths and variables end there.
        if value == 0 { throw start.mistake("No text may have a NUL.") }
        return Array(String(Character(scalar)).utf8)
    }
}
