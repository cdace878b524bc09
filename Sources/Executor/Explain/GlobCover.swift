internal import PipelineIR

/// What globs would cover of files that are not in a folder yet.
struct GlobCover {
    private let wanted: [Glob]
    private let excluded: [Glob]

    init(_ globs: [Glob]) {
        wanted = globs.filter { !$0.excludes }
        excluded = globs.filter(\.excludes)
    }

    /// Whether an entry of a tree is covered.
    func covers(_ entry: FileTree.Entry) -> Bool {
        let isFolder = entry.node == .folder
        return wanted.contains { $0.covers(entry.path, isFolder: isFolder) }
            && !excluded.contains { $0.covers(entry.path, isFolder: isFolder) }
    }

    /// The entries of a tree that are covered, looking only where the globs can lead.
    func entries(of tree: FileTree) -> [FileTree.Entry] {
        var found: [FileTree.Entry] = []
        for glob in wanted {
            let prefix = glob.literalPrefix
            var index = Self.firstIndex(in: tree, notBefore: prefix)
            while index < tree.entries.count, tree.entries[index].path.isWithin(prefix) {
                let entry = tree.entries[index]
                if glob.covers(entry.path, isFolder: entry.node == .folder),
                    !excluded.contains(where: {
                        $0.covers(entry.path, isFolder: entry.node == .folder)
                    })
                {
                    found.append(entry)
                }
                index += 1
            }
        }
        if wanted.count < 2 { return found }
        found.sort { $0.path < $1.path }
        return found.reduce(into: []) { unique, entry in
            if unique.last?.path != entry.path { unique.append(entry) }
        }
    }

    /// Whether some path could be covered by one of these and by one of other globs.
    func mayMeet(_ others: [Glob]) -> Bool {
        others.contains { other in
            !other.excludes && wanted.contains { $0.mayMeet(other) }
        }
    }

    private static func firstIndex(in tree: FileTree, notBefore path: TreePath) -> Int {
        var low = 0
        var high = tree.entries.count
        while low < high {
            let middle = (low + high) / 2
            if tree.entries[middle].path < path { low = middle + 1 } else { high = middle }
        }
        return low
    }
}

extension Glob {
    /// The folder, or file, that everything it matches is or is in.
    var literalPrefix: TreePath {
        var path = TreePath.root
        for component in components {
            guard case .name(let name) = component else { break }
            path = path.appending(name)
        }
        return path
    }

    /// Whether a path could be covered by both; true in doubt.
    func mayMeet(_ other: Glob) -> Bool {
        for (one, two) in zip(components, other.components) {
            switch (one, two) {
            case (.folders, _), (_, .folders): return true
            case (.name(let a), .name(let b)): if a != b { return false }
            case (.name(let name), .pattern(let pattern)), (.pattern(let pattern), .name(let name)):
                if !Self.matches(name, pattern) { return false }
            case (.pattern, .pattern): break
            }
        }
        // One may name a folder that the other leads into.
        return true
    }
}
