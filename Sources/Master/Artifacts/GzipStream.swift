internal import CZlib

/// Compresses bytes as gzip (RFC 1952) while they come. The same bytes in the same parts give the
/// same result, for the header holds no time.
///
/// It computes, so no task of the cooperative pool gives it much.
struct GzipStream: ~Copyable {
    private let stream: UnsafeMutablePointer<z_stream>
    private static let room = 64 << 10

    /// A stream of a level from 1, the fastest, to 9.
    init(level: Int32 = 6) throws(ArtifactProblem) {
        let memory = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
        memory.initialize(to: z_stream())
        guard danube_gzip_begin(memory, level) == Z_OK else {
            memory.deallocate()
            throw .noCompression
        }
        stream = memory
    }

    deinit {
        deflateEnd(stream)
        stream.deallocate()
    }

    /// Takes more bytes, and gives what is compressed by now; with `isLast`, all of it.
    mutating func add(_ bytes: [UInt8], isLast: Bool) -> [UInt8] {
        var result: [UInt8] = []
        var bytes = bytes
        bytes.withUnsafeMutableBufferPointer { input in
            stream.pointee.next_in = input.baseAddress
            stream.pointee.avail_in = UInt32(clamping: input.count)
            repeat {
                let part = [UInt8](unsafeUninitializedCapacity: Self.room) { buffer, count in
                    stream.pointee.next_out = buffer.baseAddress
                    stream.pointee.avail_out = UInt32(buffer.count)
                    deflate(stream, isLast ? Z_FINISH : Z_NO_FLUSH)
                    count = buffer.count - Int(stream.pointee.avail_out)
                }
                result += part
            } while stream.pointee.avail_out == 0
            stream.pointee.next_in = nil
        }
        return result
    }
}
