import Testing

@testable import Compiler

@Suite struct MarshalTests {
    /// Bytes that are refused, and why.
    static let hostile: [(bytes: [UInt8], error: MarshalError)] = [
        ([], .truncated(at: 0)),
        (Array("i\u{1}".utf8), .truncated(at: 1)),
        (Array("g1234567".utf8), .truncated(at: 5)),
        (Array("{0".utf8), .unknownType(0x7B, at: 0)),
        (Array("[\0\0\0\0".utf8), .unknownType(0x5B, at: 0)),
        // A reference flag, as later versions of the format have.
        ([0xE9, 0, 0, 0, 0], .unknownType(0xE9, at: 0)),
        ([0x73, 4, 0, 0, 0, 1, 2, 3], .truncated(at: 8)),
        ([0x75, 0xFF, 0xFF, 0xFF, 0xFF], .tooLong(0xFFFF_FFFF, at: 1)),
        ([0x75, 0xFF, 0xFF, 0xFF, 0x7F], .tooLong(0x7FFF_FFFF, at: 0)),
        ([0x28, 0xFF, 0xFF, 0xFF, 0x7F], .tooLong(0x7FFF_FFFF, at: 0)),
        ([0x28, 2, 0, 0, 0, 0x4E], .tooLong(2, at: 0)),
    ]

    @Test(arguments: hostile)
    func `bytes that are no item are refused`(_ bytes: [UInt8], _ error: MarshalError) {
        var reader = MarshalReader(bytes)
        #expect(throws: error) { _ = try reader.next() }
    }

    @Test(arguments: [[0xFF], [0xC0, 0x80], [0xED, 0xA0, 0x80], [0xF4, 0x90, 0x80, 0x80]])
    func `text that is not UTF-8 is refused`(_ text: [UInt8]) {
        var reader = MarshalReader([0x75, UInt8(text.count), 0, 0, 0] + text)
        #expect(throws: MarshalError.badText(at: 5)) { _ = try reader.expectString() }
    }

    @Test func `text longer than a MiB is refused`() throws {
        for (count, fits) in [(1 << 20, true), (1 << 20 + 1, false)] {
            var writer = MarshalWriter()
            writer.string(String(repeating: "x", count: count))
            var reader = MarshalReader(writer.bytes)
            let result = Result { try reader.expectString() }
            #expect((try? result.get().utf8.count) == (fits ? count : nil))
        }
    }

    @Test func `what is written is read`() throws {
        var writer = MarshalWriter()
        writer.tuple(9)
        writer.none()
        writer.bool(true)
        writer.bool(false)
        writer.int(.min)
        writer.integer(1 << 40)
        writer.float(-0.1)
        writer.string("Grüße, 世界 \u{1F6A2}")
        writer.bytes([0, 255])
        writer.string(nil)
        var reader = MarshalReader(writer.bytes)
        #expect(try reader.expectTuple() == 9)
        #expect(try reader.next() == .none)
        #expect(try reader.expectBool())
        #expect(try !reader.expectBool())
        #expect(try reader.optionalInt() == .min)
        try reader.expectTuple(of: 2)
        #expect(try reader.expectString() == "L")
        #expect(try reader.expectString() == "1099511627776")
        #expect(try reader.expectFloat() == -0.1)
        #expect(try reader.expectString() == "Grüße, 世界 \u{1F6A2}")
        let range = try reader.expectBytes()
        #expect(Array(reader.bytes[range]) == [0, 255])
        #expect(try reader.optionalString() == nil)
        try reader.expectEnd()
    }

    @Test func `a wrong type says what was wanted`() {
        var reader = MarshalReader([0x4E])
        #expect(throws: MarshalError.unexpected(wanted: "str", at: 0)) {
            _ = try reader.expectString()
        }
        reader = MarshalReader([0x4E, 0x4E])
        #expect(throws: MarshalError.trailing(at: 0)) { try reader.expectEnd() }
    }

    @Test func `a million tuples in each other are skipped without recursion`() throws {
        let depth = 1_000_000
        var bytes: [UInt8] = []
        for _ in 0..<depth { bytes += [0x28, 1, 0, 0, 0] }
        bytes.append(0x4E)
        var reader = MarshalReader(bytes)
        try reader.skip()
        #expect(reader.isAtEnd)
    }

    @Test func `skipping stops at more items than there are bytes`() {
        // Each tuple promises as many elements as there are bytes left.
        var bytes: [UInt8] = []
        for left in stride(from: 50, to: 0, by: -5) { bytes += [0x28, UInt8(left - 5), 0, 0, 0] }
        var reader = MarshalReader(bytes)
        #expect(throws: MarshalError.self) { try reader.skip() }
    }

    @Test func `no bytes make the reader fail otherwise than by throwing`() {
        var seed: UInt64 = 42
        let alphabet: [UInt8] = Array("NTFigus(".utf8) + [0, 1, 2, 127, 128, 255]
        for _ in 0..<20_000 {
            var bytes: [UInt8] = []
            seed = seed &* 6_364_136_223_846_793_005 &+ 1
            for _ in 0..<(seed >> 33) % 40 {
                seed = seed &* 6_364_136_223_846_793_005 &+ 1
                bytes.append(alphabet[Int((seed >> 33) % UInt64(alphabet.count))])
            }
            var reader = MarshalReader(bytes)
            while !reader.isAtEnd { if (try? reader.skip()) == nil { break } }
            #expect(reader.offset <= bytes.count)
        }
    }
}
