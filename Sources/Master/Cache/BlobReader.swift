internal import NIOCore
internal import NIOPosix
internal import PipelineIR
internal import Synchronization

/// Reads a content and checks it meanwhile: the last part is given only when all is what its name
/// says, so that nobody takes a damaged one for whole.
final class BlobReader: Sendable {
    private struct State {
        var hasher = DigestHasher()
        var held: ByteBuffer?
        var position: Int64 = 0
    }

    private let file: FileReader
    private let digest: Digest
    private let state = Mutex(State())

    /// Opens it. It waits for the disk.
    init(path: String, digest: Digest) throws(ArtifactProblem) {
        file = try FileReader(path)
        self.digest = digest
    }

    /// Bytes.
    var size: Int64 { file.size }

    /// The next part; `nil` at the end.
    func next(on threads: NIOThreadPool) async throws -> ByteBuffer? {
        while true {
            let position = state.withLock { $0.position }
            guard position < size else { return try last() }
            let part = try await file.read(
                from: position, most: size - position, on: threads)
            let ready = try await threads.runIfActive {
                self.state.withLock { state in
                    part.withUnsafeReadableBytes { state.hasher.update($0) }
                    state.position += Int64(part.readableBytes)
                    defer { state.held = part }
                    return state.held
                }
            }
            if let ready { return ready }
        }
    }

    private func last() throws -> ByteBuffer? {
        let (held, found) = state.withLock { state in
            defer { state.held = nil }
            return (state.held, state.hasher.finalize())
        }
        guard found == digest else {
            file.remove()
            throw ArtifactProblem.changed(path: digest.hex)
        }
        return held
    }
}
