internal import Glibc
internal import PipelineIR

/// The files that the steps of a run would find, without any of them being made.
struct ForecastFiles {
    private enum Origin {
        /// The working copy, as it is.
        case folder(TreeReader)
        /// The files that a job begins with.
        case tree(FileTree)
    }

    private let origin: Origin

    /// Looks at what a run would begin with; nothing is put into the cache.
    init(_ configuration: RunConfiguration) throws {
        let root = configuration.root
        let folder = try Folder(root)
        let memory = DigestMemory(
            of: root, folder: folder, cacheFolder: configuration.cacheFolder)
        if configuration.isInPlace {
            origin = .folder(TreeReader(folder, memory: memory))
        } else if let revision = configuration.revision {
            origin = .tree(try CommitTree(root, store: nil).tree(revision))
        } else {
            origin = .tree(try SourceTree.workingCopy(root, memory: memory, into: nil))
        }
    }

    /// What globs would cover once some steps have made their changes, later ones over earlier.
    func tree(
        _ globs: [Glob], _ cover: GlobCover, after changes: [TreeChange]
    ) throws -> FileTree {
        let found: FileTree
        switch origin {
        case .folder(let reader): found = try reader.tree(globs)
        case .tree(let tree): found = FileTree(sorted: cover.entries(of: tree))
        }
        var added: [TreePath: FileTree.Node] = [:]
        var removed: Set<TreePath> = []
        for change in changes {
            if !change.removed.isEmpty {
                let gone = Set(change.removed)
                removed.formUnion(gone)
                added = added.filter { !Self.isIn($0.key, gone) }
            }
            for entry in change.written.entries where cover.covers(entry) {
                added[entry.path] = entry.node
            }
        }
        if added.isEmpty, removed.isEmpty { return found }
        var entries = found.entries.filter { entry in
            // What stands where an output goes, or in its way, goes.
            added[entry.path] == nil && !Self.isInTheWay(entry, of: added)
                && !Self.isIn(entry.path, removed)
        }
        entries += added.map { FileTree.Entry(path: $0.key, node: $0.value) }
        return FileTree(entries) ?? found
    }

    /// Whether a path, or a folder around it, is one of some.
    private static func isIn(_ path: TreePath, _ paths: Set<TreePath>) -> Bool {
        var place = path
        while !place.isRoot {
            if paths.contains(place) { return true }
            place = place.parent
        }
        return false
    }

    /// Whether an output replaces a folder around an entry, or fills an empty one.
    private static func isInTheWay(
        _ entry: FileTree.Entry, of added: [TreePath: FileTree.Node]
    ) -> Bool {
        var above = entry.path.parent
        while !above.isRoot {
            if added[above] != nil { return true }
            above = above.parent
        }
        return entry.node == .folder && added.keys.contains { $0.isWithin(entry.path) }
    }
}
