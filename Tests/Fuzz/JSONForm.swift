/// JSON as values within each other.
enum JSONForm: Form {
    static let edges: [[UInt8]] =
        [
            "0", "-1", "1", "255", "256", "2147483647", "2147483648", "4294967296", "-0", "1e400",
            "9007199254740992", "9223372036854775807", "9223372036854775808", "0.1", "1E-320",
            "null", "true", "false", "[]", "{}", "\"\"", "\"\\u0000\"", "\"\\ud800\"", "\"\\n\"",
            "\"\\ud83d\\ude00\"", "\"../x\"", "\"\\u001b[31m\"", "[[]]", "{\"\":0}", "\"step\"",
            "\"a/b[c=d]~2\"", "\"all\"", "\"e\u{301}\"",
        ].map { Array($0.utf8) } + [
            Array("\"".utf8) + [UInt8](repeating: 0x61, count: 5000) + [0x22],
            [UInt8](repeating: 0x5B, count: 80),
        ]

    private struct Open {
        var span: Int
        var isObject: Bool
        /// Where the member that is being read began.
        var member: Int
    }

    static func spans(_ bytes: [UInt8]) -> [Span] {
        var spans: [Span] = []
        var open: [Open] = []
        var at = 0
        while at < bytes.count, spans.count < 20_000 {
            switch bytes[at] {
            case 0x20, 0x09, 0x0A, 0x0D, UInt8(ascii: ","), UInt8(ascii: ":"): at += 1
            case UInt8(ascii: "{"), UInt8(ascii: "["):
                let start = begin(at, open)
                open.append(
                    Open(span: spans.count, isObject: bytes[at] == UInt8(ascii: "{"), member: -1))
                let parent = open.count > 1 ? open[open.count - 2].span : -1
                spans.append(Span(whole: start..<at, value: at..<at, parent: parent))
                at += 1
            case UInt8(ascii: "}"), UInt8(ascii: "]"):
                at += 1
                guard let last = open.popLast() else { return spans }
                close(&spans[last.span], at)
                if !open.isEmpty { open[open.count - 1].member = -1 }
            default:
                let end = scalarEnd(bytes, at)
                if let last = open.last, last.isObject, last.member < 0, bytes[at] == 0x22 {
                    open[open.count - 1].member = at
                } else {
                    spans.append(
                        Span(
                            whole: begin(at, open)..<end, value: at..<end,
                            parent: open.last?.span ?? -1))
                    if !open.isEmpty { open[open.count - 1].member = -1 }
                }
                at = end
            }
        }
        for last in open { close(&spans[last.span], bytes.count) }
        return spans
    }

    private static func begin(_ at: Int, _ open: [Open]) -> Int {
        guard let last = open.last, last.isObject, last.member >= 0 else { return at }
        return last.member
    }

    private static func close(_ span: inout Span, _ end: Int) {
        span.whole = span.whole.lowerBound..<end
        span.value = span.value.lowerBound..<end
    }

    private static func scalarEnd(_ bytes: [UInt8], _ start: Int) -> Int {
        var at = start + 1
        if bytes[start] == 0x22 {
            while at < bytes.count, bytes[at] != 0x22 { at += bytes[at] == 0x5C ? 2 : 1 }
            return min(at + 1, bytes.count)
        }
        while at < bytes.count, !" \t\r\n,:{}[]\"".utf8.contains(bytes[at]) { at += 1 }
        return at
    }

    static func remove(_ span: Span, of spans: [Span], from bytes: inout [UInt8]) {
        var range = span.whole
        if range.upperBound < bytes.count, bytes[range.upperBound] == UInt8(ascii: ",") {
            range = range.lowerBound..<range.upperBound + 1
        } else if range.lowerBound > 0, bytes[range.lowerBound - 1] == UInt8(ascii: ",") {
            range = range.lowerBound - 1..<range.upperBound
        }
        bytes.removeSubrange(range)
    }

    static func repeated(
        _ span: Span, of spans: [Span], with copy: [UInt8], in bytes: inout [UInt8]
    ) {
        bytes.insert(contentsOf: [UInt8(ascii: ",")] + copy, at: span.whole.upperBound)
    }
}
