import Testing

@testable import Master

@Suite struct ByteRangeTests {
    @Test(
        arguments: [
            (nil, ByteRange.all), ("bytes=0-4", .part(0..<5)), ("bytes=0-0", .part(0..<1)),
            ("bytes=3-", .part(3..<10)), ("bytes=9-", .part(9..<10)), ("bytes=10-", .unsatisfiable),
            ("bytes=-3", .part(7..<10)), ("bytes=-99", .part(0..<10)), ("bytes=-0", .unsatisfiable),
            ("bytes=0-99", .part(0..<10)), ("bytes=99999999999999999999-", .unsatisfiable),
            ("bytes=0-99999999999999999999", .part(0..<10)), ("bytes=5-4", .all), ("bytes=", .all),
            ("bytes=-", .all), ("bytes=a-b", .all), ("bytes=+1-2", .all), ("bytes=0-1,3-4", .all),
            ("lines=0-1", .all), ("bytes=1 -2", .all), ("bytes=--1", .all),
            ("bytes=-9223372036854775808", .part(0..<10)),
        ] as [(String?, ByteRange)])
    func `a range is read as RFC 9110 has it`(header: String?, range: ByteRange) {
        #expect(ByteRange(header, size: 10) == range)
    }

    @Test func `nothing of nothing can be had`() {
        #expect(ByteRange("bytes=0-", size: 0) == .unsatisfiable)
        #expect(ByteRange("bytes=-1", size: 0) == .unsatisfiable)
        #expect(ByteRange(nil, size: 0) == .all)
    }

    @Test func `percent-encoding goes there and back, and nothing else is taken`() {
        for text in ["", "a b", "ä/%\u{1F600}\"", "\u{1}\u{7f}~-._"] {
            #expect(PercentEncoding.decode(PercentEncoding.encode(text)) == text)
        }
        #expect(PercentEncoding.encode("a/b\"ä") == "a%2Fb%22%C3%A4")
        for wrong in ["%", "%4", "%zz", "%ff", "a%c3"] {
            #expect(PercentEncoding.decode(wrong) == nil)
        }
    }
}
