/// Methods of Python's `str`, and of its `json` and `shlex`, on texts as code points.
enum PythonText {
    /// What `str.isspace` holds of, and what `strip()` takes away.
    static func isSpace(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x09...0x0D, 0x1C...0x20, 0x85, 0xA0, 0x1680, 0x2000...0x200A, 0x2028, 0x2029, 0x202F,
            0x205F, 0x3000:
            true
        default: false
        }
    }

    /// `strip`, `lstrip`, `rstrip`: white space, or any of the given characters.
    static func strip(
        _ text: String, _ characters: String?, left: Bool, right: Bool
    ) -> String {
        let set = characters.map { Set($0.unicodeScalars) }
        func goes(_ scalar: Unicode.Scalar) -> Bool { set?.contains(scalar) ?? isSpace(scalar) }
        var rest = text.unicodeScalars[...]
        if left { rest = rest.drop(while: goes) }
        if right { while let last = rest.last, goes(last) { rest.removeLast() } }
        return String(String.UnicodeScalarView(rest))
    }

    static func removePrefix(_ text: String, _ prefix: String) -> String {
        text.utf8.starts(with: prefix.utf8)
            ? String(decoding: text.utf8.dropFirst(prefix.utf8.count), as: UTF8.self) : text
    }

    static func removeSuffix(_ text: String, _ suffix: String) -> String {
        text.utf8.reversed().starts(with: suffix.utf8.reversed())
            ? String(decoding: text.utf8.dropLast(suffix.utf8.count), as: UTF8.self) : text
    }

    /// `replace(old, new, count)`; a negative count means all.
    ///
    /// Well-formed UTF-8 is found in UTF-8 only where characters begin, so bytes do.
    static func replace(
        _ text: String, _ old: String, _ new: String, count: Int64
    ) throws(TemplateText.Failure) -> String {
        var left = count < 0 ? Int64.max : count
        if left == 0 { return text }
        if old.isEmpty { return try spread(text, new, left) }
        let bytes = Array(text.utf8)
        let (old, new) = (Array(old.utf8), Array(new.utf8))
        var found: [UInt8] = []
        var start = 0
        while left > 0, let place = find(old, in: bytes, from: start) {
            found += bytes[start..<place]
            found += new
            start = place + old.count
            left -= 1
            if found.count > TemplateText.limit { throw .tooLong(limit: TemplateText.limit) }
        }
        found += bytes[start...]
        return String(decoding: found, as: UTF8.self)
    }

    /// `replace("", new)`: before each character and at the end.
    private static func spread(
        _ text: String, _ new: String, _ count: Int64
    ) throws(TemplateText.Failure) -> String {
        var found = ""
        var left = count
        for scalar in text.unicodeScalars {
            if left > 0 {
                found += new
                left -= 1
            }
            found.unicodeScalars.append(scalar)
            if found.utf8.count > TemplateText.limit { throw .tooLong(limit: TemplateText.limit) }
        }
        return left > 0 ? found + new : found
    }

    /// Where a sequence of bytes first stands, from a place on: Knuth, Morris, Pratt, so that no
    /// output of a step makes this slow.
    static func find(_ needle: [UInt8], in text: [UInt8], from start: Int) -> Int? {
        if needle.isEmpty { return start }
        if needle.count > text.count - start { return nil }
        if needle.count == 1 { return text[start...].firstIndex(of: needle[0]) }
        var fallback = [Int](repeating: 0, count: needle.count)
        var matched = 0
        for index in 1..<needle.count {
            while matched > 0, needle[index] != needle[matched] { matched = fallback[matched - 1] }
            if needle[index] == needle[matched] { matched += 1 }
            fallback[index] = matched
        }
        matched = 0
        for index in start..<text.count {
            while matched > 0, text[index] != needle[matched] { matched = fallback[matched - 1] }
            if text[index] == needle[matched] { matched += 1 }
            if matched == needle.count { return index + 1 - matched }
        }
        return nil
    }

    /// `json.dumps(text)`: ASCII only.
    static func json(_ text: String) -> String {
        var found = "\""
        for unit in text.utf16 {
            switch unit {
            case 0x22: found += "\\\""
            case 0x5C: found += "\\\\"
            case 0x0A: found += "\\n"
            case 0x0D: found += "\\r"
            case 0x09: found += "\\t"
            case 0x08: found += "\\b"
            case 0x0C: found += "\\f"
            case 0x20...0x7E: found.unicodeScalars.append(Unicode.Scalar(UInt8(unit)))
            default:
                let hex = String(unit, radix: 16)
                found += "\\u" + String(repeating: "0", count: 4 - hex.utf8.count) + hex
            }
        }
        return found + "\""
    }

    /// `shlex.quote(text)`.
    static func quote(_ text: String) -> String {
        if text.isEmpty { return "''" }
        if text.utf8.allSatisfy(isSafeInShell) { return text }
        var found = "'"
        for scalar in text.unicodeScalars {
            if scalar == "'" { found += "'\"'\"'" } else { found.unicodeScalars.append(scalar) }
        }
        return found + "'"
    }

    private static func isSafeInShell(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: true
        case 0x5F, 0x40, 0x25, 0x2B, 0x3D, 0x3A, 0x2C, 0x2E, 0x2F, 0x2D: true
        default: false
        }
    }
}
