internal import CSandbox
internal import Glibc

/// What turns one tree into another.
struct TreeChange: Equatable {
    /// What is new or different.
    var written: FileTree
    /// The topmost paths at which nothing is any more, ascending.
    var removed: [TreePath]

    /// Only adds to what is there.
    init(adding written: FileTree) {
        self.written = written
        removed = []
    }

    /// Compares two trees.
    init(from before: FileTree, to after: FileTree) {
        written = FileTree(sorted: after.entries.filter { before[$0.path] != $0.node })
        var folders: Set<TreePath> = [.root]
        for entry in after.entries {
            var folder = entry.path.parent
            while folders.insert(folder).inserted { folder = folder.parent }
        }
        var removed: Set<TreePath> = []
        for entry in before.entries where after[entry.path] == nil {
            if let gone = Self.removed(entry.path, after, folders) { removed.insert(gone) }
        }
        self.removed = removed.sorted()
    }

    /// The topmost path at or above one that is not in `after`; `nil` where something else than a
    /// folder has taken the place of what was around it, or a folder its own.
    private static func removed(
        _ path: TreePath, _ after: FileTree, _ folders: Set<TreePath>
    ) -> TreePath? {
        if folders.contains(path) { return nil }
        var top = path
        while !folders.contains(top.parent) {
            switch after[top.parent] {
            case .folder?: return top
            case .some: return nil
            case nil: top = top.parent
            }
        }
        return top
    }

    /// Puts the change into an empty folder that is to become a layer.
    func fill(_ folder: String, from store: ContentStore) throws {
        var restore = TreeRestore(from: store, into: try Folder(folder), by: .link)
        _ = try restore.restore(written)
        for path in removed {
            try Self.makeFolders(to: path.parent, in: folder)
            let status = danube_layer_remove(folder.joined(path))
            if status < 0 { throw WorkspaceError.system("mark", path: path.text, errno: -status) }
        }
    }

    private static func makeFolders(
        to path: TreePath, in layer: String
    ) throws(WorkspaceError) {
        if path.isRoot || danube_layer_entry(layer.joined(path)) >= 0 { return }
        try makeFolders(to: path.parent, in: layer)
        guard mkdir(layer.joined(path), 0o755) == 0 else {
            throw .system("make the folder", path: path.text, errno: errno)
        }
    }
}

extension TreeChange {
    /// The removed paths, each with its length and all with their number before them, then the
    /// `Tree` message of what was written.
    func encoded() -> [UInt8] {
        var writer = WireWriter()
        writer.varint(UInt64(removed.count))
        for path in removed {
            writer.varint(UInt64(path.bytes.count))
            writer.append(Array(path.bytes))
        }
        writer.append(written.encoded().tree)
        return writer.bytes
    }

    /// Reads what `encoded` wrote; `nil` when it is damaged.
    init?(encoded bytes: [UInt8]) {
        var reader = WireReader(bytes[...])
        guard let count = reader.varint() else { return nil }
        removed = []
        while removed.count < count {
            guard let path = reader.counted().flatMap({ TreePath($0) }), !path.isRoot else {
                return nil
            }
            removed.append(path)
        }
        guard let tree = FileTree(tree: Array(reader.remaining)) else { return nil }
        written = tree
    }
}
