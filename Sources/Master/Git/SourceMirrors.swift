internal import NIOPosix

/// The mirrors of a data folder: one `git` at a time for each.
struct SourceMirrors: Sendable {
    private let folder: String
    private let threads: NIOThreadPool
    private let turns = Turns()
    private let known = KnownCommits()

    init(folder: String, threads: NIOThreadPool) {
        self.folder = folder
        self.threads = threads
    }

    /// The folder of a repository's mirror and the commit in it that a ref names now.
    func commit(
        of ref: GitRef?, in address: RepositoryAddress
    ) async throws -> (folder: String, commit: String) {
        let mirror = SourceMirror(address, in: folder)
        if case .commit(let id) = ref, known.has(id, in: mirror.folder) {
            return (mirror.folder, id)
        }
        let commit = try await alone(mirror) { try mirror.commit(of: ref) }
        known.add(commit, in: mirror.folder)
        return (mirror.folder, commit)
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
        try await turns.take(mirror.folder) { try await threads.runIfActive(work) }
    }
}
