/// `split` and `splitlines` of Python's `str`.
enum PythonSplit {
    /// `split(separator, limit)`; without a separator at runs of white space.
    static func split(_ text: String, _ separator: String?, limit: Int64) -> [String] {
        guard let separator else { return words(text, limit: limit) }
        let (bytes, needle) = (Array(text.utf8), Array(separator.utf8))
        var left = limit < 0 ? Int64.max : limit
        var pieces: [String] = []
        var start = 0
        while left > 0, let place = PythonText.find(needle, in: bytes, from: start) {
            pieces.append(String(decoding: bytes[start..<place], as: UTF8.self))
            start = place + needle.count
            left -= 1
        }
        pieces.append(String(decoding: bytes[start...], as: UTF8.self))
        return pieces
    }

    private static func words(_ text: String, limit: Int64) -> [String] {
        var left = limit < 0 ? Int64.max : limit
        var pieces: [String] = []
        var rest = text.unicodeScalars.drop(while: PythonText.isSpace)
        while left > 0, !rest.isEmpty {
            let word = rest.prefix { !PythonText.isSpace($0) }
            pieces.append(String(String.UnicodeScalarView(word)))
            rest = rest[word.endIndex...].drop(while: PythonText.isSpace)
            left -= 1
        }
        // The last piece keeps the white space at its end.
        if !rest.isEmpty { pieces.append(String(String.UnicodeScalarView(rest))) }
        return pieces
    }

    /// `splitlines()`.
    static func lines(_ text: String) -> [String] {
        var pieces: [String] = []
        let scalars = text.unicodeScalars
        var start = scalars.startIndex
        while start < scalars.endIndex {
            let end = scalars[start...].firstIndex(where: endsLine) ?? scalars.endIndex
            pieces.append(String(String.UnicodeScalarView(scalars[start..<end])))
            if end == scalars.endIndex { break }
            start = scalars.index(after: end)
            let isPair = scalars[end] == "\r" && start < scalars.endIndex && scalars[start] == "\n"
            if isPair { start = scalars.index(after: start) }
        }
        return pieces
    }

    private static func endsLine(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x0A...0x0D, 0x1C...0x1E, 0x85, 0x2028, 0x2029: true
        default: false
        }
    }
}
