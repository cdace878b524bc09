internal import Glibc
internal import PipelineIR

/// Keeps the files of sources as folders of links to blobs, so that a job begins with a folder that
/// is there already when nothing has changed.
struct SourceBase {
    /// How many sources are kept.
    private static let most = 4

    private let folder: String
    private let store: ContentStore

    /// Keeps sources in a folder of the cache.
    init(_ cacheFolder: String, store: ContentStore) throws(WorkspaceError) {
        folder = "\(cacheFolder)/sources"
        self.store = store
        try Workspaces.makeFolder(cacheFolder)
        try Workspaces.makeFolder(folder)
    }

    /// The layer that holds a tree. It stays locked, and so is kept, while the program lives.
    func layer(of tree: FileTree) throws -> Layer {
        let name = tree.digest.hex
        let path = "\(folder)/\(name)"
        let lock = open("\(path).lock", O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard lock >= 0, flock(lock, LOCK_SH) == 0 else {
            throw WorkspaceError.system("lock", path: "\(path).lock", errno: errno)
        }
        // Their time tells which were used last.
        utimensat(AT_FDCWD, "\(path).lock", nil, 0)
        removeOld(but: name)
        return Layer(path: path, owners: [], tree: tree, isKept: true) { path in
            try make(path, tree)
        }
    }

    /// Makes the folder of a tree, if it is not there.
    private func make(_ path: String, _ tree: FileTree) throws {
        if access(path, F_OK) == 0 { return }
        let aside = "\(path).new.\(getpid())"
        ScratchRemoval.remove(aside)
        try Workspaces.makeFolder(aside)
        var restore = TreeRestore(from: store, into: try Folder(aside), by: .link)
        _ = try restore.restore(tree)
        if rename(aside, path) != 0 {
            let error = errno
            // Another run made the same one meanwhile.
            ScratchRemoval.remove(aside)
            guard error == ENOTEMPTY || error == EEXIST else {
                throw WorkspaceError.system("make", path: path, errno: error)
            }
        }
    }

    private func removeOld(but used: String) {
        guard let names = try? FileComparison.names(in: folder.joined(.root)) else { return }
        var found: [(name: String, seconds: Int)] = []
        for name in names {
            let text = String(decoding: name, as: UTF8.self)
            guard text.hasSuffix(".lock") else { continue }
            var status = stat()
            guard stat("\(folder)/\(text)", &status) == 0 else { continue }
            found.append((String(text.dropLast(5)), status.st_mtim.tv_sec))
        }
        found.sort { $0.seconds > $1.seconds }
        for (name, _) in found.dropFirst(Self.most) where name != used {
            let lock = open("\(folder)/\(name).lock", O_RDWR | O_CLOEXEC)
            if lock < 0 { continue }
            if flock(lock, LOCK_EX | LOCK_NB) == 0 {
                ScratchRemoval.remove("\(folder)/\(name)")
                unlink("\(folder)/\(name).lock")
            }
            close(lock)
        }
    }
}
