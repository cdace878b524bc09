internal import NIOPosix

/// The mirrors of a data folder: one `git` at a time for each.
actor SourceMirrors {
    private let folder: String
    private let threads: NIOThreadPool
    private var last: [String: Task<Void, Never>] = [:]

    init(folder: String, threads: NIOThreadPool) {
        self.folder = folder
        self.threads = threads
    }

    /// The folder of a repository's mirror and the commit in it that a ref names now.
    func commit(
        of ref: GitRef?, in address: RepositoryAddress
    ) async throws -> (folder: String, commit: String) {
        let mirror = SourceMirror(address, in: folder)
        return (mirror.folder, try await alone(mirror) { try mirror.commit(of: ref) })
    }

    /// Whether a commit is one of a branch, as the repository has it now.
    func isCommit(
        _ commit: String, on branch: String, in address: RepositoryAddress
    ) async throws -> Bool {
        let mirror = SourceMirror(address, in: folder)
        return try await alone(mirror) { try mirror.isCommit(commit, on: branch) }
    }

    /// Does something with a mirror when nobody else does.
    private func alone<Value: Sendable>(
        _ mirror: SourceMirror, _ work: @escaping @Sendable () throws -> Value
    ) async throws -> Value {
        let before = last[mirror.folder]
        let threads = threads
        let task = Task<Result<Value, any Error>, Never> {
            await before?.value
            do {
                return .success(try await threads.runIfActive(work))
            } catch {
                return .failure(error)
            }
        }
        let ended = Task<Void, Never> { _ = await task.value }
        last[mirror.folder] = ended
        let value = try await task.value.get()
        if last[mirror.folder] == ended { last[mirror.folder] = nil }
        return value
    }
}
