/// Protobuf as fields of one message; what is in a field is bytes.
enum ProtoForm: Form {
    static let edges: [[UInt8]] = [
        [], [0x00], [0x7F], [0xFF, 0xFF, 0xFF, 0xFF, 0x0F],
        [UInt8](repeating: 0xFF, count: 9) + [1],
        [UInt8](repeating: 0x80, count: 12), [0x0A, 0x00], [0x08, 0x01], [0x0B], [0x0C],
        [UInt8](repeating: 0x0A, count: 200), Array("../x\u{0}".utf8), [0xED, 0xA0, 0x80],
        [UInt8](repeating: 0x61, count: 5000),
    ]

    static func spans(_ bytes: [UInt8]) -> [Span] {
        var spans: [Span] = []
        var at = 0
        while at < bytes.count, spans.count < 20_000 {
            let start = at
            guard let key = varint(bytes, &at) else { break }
            var value = at..<at
            switch key & 7 {
            case 0:
                guard varint(bytes, &at) != nil else { return spans }
                value = value.lowerBound..<at
            case 1, 5:
                at += key & 7 == 1 ? 8 : 4
                guard at <= bytes.count else { return spans }
                value = value.lowerBound..<at
            case 2:
                guard let length = varint(bytes, &at), length <= UInt64(bytes.count - at) else {
                    return spans
                }
                value = at..<(at + Int(length))
                at = value.upperBound
            default: return spans
            }
            spans.append(Span(whole: start..<at, value: value, parent: -1))
        }
        return spans
    }

    static func remove(_ span: Span, of spans: [Span], from bytes: inout [UInt8]) {
        bytes.removeSubrange(span.whole)
    }

    static func repeated(
        _ span: Span, of spans: [Span], with copy: [UInt8], in bytes: inout [UInt8]
    ) {
        bytes.insert(contentsOf: copy, at: span.whole.upperBound)
    }

    private static func varint(_ bytes: [UInt8], _ at: inout Int) -> UInt64? {
        var value: UInt64 = 0
        for shift in stride(from: UInt64(0), to: 70, by: 7) {
            guard at < bytes.count else { return nil }
            let byte = bytes[at]
            at += 1
            value |= UInt64(byte & 0x7F) << shift
            if byte < 0x80 { return value }
        }
        return nil
    }
}
