internal import Glibc
internal import PipelineIR

/// The files that a job begins with: those of a working copy that git tracks or does not ignore, or
/// those of a commit.
package enum SourceTree {
    /// Folders of Danube's own in a working copy.
    static let ownFolder = "danube-out"

    /// Gives the tree of a working copy's files, which are put into a store where one is given.
    /// Where there is no git repository, all files count.
    package static func workingCopy(
        _ root: String, memory: DigestMemory?, into store: ContentStore?
    ) throws -> FileTree {
        let folder = try Folder(root)
        if isRepository(root) {
            let listed = try Subprogram.run(
                ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", "."],
                in: root)
            guard listed.code == 0 else { throw SourceError.noList(root) }
            return try tree(listed.output, folder, memory, store)
        }
        let globs = [try Glob("**"), try Glob("!\(ownFolder)/")]
        let reader = TreeReader(folder, memory: memory)
        guard let store else { return try reader.tree(globs) }
        return try reader.ingest(globs, into: store)
    }

    /// Whether a folder lies in a repository, also when git would refuse to work in it: without
    /// git, files that are to be ignored would be taken.
    private static func isRepository(_ root: String) -> Bool {
        var path = root[...]
        while true {
            if access("\(path)/.git", F_OK) == 0 { return true }
            guard let slash = path.lastIndex(of: "/") else { return false }
            path = path[..<slash]
        }
    }

    private static func tree(
        _ names: [UInt8], _ folder: Folder, _ memory: DigestMemory?, _ store: ContentStore?
    ) throws -> FileTree {
        let own = TreePath(unchecked: Array(ownFolder.utf8))
        var paths = names.split(separator: 0).compactMap { TreePath($0) }
        paths.removeAll { $0.isWithin(own) }
        paths.sort()
        var entries: [FileTree.Entry] = []
        entries.reserveCapacity(paths.count)
        var stamps = NeighbourStamps(folder)
        defer { stamps.close() }
        for path in paths where entries.last?.path != path {
            guard let stamp = try stamps.stamp(path),
                let node = try node(path, stamp, folder, memory, store)
            else { continue }
            entries.append(FileTree.Entry(path: path, node: node))
        }
        return FileTree(sorted: entries)
    }

    /// The node of a path; `nil` where it was deleted, or is a repository of its own.
    private static func node(
        _ path: TreePath, _ stamp: FileStamp, _ folder: Folder, _ memory: DigestMemory?,
        _ store: ContentStore?
    ) throws -> FileTree.Node? {
        switch stamp.kind {
        case .link: return try folder.target(of: path).map { .link($0) }
        case .folder, .other: return nil
        case .file: break
        }
        if let known = memory?.digest(of: path, stamp),
            store.map({
                $0.isWhole(
                    $0.path(of: known, isExecutable: stamp.isExecutable), size: stamp.size)
            }) ?? true
        {
            return .file(known, size: stamp.size, isExecutable: stamp.isExecutable)
        }
        let reading = FileReading(folder: folder)
        let read: FileReading.Read?
        if let store {
            read = try reading.ingest(path, into: store)
        } else {
            read = try reading.hash(path)
        }
        guard let read else { return nil }
        memory?.remember(
            read.digest, of: path, read.stamp, readAt: read.readAt, isOnSameDevice: true)
        return .file(read.digest, size: read.stamp.size, isExecutable: read.stamp.isExecutable)
    }
}

/// Why the files of a commit cannot be had.
package enum SourceError: Error, Equatable, CustomStringConvertible {
    case noCommit(String)
    case badTree(String)
    case noList(String)

    /// What happened, for people.
    package var description: String {
        switch self {
        case .noCommit(let revision): "there is no commit `\(revision)` here"
        case .badTree(let name): "git cannot read \(name)"
        case .noList(let root):
            "git cannot list the files of \(root); `git status` there says why"
        }
    }
}
