/// Where a trace began, as a request says it in its `traceparent` (W3C Trace Context, section 3.2).
struct TraceContext: Sendable, Equatable {
    /// 32 digits, not all of them 0.
    let trace: String
    /// The span that asked; 16 digits, not all of them 0.
    let span: String
    /// Whether whoever asked keeps its trace.
    let isSampled: Bool

    private static let version0 = 55

    /// Reads a field; `nil` for one that the recommendation has ignored. A later version may have
    /// more behind what is known, divided by a dash.
    init?(_ text: String) {
        let bytes = Array(text.utf8)
        guard bytes.count >= Self.version0 else { return nil }
        let parts = bytes.prefix(Self.version0).split(
            separator: UInt8(ascii: "-"), omittingEmptySubsequences: false)
        guard parts.map(\.count) == [2, 32, 16, 2], parts.allSatisfy({ $0.allSatisfy(Self.isHex) })
        else { return nil }
        let words = parts.map { String(decoding: $0, as: UTF8.self) }
        guard words[0] != "ff", words[0] != "00" || bytes.count == Self.version0,
            bytes.count == Self.version0 || bytes[Self.version0] == UInt8(ascii: "-"),
            words[1].contains(where: { $0 != "0" }), words[2].contains(where: { $0 != "0" }),
            let flags = UInt8(words[3], radix: 16)
        else { return nil }
        trace = words[1]
        span = words[2]
        isSampled = flags & 1 == 1
    }

    /// As version 0 writes it.
    var text: String { "00-\(trace)-\(span)-\(isSampled ? "01" : "00")" }

    private static func isHex(_ byte: UInt8) -> Bool {
        byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9")
            || byte >= UInt8(ascii: "a") && byte <= UInt8(ascii: "f")
    }
}
