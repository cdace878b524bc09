internal import Glibc

/// Makes trees of digests of what globs cover beneath a folder.
///
/// Files that the memory knows to be unchanged are not read. It can be used from several threads.
package final class TreeReader: Sendable {
    /// The folder that globs and paths are relative to.
    package let folder: Folder
    /// What is known of its files.
    package let memory: DigestMemory?
    private let most: Int

    /// Creates a reader.
    ///
    /// - Parameters:
    ///   - memory: the memory of this folder; without one every file is read.
    ///   - most: how many files one tree may have.
    package init(_ folder: Folder, memory: DigestMemory?, most: Int = TreeScan.mostFiles) {
        self.folder = folder
        self.memory = memory
        self.most = most
    }

    /// The tree of what globs cover.
    package func tree(_ globs: [Glob]) throws(CacheError) -> FileTree {
        try tree(TreeScan(folder, globs, most: most), into: nil)
    }

    /// The tree of what globs cover, with the contents of all its files put into a store. Nothing
    /// is durable before `ContentStore.flush`.
    package func ingest(_ globs: [Glob], into store: ContentStore) throws(CacheError) -> FileTree {
        try tree(TreeScan(folder, globs, most: most), into: store)
    }

    private func tree(_ scan: TreeScan, into store: ContentStore?) throws(CacheError) -> FileTree {
        var entries: [FileTree.Entry] = []
        entries.reserveCapacity(scan.found.count)
        for found in scan.found {
            switch found.stamp.kind {
            case .file:
                if let node = try node(of: found, into: store) {
                    entries.append(FileTree.Entry(path: found.path, node: node))
                }
            case .link:
                // One that was replaced between the look at it and its reading has gone.
                guard let target = found.target else { continue }
                entries.append(FileTree.Entry(path: found.path, node: .link(target)))
            case .folder: entries.append(FileTree.Entry(path: found.path, node: .folder))
            case .other: break
            }
        }
        return FileTree(sorted: entries)
    }

    /// What a path is, looked at only as far as it can be what is expected; `nil` when it is
    /// something else or nothing.
    func node(at path: TreePath, as expected: FileTree.Node) throws(CacheError) -> FileTree.Node? {
        guard let stamp = try folder.stamp(path) else { return nil }
        switch (expected, stamp.kind) {
        case (.folder, .folder): return .folder
        case (.link, .link): return try folder.target(of: path).map { .link($0) }
        case (.file(_, let size, let isExecutable), .file):
            guard stamp.size == size, stamp.isExecutable == isExecutable else { return nil }
            return try node(of: TreeScan.Found(path: path, stamp: stamp), into: nil)
        default: return nil
        }
    }

    /// The node of a file; `nil` when it vanished since the scan.
    private func node(
        of found: TreeScan.Found, into store: ContentStore?
    ) throws(CacheError) -> FileTree.Node? {
        if let known = memory?.digest(of: found.path, found.stamp) {
            let stamp = found.stamp
            let isExecutable = stamp.isExecutable
            let isKept =
                store.map {
                    $0.isWhole($0.path(of: known, isExecutable: isExecutable), size: stamp.size)
                } ?? true
            if isKept { return .file(known, size: stamp.size, isExecutable: isExecutable) }
        }
        let reading = FileReading(folder: folder)
        let read: FileReading.Read?
        if let store {
            read = try reading.ingest(found.path, into: store)
        } else {
            read = try reading.hash(found.path)
        }
        guard let read else { return nil }
        memory?.remember(
            read.digest, of: found.path, read.stamp, readAt: read.readAt,
            isOnSameDevice: found.isOnSameDevice)
        return .file(
            read.digest, size: read.stamp.size, isExecutable: read.stamp.isExecutable)
    }
}
