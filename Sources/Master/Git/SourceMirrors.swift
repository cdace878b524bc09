internal import CSandbox
internal import Glibc
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
            Self.touch(mirror)
            return (mirror.folder, id)
        }
        let commit = try await alone(mirror) {
            defer { Self.touch(mirror) }
            return try mirror.commit(of: ref)
        }
        known.add(commit, in: mirror.folder)
        return (mirror.folder, commit)
    }

    /// Its time tells when it was used last.
    private static func touch(_ mirror: SourceMirror) {
        utimensat(AT_FDCWD, mirror.folder, nil, 0)
    }

    /// Whether a commit is one of a branch, as the repository has it now.
    func isCommit(
        _ commit: String, on branch: String, in address: RepositoryAddress
    ) async throws -> Bool {
        let mirror = SourceMirror(address, in: folder)
        return try await alone(mirror) { try mirror.isCommit(commit, on: branch) }
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

    /// Does something with a mirror when nobody else does.
    private func alone<Value: Sendable>(
        _ mirror: SourceMirror, _ work: @escaping @Sendable () throws -> Value
    ) async throws -> Value {
        try await turns.take(mirror.folder) { try await threads.runIfActive(work) }
    }
}
