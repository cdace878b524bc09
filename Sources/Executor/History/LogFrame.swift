/// One try at one step of a job.
package struct AttemptKey: Sendable, Hashable, Comparable {
    /// The step's place in the plan, from 0.
    package var step: Int
    /// The number of the try, from 1.
    package var attempt: Int

    /// A try at a step.
    package init(step: Int, attempt: Int) {
        self.step = step
        self.attempt = attempt
    }

    /// By step, then by attempt.
    package static func < (a: AttemptKey, b: AttemptKey) -> Bool {
        (a.step, a.attempt) < (b.step, b.attempt)
    }
}

/// Where a piece of a log comes from.
package enum LogStream: UInt8, Sendable {
    /// Danube's own words about the attempt. They are no part of its output.
    case note = 0
    case standardOutput = 1
    case standardError = 2
}

/// The head of a frame in a job's log file.
///
/// The file begins with `LogFrame.fileHead`. A frame is 32 bytes of head, all little-endian, then
/// the bytes: check u32, length u32, step u32, attempt u16, kind u8, 0 u8, offset u64, time i64.
/// The check is FNV-1a over the other 28 bytes, so that the end of a file which a power cut left
/// is recognised. `offset` counts the bytes of output (both streams) of the attempt before it.
struct LogFrame: Equatable {
    var key: AttemptKey
    var kind: UInt8
    var length: Int
    var offset: UInt64
    var time: Timestamp

    static let headBytes = 32
    static let mostBytes = 1 << 16
    static let fileHead = Array("danube-log 1\n\0\0\0".utf8)
    /// The kind of the last frame, which says that the job has ended.
    static let end: UInt8 = 255
    /// The step of frames that are about the whole job.
    static let wholeJob = Int(UInt32.max)

    var stream: LogStream? { LogStream(rawValue: kind) }

    /// Whether its bytes count as output.
    var isOutput: Bool {
        kind == LogStream.standardOutput.rawValue || kind == LogStream.standardError.rawValue
    }

    func encode(into out: UnsafeMutableRawPointer) {
        out.storeBytes(of: UInt32(length).littleEndian, toByteOffset: 4, as: UInt32.self)
        out.storeBytes(
            of: UInt32(clamping: key.step).littleEndian, toByteOffset: 8, as: UInt32.self)
        out.storeBytes(
            of: UInt16(clamping: key.attempt).littleEndian, toByteOffset: 12, as: UInt16.self)
        out.storeBytes(of: kind, toByteOffset: 14, as: UInt8.self)
        out.storeBytes(of: 0, toByteOffset: 15, as: UInt8.self)
        out.storeBytes(of: offset.littleEndian, toByteOffset: 16, as: UInt64.self)
        out.storeBytes(
            of: time.microseconds.littleEndian, toByteOffset: 24, as: Int64.self)
        out.storeBytes(of: Self.check(out).littleEndian, toByteOffset: 0, as: UInt32.self)
    }

    /// Reads a head; `nil` when it is none.
    init?(_ bytes: UnsafeRawPointer) {
        let check = UInt32(littleEndian: bytes.loadUnaligned(as: UInt32.self))
        let length = UInt32(
            littleEndian: bytes.loadUnaligned(fromByteOffset: 4, as: UInt32.self))
        guard check == Self.check(bytes), length <= Self.mostBytes else { return nil }
        self.length = Int(length)
        let step = UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt32.self))
        let attempt = UInt16(
            littleEndian: bytes.loadUnaligned(fromByteOffset: 12, as: UInt16.self))
        key = AttemptKey(step: Int(step), attempt: Int(attempt))
        kind = bytes.load(fromByteOffset: 14, as: UInt8.self)
        offset = UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: 16, as: UInt64.self))
        time = Timestamp(
            microseconds: Int64(
                littleEndian: bytes.loadUnaligned(fromByteOffset: 24, as: Int64.self)))
    }

    init(key: AttemptKey, kind: UInt8, length: Int, offset: UInt64, time: Timestamp) {
        self.key = key
        self.kind = kind
        self.length = length
        self.offset = offset
        self.time = time
    }

    private static func check(_ bytes: UnsafeRawPointer) -> UInt32 {
        var hash: UInt32 = 2_166_136_261
        for place in 4..<headBytes {
            hash =
                (hash ^ UInt32(bytes.load(fromByteOffset: place, as: UInt8.self)))
                &* 16_777_619
        }
        return hash
    }
}
