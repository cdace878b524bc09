import Compiler

/// The marshal subset as values within each other: a tuple says how many elements it has.
enum MarshalForm: Form {
    static let edges: [[UInt8]] =
        [
            [0x4E], [0x54], [0x46], [0x28, 0, 0, 0, 0], [0x75, 0, 0, 0, 0], [0x73, 0, 0, 0, 0],
            [0x28, 0xFF, 0xFF, 0xFF, 0x7F], [0x28, 0xFF, 0xFF, 0xFF, 0xFF],
            [0x75, 0xFF, 0xFF, 0xFF, 0x7F], [0x75, 1, 0, 0, 0, 0xFF], [0x75, 1, 0, 0, 0, 0],
            [0x67, 0, 0, 0, 0, 0, 0, 0xF8, 0x7F], [0x67, 0, 0, 0, 0, 0, 0, 0xF0, 0xFF],
            [0x67, 0, 0, 0, 0, 0, 0, 0, 0x80], [0x67, 1, 0, 0, 0, 0, 0, 0xF0, 0x43],
            [0x75, 6, 0, 0, 0, 0x65, 0xCC, 0x81, 0x0A, 0x1B, 0x5B],
        ]
        + ([0, 1, 2, 3, 4, 7, 12, 13, 255, 256, 65535, .max, .min, -1] as [Int32]).map { number in
            [0x69] + (0..<4).map { UInt8(truncatingIfNeeded: number >> (8 * Int32($0))) }
        }
        + [
            "t", "o", "c", "x", "u", "m", "k", "cmp", "def", "and", "or", "not", "argv", "L",
            "list", "image", "env", "timeout", "inputs", "needs", "retries", "resources", "matrix",
            "services", "split", "json", "99999999999999999999", "1h30m", "**/*", "../x",
        ].map(text)

    private static func text(_ text: String) -> [UInt8] {
        [0x75, UInt8(text.utf8.count), 0, 0, 0] + Array(text.utf8)
    }

    static func spans(_ bytes: [UInt8]) -> [Span] {
        var reader = MarshalReader(bytes)
        var spans: [Span] = []
        // Tuples that are not at their end: their span, and how many elements are missing.
        var open: [(span: Int, left: Int)] = []
        while spans.count < 20_000 {
            let start = reader.offset
            guard let item = try? reader.next() else { break }
            let range = start..<reader.offset
            spans.append(Span(whole: range, value: range, parent: open.last?.span ?? -1))
            if case .tuple(let count) = item { open.append((spans.count - 1, count + 1)) }
            // An element is at its end, and with it perhaps the tuple that it closes.
            while let last = open.last {
                open[open.count - 1].left = last.left - 1
                if last.left > 1 { break }
                let whole = spans[last.span].value.lowerBound..<reader.offset
                spans[last.span].value = whole
                spans[last.span].whole = whole
                open.removeLast()
            }
            if open.isEmpty { break }
        }
        return spans
    }

    static func remove(_ span: Span, of spans: [Span], from bytes: inout [UInt8]) {
        bytes.removeSubrange(span.whole)
        count(span, spans, -1, &bytes)
    }

    static func repeated(
        _ span: Span, of spans: [Span], with copy: [UInt8], in bytes: inout [UInt8]
    ) {
        bytes.insert(contentsOf: copy, at: span.whole.upperBound)
        count(span, spans, 1, &bytes)
    }

    /// Changes the number of elements that the tuple around a value claims.
    private static func count(
        _ span: Span, _ spans: [Span], _ change: Int, _ bytes: inout [UInt8]
    ) {
        guard span.parent >= 0 else { return }
        let at = spans[span.parent].value.lowerBound + 1
        guard at + 4 <= bytes.count else { return }
        var number = 0
        for index in 0..<4 { number |= Int(bytes[at + index]) << (8 * index) }
        number = max(0, number + change)
        for index in 0..<4 { bytes[at + index] = UInt8(truncatingIfNeeded: number >> (8 * index)) }
    }
}
