internal import Glibc
internal import PipelineIR

/// Remembers the trees of commits: the id of a commit says what is in it, so that its files are
/// read and hashed once.
///
/// A file of the memo is a digest of the rest, and a `Tree` message. One that is damaged, or whose
/// blobs are not all in the store any more, counts as absent.
struct CommitMemo {
    /// How many commits are remembered.
    private static let most = 128
    private static let mostBytes: Int64 = 64 << 20
    private static let digestBytes = 32

    private let folder: String
    private let store: ContentStore

    init(_ cacheFolder: String, store: ContentStore) {
        folder = "\(cacheFolder)/commits"
        self.store = store
    }

    /// The tree of a revision, remembered or read from the repository in a folder.
    func tree(of revision: String, in root: String) throws -> FileTree {
        guard Self.isCommit(revision) else {
            return try CommitTree(root, store: store).tree(revision)
        }
        if let known = find(revision) { return known }
        let tree = try CommitTree(root, store: store).tree(revision)
        try keep(tree, revision)
        return tree
    }

    /// Whether it is the whole id of an object, which is what no branch can be taken for.
    private static func isCommit(_ revision: String) -> Bool {
        [40, 64].contains(revision.utf8.count)
            && revision.utf8.allSatisfy {
                (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0)
                    || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains($0)
            }
    }

    private func find(_ commit: String) -> FileTree? {
        guard let bytes = AtomicFile.read("\(folder)/\(commit)", most: Self.mostBytes),
            bytes.count >= Self.digestBytes
        else { return nil }
        let message = Array(bytes[Self.digestBytes...])
        guard Digest(of: message).bytes.elementsEqual(bytes[..<Self.digestBytes]),
            let tree = FileTree(tree: message)
        else { return nil }
        for entry in tree.entries {
            if case .file(let digest, let size, _) = entry.node,
                !store.contains(digest, size: size)
            {
                return nil
            }
        }
        return tree
    }

    private func keep(_ tree: FileTree, _ commit: String) throws {
        let message = tree.encoded().tree
        guard message.count + Self.digestBytes <= Self.mostBytes else { return }
        try Workspaces.makeFolder(folder)
        removeOld()
        try AtomicFile.write(Digest(of: message).bytes + message, to: "\(folder)/\(commit)")
    }

    /// Half of them go when there are too many, the oldest first.
    private func removeOld() {
        guard let names = try? FileComparison.names(in: folder.joined(.root)),
            names.count >= Self.most
        else { return }
        var found: [(path: String, seconds: Int)] = []
        for name in names {
            let path = "\(folder)/\(String(decoding: name, as: UTF8.self))"
            var status = stat()
            guard stat(path, &status) == 0 else { continue }
            found.append((path, status.st_mtim.tv_sec))
        }
        found.sort { $0.seconds > $1.seconds }
        for (path, _) in found.dropFirst(Self.most / 2) { unlink(path) }
    }
}
