internal import Glibc
internal import NIOCore
internal import NIOPosix

/// An open file, read on threads that may wait.
final class FileReader: Sendable {
    private let descriptor: Int32
    let path: String
    /// Bytes, when it was opened.
    let size: Int64

    private static let part = 256 << 10

    /// Opens a regular file; a link is not followed. It waits for the disk.
    init(_ path: String) throws(ArtifactProblem) {
        self.path = path
        descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
        guard descriptor >= 0 else { throw .system("open", path: path, errno: errno) }
        let facts = try? FileFacts(of: descriptor)
        size = facts?.size ?? 0
        guard facts?.kind == .file else {
            close(descriptor)
            throw .system("read", path: path, errno: EINVAL)
        }
    }

    deinit { close(descriptor) }

    /// Removes its name, when what is there cannot be what it should.
    func remove() { unlink(path) }

    /// Bytes from a place, as many as are read at once.
    func read(
        from offset: Int64, most: Int64, on threads: NIOThreadPool
    ) async throws -> ByteBuffer {
        try await threads.runIfActive {
            let wanted = Int(min(most, Int64(Self.part)))
            var buffer = ByteBuffer()
            var code: Int32 = 0
            let count = buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: wanted) { memory in
                while true {
                    let got = pread(self.descriptor, memory.baseAddress, wanted, off_t(offset))
                    if got < 0, errno == EINTR { continue }
                    if got < 0 { code = errno }
                    return max(0, got)
                }
            }
            if code != 0 { throw ArtifactProblem.system("read", path: self.path, errno: code) }
            guard count > 0 || wanted == 0 else { throw ArtifactProblem.changed(path: self.path) }
            return buffer
        }
    }
}
