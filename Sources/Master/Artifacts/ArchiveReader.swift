internal import NIOCore
internal import NIOPosix
internal import Synchronization

/// Reads a folder as a compressed tar archive, on threads that may wait.
final class ArchiveReader: Sendable {
    private struct State: ~Copyable {
        var tar: TarStream
        var gzip: GzipStream
        var hasEnded = false
    }

    private let state: Mutex<State>

    /// It opens the folder, so no task of the cooperative pool makes one.
    init(folder: String, as name: [UInt8]) throws(ArtifactProblem) {
        let tar = try TarStream(folder: folder, as: name)
        let gzip = try GzipStream()
        state = Mutex(State(tar: tar, gzip: gzip))
    }

    /// The next bytes; `nil` at the end.
    func next(on threads: NIOThreadPool) async throws -> ByteBuffer? {
        try await threads.runIfActive { try self.next() }
    }

    private func next() throws(ArtifactProblem) -> ByteBuffer? {
        try state.withLock { state throws(ArtifactProblem) in
            while !state.hasEnded {
                let bytes = try state.tar.next()
                state.hasEnded = bytes == nil
                let packed = state.gzip.add(bytes ?? [], isLast: bytes == nil)
                if !packed.isEmpty { return ByteBuffer(bytes: packed) }
            }
            return nil
        }
    }
}
