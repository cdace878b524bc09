/// Finds what globs cover in a workspace state, with the digests of its files.
///
/// Files of layers that were made from the cache are known; those that steps wrote are hashed once
/// and put into the store.
struct StateReader {
    let state: WorkspaceState
    let store: ContentStore

    /// The tree of what globs cover, where it can be told without a look at the files.
    func known(_ globs: [Glob]) -> FileTree? { KnownState(state)?.tree(globs) }

    /// The tree of what globs cover in `view`, a folder in which the state can be seen.
    func tree(_ globs: [Glob], view: String) throws -> FileTree {
        let scan = try TreeScan(Folder(view), globs)
        var entries: [FileTree.Entry] = []
        entries.reserveCapacity(scan.found.count)
        for found in scan.found {
            let node: FileTree.Node?
            switch found.stamp.kind {
            case .file: node = try file(found.path)
            case .link: node = found.target.map { .link($0) }
            case .folder: node = .folder
            case .other: node = nil
            }
            if let node { entries.append(FileTree.Entry(path: found.path, node: node)) }
        }
        return FileTree(sorted: entries)
    }

    /// The node of a file by the topmost layer that has it.
    private func file(_ path: TreePath) throws -> FileTree.Node? {
        for layer in state.layers.reversed() {
            if let tree = layer.tree {
                if let node = tree[path] { return node }
                continue
            }
            if let node = layer.hashed[path] { return node }
            let folder = try Folder(layer.folder())
            guard let read = try FileReading(folder: folder).ingest(path, into: store) else {
                continue
            }
            let node = FileTree.Node.file(
                read.digest, size: read.stamp.size, isExecutable: read.stamp.isExecutable)
            layer.hashed[path] = node
            return node
        }
        return nil
    }
}
