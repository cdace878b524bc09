/// A workspace state all of whose layers were made from the cache: what is in it is known without
/// a look at any file.
struct KnownState {
    /// Trees of the layers, from the lowest.
    private let trees: [FileTree]

    /// `nil` when a layer was written by a step, or has links, over which a glob may lead.
    init?(_ state: WorkspaceState) {
        var trees: [FileTree] = []
        for layer in state.layers {
            guard let tree = layer.tree, !tree.hasLinks else { return nil }
            trees.append(tree)
        }
        self.trees = trees
    }

    /// Whether it is known without a look at any file that some states changed different paths. The
    /// first layer is what all of them began with.
    static func areApart(_ states: [WorkspaceState]) -> Bool {
        var seen: Set<ObjectIdentifier> = []
        var files: Set<TreePath> = []
        var folders: Set<TreePath> = []
        for layer in states.lazy.flatMap({ $0.layers.dropFirst() })
        where seen.insert(ObjectIdentifier(layer)).inserted {
            guard let tree = layer.tree else { return false }
            for entry in tree.entries {
                if entry.node == .folder {
                    folders.insert(entry.path)
                } else if !files.insert(entry.path).inserted {
                    return false
                }
                var folder = entry.path.parent
                while !folder.isRoot, folders.insert(folder).inserted { folder = folder.parent }
            }
        }
        return files.isDisjoint(with: folders)
    }

    /// What globs cover, as `TreeScan` would find it; `nil` when layers hide parts of each other,
    /// so that it has to look.
    func tree(_ globs: [Glob]) -> FileTree? {
        var found: [TreePath: FileTree.Node] = [:]
        for (depth, tree) in trees.enumerated() {
            for glob in globs where !glob.excludes {
                for entry in tree.entries(within: glob.prefix) {
                    let isFolder = entry.node == .folder
                    guard glob.covers(entry.path, isFolder: isFolder) else { continue }
                    if hides(entry.path, above: depth) { return nil }
                    found[entry.path] = entry.node
                }
            }
        }
        let excluding = globs.filter(\.excludes)
        let kept = found.filter { path, node in
            !excluding.contains { $0.covers(path, isFolder: node == .folder) }
        }
        return FileTree(kept.map { FileTree.Entry(path: $0.key, node: $0.value) })
    }

    /// Whether a layer above has something else than a folder around a path.
    private func hides(_ path: TreePath, above depth: Int) -> Bool {
        guard depth + 1 < trees.count else { return false }
        var folder = path.parent
        while !folder.isRoot {
            if trees[(depth + 1)...].contains(where: { $0[folder] != nil }) { return true }
            folder = folder.parent
        }
        return false
    }
}

extension FileTree {
    /// Whether there are symbolic links in it.
    var hasLinks: Bool {
        entries.contains { if case .link = $0.node { true } else { false } }
    }

    /// The entries at a path and beneath it.
    func entries(within path: TreePath) -> ArraySlice<Entry> {
        if path.isRoot { return entries[...] }
        var low = 0
        var high = entries.count
        while low < high {
            let middle = (low + high) / 2
            if entries[middle].path < path { low = middle + 1 } else { high = middle }
        }
        let end = entries[low...].firstIndex { !$0.path.isWithin(path) } ?? entries.count
        return entries[low..<end]
    }
}

extension Glob {
    /// The path that everything lies beneath, or is, which the glob covers.
    var prefix: TreePath {
        var path = TreePath.root
        for component in components {
            guard case .name(let name) = component else { break }
            path = path.appending(name)
        }
        return path
    }
}
