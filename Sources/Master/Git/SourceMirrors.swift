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
        let before = last[mirror.folder]
        let threads = threads
        let task = Task<Result<String, any Error>, Never> {
            await before?.value
            do {
                return .success(
                    try await threads.runIfActive { try mirror.commit(of: ref) })
            } catch {
                return .failure(error)
            }
        }
        let ended = Task<Void, Never> { _ = await task.value }
        last[mirror.folder] = ended
        let commit = try await task.value.get()
        if last[mirror.folder] == ended { last[mirror.folder] = nil }
        return (mirror.folder, commit)
    }
}
