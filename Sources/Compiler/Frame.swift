/// What a frame between compiler and evaluator carries; the raw value is its byte on the wire.
package enum FrameKind: UInt8, Sendable {
    /// Compiler to evaluator: what to evaluate. The first frame.
    case configuration = 0x43  // C
    /// Compiler to evaluator: the answer to a request.
    case answer = 0x41  // A
    /// Evaluator to compiler: Python's version and the sandbox's layers. The first frame.
    case hello = 0x48  // H
    case request = 0x51  // Q
    case tokens = 0x54  // T
    case pathEnd = 0x50  // P
    case diagnostics = 0x47  // G
    /// Evaluator to compiler: everything was sent. The last frame.
    case done = 0x44  // D

    /// Whether the evaluator may send it.
    var isFromEvaluator: Bool { self != .configuration && self != .answer }
}

/// Why a stream of bytes is not frames.
enum FrameError: Error, Equatable {
    case unknownKind(UInt8)
    case empty
    case tooLong(Int, limit: Int)
}

/// Takes frames out of a stream of bytes that comes in pieces.
///
/// A frame is a 32-bit little-endian length of what follows, a byte for its kind, and its payload.
/// A length is judged as soon as it is known, so that nothing is collected for a frame that is
/// refused.
struct FrameStream {
    private var buffer: [UInt8] = []
    private var start = 0

    /// Adds what was received.
    mutating func append(_ bytes: UnsafeBufferPointer<UInt8>) {
        if start == buffer.count {
            buffer.removeAll(keepingCapacity: buffer.capacity <= Self.keptBytes)
            start = 0
        } else if start > Self.keptBytes {
            buffer.removeSubrange(..<start)
            start = 0
        }
        buffer.append(contentsOf: bytes)
    }

    /// Takes the next whole frame; `nil` until all of its bytes are there.
    mutating func next() throws(FrameError) -> (kind: FrameKind, payload: [UInt8])? {
        guard buffer.count - start >= 4 else { return nil }
        let length =
            Int(buffer[start]) | Int(buffer[start + 1]) << 8 | Int(buffer[start + 2]) << 16
            | Int(buffer[start + 3]) << 24
        guard length > 0 else { throw .empty }
        guard length <= Limits.frameBytes else { throw .tooLong(length, limit: Limits.frameBytes) }
        guard buffer.count - start >= 5 else { return nil }
        guard let kind = FrameKind(rawValue: buffer[start + 4]), kind.isFromEvaluator else {
            throw .unknownKind(buffer[start + 4])
        }
        let limit = Self.limit(kind)
        guard length <= limit else { throw .tooLong(length, limit: limit) }
        let end = start + 4 + length
        guard buffer.count >= end else { return nil }
        let payload = Array(buffer[start + 5..<end])
        start = end
        return (kind, payload)
    }

    /// How long a frame of each kind may be. Only a recording needs room.
    private static func limit(_ kind: FrameKind) -> Int {
        switch kind {
        case .hello, .request, .pathEnd: 64 << 10
        default: Limits.frameBytes
        }
    }

    /// How much is kept allocated, and how many bytes of frames already taken may stay before the
    /// next one.
    private static let keptBytes = 1 << 20

    /// A frame as it goes on the wire.
    static func encode(_ kind: FrameKind, _ payload: [UInt8]) -> [UInt8] {
        let length = UInt32(truncatingIfNeeded: payload.count + 1)
        var frame: [UInt8] = []
        frame.reserveCapacity(payload.count + 5)
        for shift in [0, 8, 16, 24] as [UInt32] {
            frame.append(UInt8(truncatingIfNeeded: length >> shift))
        }
        frame.append(kind.rawValue)
        frame.append(contentsOf: payload)
        return frame
    }
}
