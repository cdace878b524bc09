internal import NIOPosix

/// The mirrors of a data folder: one `git` at a time for each.
struct SourceMirrors: Sendable {
    private let folder: String
    private let threads: NIOThreadPool
    private let allowsPrivate: Bool
    private let turns = Turns()

    /// - Parameter allowsPrivate: whether hosts may be of a private network.
    init(folder: String, threads: NIOThreadPool, allowsPrivate: Bool = false) {
        self.folder = folder
        self.threads = threads
        self.allowsPrivate = allowsPrivate
    }

    /// The folder of a repository's mirror and the commit in it that a ref names now. A git that
    /// runs for it is killed once it is to stop.
    func commit(
        of ref: GitRef?, in address: RepositoryAddress, until stop: StopSignal = StopSignal()
    ) async throws -> (folder: String, commit: String) {
        let commit = try await alone(address, stop) { try $0.commit(of: ref) }
        return (SourceMirror.folder(of: address, in: folder), commit)
    }

    /// Whether a commit is one of a branch, as the repository has it now.
    func isCommit(
        _ commit: String, on branch: String, in address: RepositoryAddress,
        until stop: StopSignal = StopSignal()
    ) async throws -> Bool {
        try await alone(address, stop) { try $0.isCommit(commit, on: branch) }
    }

    /// Does something with a mirror when nobody else does. Whoever is to stop does not wait for
    /// those before it, nor does a task that is cancelled.
    private func alone<Value: Sendable>(
        _ address: RepositoryAddress, _ stop: StopSignal,
        _ work: @escaping @Sendable (SourceMirror) throws -> Value
    ) async throws -> Value {
        let (results, continuation) = AsyncStream.makeStream(of: Result<Value, any Error>.self)
        stop.onStop { continuation.yield(.failure(SourceMirror.Problem.stopped)) }
        Task {
            do {
                let value = try await turn(address, stop, work)
                continuation.yield(.success(value))
            } catch {
                continuation.yield(.failure(error))
            }
            continuation.finish()
        }
        return try await withTaskCancellationHandler {
            for await result in results { return try result.get() }
            throw CancellationError()
        } onCancel: {
            stop.stop()
        }
    }

    private func turn<Value: Sendable>(
        _ address: RepositoryAddress, _ stop: StopSignal,
        _ work: @escaping @Sendable (SourceMirror) throws -> Value
    ) async throws -> Value {
        let (threads, folder, allowsPrivate) = (threads, folder, allowsPrivate)
        return try await turns.take(SourceMirror.folder(of: address, in: folder)) {
            try await threads.runIfActive {
                if stop.isStopped { throw SourceMirror.Problem.stopped }
                return try work(
                    SourceMirror(address, in: folder, allowsPrivate: allowsPrivate, until: stop))
            }
        }
    }
}
