// Strings of JSON: escapes, surrogate pairs, UTF-8, the bound on their length.
extension JSONReader {
    /// The end of the run of bytes from `start` that stand for themselves.
    private func plainEnd(from start: Int) -> Int {
        var end = start
        while end < bytes.count {
            let byte = bytes[end]
            if byte == 0x22 || byte == 0x5C || byte < 0x20 { break }
            end += 1
        }
        return end
    }

    /// Reads the string at the quote that comes next.
    mutating func text() throws(PlanError) -> String {
        let start = offset + 1
        let end = plainEnd(from: start)
        guard end < bytes.count else {
            offset = end
            throw ended()
        }
        if bytes[end] == 0x22 {
            try checkLength(end - start)
            guard let text = String(validating: bytes[start..<end], as: UTF8.self) else {
                throw error(.syntax, "A string is not UTF-8.")
            }
            offset = end + 1
            return text
        }
        scratch.removeAll(keepingCapacity: true)
        try walk { (reader, range, scalar) in
            reader.scratch.append(contentsOf: reader.bytes[range])
            if let scalar { reader.scratch.append(contentsOf: UTF8.encode(scalar) ?? .init()) }
        }
        guard let text = String(validating: scratch, as: UTF8.self) else {
            throw error(.syntax, "A string is not UTF-8.")
        }
        return text
    }

    /// Passes over the string at the quote that comes next.
    mutating func skipText() throws(PlanError) {
        try walk { (_, _, _) in }
    }

    /// Goes over a string in runs of plain bytes, each followed by one escaped character.
    private mutating func walk(
        _ visit: (inout JSONReader, Range<Int>, Unicode.Scalar?) -> Void
    ) throws(PlanError) {
        let quote = offset
        var length = 0
        offset += 1
        while true {
            let end = plainEnd(from: offset)
            let run = offset..<end
            offset = end
            guard end < bytes.count else { throw ended() }
            length += run.count
            try checkLength(length, at: quote)
            switch bytes[end] {
            case 0x22:
                visit(&self, run, nil)
                offset += 1
                return
            case 0x5C:
                let scalar = try escape()
                length += UTF8.width(scalar)
                visit(&self, run, scalar)
            default:
                throw error(
                    .syntax, "A control character stands in a string.",
                    hint: "Write it as \\u and four digits.")
            }
        }
    }

    private mutating func escape() throws(PlanError) -> Unicode.Scalar {
        let start = offset
        guard start + 1 < bytes.count else { throw ended() }
        offset += 2
        switch bytes[start + 1] {
        case UInt8(ascii: "\""): return "\""
        case UInt8(ascii: "\\"): return "\\"
        case UInt8(ascii: "/"): return "/"
        case UInt8(ascii: "b"): return "\u{08}"
        case UInt8(ascii: "f"): return "\u{0C}"
        case UInt8(ascii: "n"): return "\n"
        case UInt8(ascii: "r"): return "\r"
        case UInt8(ascii: "t"): return "\t"
        case UInt8(ascii: "u"): break
        default: throw error(.syntax, "JSON has no such escape.", at: start)
        }
        var code = try fourDigits()
        if code & 0xFC00 == 0xD800, offset + 1 < bytes.count, bytes[offset] == 0x5C,
            bytes[offset + 1] == UInt8(ascii: "u")
        {
            offset += 2
            let low = try fourDigits()
            if low & 0xFC00 == 0xDC00 {
                code = 0x10000 + (code & 0x3FF) << 10 + (low & 0x3FF)
            }
        }
        guard let scalar = Unicode.Scalar(code) else {
            throw error(.syntax, "Half of a surrogate pair is no character.", at: start)
        }
        if code == 0 {
            throw error(
                .value, "A string has a NUL character.", hint: "Nothing in a plan may hold NUL.",
                at: start)
        }
        return scalar
    }

    private mutating func fourDigits() throws(PlanError) -> UInt32 {
        guard offset + 4 <= bytes.count else { throw ended() }
        var code: UInt32 = 0
        for byte in bytes[offset..<offset + 4] {
            let letter = (byte | 0x20) &- 0x57
            guard byte.isASCIIDigit || (10...15).contains(letter) else {
                throw error(.syntax, "\\u needs four hexadecimal digits.")
            }
            code = code << 4 | UInt32(byte.isASCIIDigit ? byte - 0x30 : letter)
        }
        offset += 4
        return code
    }

    private func checkLength(_ count: Int, at place: Int? = nil) throws(PlanError) {
        if count > PlanLimits.stringBytes {
            throw error(
                .limit, "A string is longer than 1 MiB.",
                hint: "Keep large texts in a file of the repository.", at: place)
        }
    }
}
