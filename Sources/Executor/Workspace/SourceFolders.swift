internal import Glibc
internal import PipelineIR

/// Keeps the files of sources as folders of links to blobs, so that a job begins with a folder that
/// is there already when nothing has changed.
struct SourceFolders {
    /// How many sources are kept.
    private static let most = 4
    /// With the pause, about ten seconds.
    private static let mostAttempts = 10_000
    private static let pauseMicroseconds: UInt32 = 1000

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
        removeOld(but: name)
        return Layer(path: path, owners: [], tree: tree, isKept: true) { path in
            try hold(path, tree)
            // Their time tells which were used last.
            utimensat(AT_FDCWD, "\(path).lock", nil, 0)
        }
    }

    /// Locks the folder of a tree, which is made when it is missing.
    ///
    /// Who is not the one that makes it looks again: another run that made it holds it as long as
    /// it lives, so waiting to be alone would be waiting for the end of that run.
    private func hold(_ path: String, _ tree: FileTree) throws {
        for _ in 0..<Self.mostAttempts {
            // This waits for somebody who makes it.
            let held = try LockFile.take("\(path).lock", .shared)
            if access(path, F_OK) == 0 { return }
            held?.release()
            // Process ids do not tell runs apart, as each may have its own: the lock does.
            guard let alone = try LockFile.take("\(path).lock", .aloneAtOnce) else {
                usleep(Self.pauseMicroseconds)
                continue
            }
            defer { alone.release() }
            if access(path, F_OK) != 0 { try make(tree, at: path) }
        }
        throw WorkspaceError.system("lock", path: path, errno: EAGAIN)
    }

    /// Makes the folder of a tree. What another run left half done is made anew.
    private func make(_ tree: FileTree, at path: String) throws {
        let aside = "\(path).new"
        ScratchRemoval.remove(aside)
        do {
            try Workspaces.makeFolder(aside)
            var restore = TreeRestore(from: store, into: try Folder(aside), by: .link)
            _ = try restore.restore(tree)
            if rename(aside, path) != 0 {
                throw WorkspaceError.system("make", path: path, errno: errno)
            }
        } catch {
            ScratchRemoval.remove(aside)
            throw error
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
            let path = "\(folder)/\(name)"
            guard let lock = try? LockFile.take("\(path).lock", .aloneAtOnce) else { continue }
            ScratchRemoval.remove("\(path).new")
            ScratchRemoval.remove(path)
            lock.remove()
        }
    }
}
