import Testing

@testable import Compiler

@Suite struct FrameTests {
    private func stream(_ bytes: [UInt8]) -> FrameStream {
        var stream = FrameStream()
        bytes.withUnsafeBufferPointer { stream.append($0) }
        return stream
    }

    @Test func `frames come out whole, however they are cut`() throws {
        let bytes =
            FrameStream.encode(.hello, [1, 2, 3]) + FrameStream.encode(.tokens, [])
            + FrameStream.encode(.done, [9])
        for size in 1...bytes.count {
            var stream = FrameStream()
            var found: [(FrameKind, [UInt8])] = []
            for start in stride(from: 0, to: bytes.count, by: size) {
                let piece = Array(bytes[start..<min(start + size, bytes.count)])
                piece.withUnsafeBufferPointer { stream.append($0) }
                while let (kind, payload) = try stream.next() { found.append((kind, payload)) }
            }
            #expect(found.map(\.0) == [.hello, .tokens, .done])
            #expect(found.map(\.1) == [[1, 2, 3], [], [9]])
        }
    }

    @Test func `a length is refused before its bytes have come`() {
        var tooLong = stream([1, 0, 0, 1])
        #expect(throws: FrameError.tooLong(1 << 24 + 1, limit: 1 << 24)) { _ = try tooLong.next() }
        var largest = stream([0xFF, 0xFF, 0xFF, 0xFF])
        #expect(throws: FrameError.tooLong(0xFFFF_FFFF, limit: 1 << 24)) { _ = try largest.next() }
        var empty = stream([0, 0, 0, 0])
        #expect(throws: FrameError.empty) { _ = try empty.next() }
    }

    @Test(arguments: Array("CAhqz\0".utf8))
    func `a kind that the evaluator may not send is refused`(_ kind: UInt8) {
        var frames = stream([1, 0, 0, 0, kind])
        #expect(throws: FrameError.unknownKind(kind)) { _ = try frames.next() }
    }

    @Test(arguments: Array("HQP".utf8))
    func `what needs no room is given none`(_ kind: UInt8) throws {
        var fits = stream([0, 0, 1, 0, kind])
        #expect(try fits.next() == nil)
        var tooLong = stream([1, 0, 1, 0, kind])
        #expect(throws: FrameError.tooLong(65537, limit: 65536)) { _ = try tooLong.next() }
    }

    @Test func `a frame of the largest size passes`() throws {
        var frames = FrameStream()
        let payload = [UInt8](repeating: 7, count: Limits.frameBytes - 1)
        FrameStream.encode(.tokens, payload).withUnsafeBufferPointer { frames.append($0) }
        let frame = try frames.next()
        #expect(frame?.payload.count == payload.count)
        #expect(try frames.next() == nil)
    }
}
