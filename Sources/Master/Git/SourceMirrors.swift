internal import CSandbox
internal import Glibc
internal import NIOPosix

/// The mirrors of a data folder: one `git` at a time for each.
struct SourceMirrors: Sendable {
    private let folder: String
    private let threads: NIOThreadPool
    private let allowsPrivate: Bool
    private let turns = Turns()
    private let known = KnownCommits()

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
        let mirror = SourceMirror.folder(of: address, in: folder)
        if case .commit(let id) = ref, known.has(id, in: mirror) {
            Self.touch(mirror)
            return (mirror, id)
        }
        let commit = try await alone(address, stop) {
            defer { Self.touch(mirror) }
            return try $0.commit(of: ref)
        }
        known.add(commit, in: mirror)
        return (mirror, commit)
    }

    /// Its time tells when it was used last.
    private static func touch(_ mirror: String) {
        utimensat(AT_FDCWD, mirror, nil, 0)
    }

    /// Whether a commit is one of a branch, as the repository has it now.
    func isCommit(
        _ commit: String, on branch: String, in address: RepositoryAddress,
        until stop: StopSignal = StopSignal()
    ) async throws -> Bool {
        try await alone(address, stop) { try $0.isCommit(commit, on: branch) }
    }

    /// Removes a mirror, or makes one pack of many, when nobody fetches into it; `false` when a job
    /// reads it, or when it was used since it was looked at.
    ///
    /// - Parameters:
    ///   - keepsMilliseconds: how long commits stay that no branch has any more.
    ///   - used: the names of mirrors that jobs read.
    func tidy(
        _ item: ReapItem, keepsMilliseconds: Int64,
        used: @escaping @Sendable () async throws -> Set<String>
    ) async throws -> Bool {
        let path = "\(folder)/\(item.name)"
        let seen = try await threads.runIfActive { try FileFacts(of: path).modified }
        let (threads, known) = (threads, known)
        return try await turns.take(path) {
            if try await used().contains(item.name) { return false }
            known.forget()
            return try await threads.runIfActive {
                guard try FileFacts(of: path).modified == seen else { return false }
                guard item.kind == .mirrors else {
                    try MirrorPacks(folder: path).join(keepsSeconds: keepsMilliseconds / 1000)
                    return true
                }
                // It is gone at once or not at all, also when the master ends here.
                let aside = "\(path).removed"
                guard rename(path, aside) == 0 else { return false }
                return danube_remove_tree(aside) == 0
            }
        }
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
