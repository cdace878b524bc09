package import PipelineIR

/// Files, symbolic links and empty folders with the digests of their contents: what a step gets or
/// gives. Times, owners and all permissions but the owner's to execute are left out.
package struct FileTree: Sendable, Equatable {
    /// What a path of a tree is.
    package enum Node: Sendable, Hashable {
        /// A regular file: the digest and size of its content, and whether it can be executed.
        case file(Digest, size: Int64, isExecutable: Bool)
        /// A symbolic link with its target, which may be anything.
        case link([UInt8])
        /// A folder with nothing in it.
        case folder
    }

    /// A path of a tree.
    package struct Entry: Sendable, Hashable {
        package var path: TreePath
        package var node: Node

        /// Creates an entry.
        package init(path: TreePath, node: Node) {
            self.path = path
            self.node = node
        }
    }

    /// Sorted by path, each path once; no path lies beneath another.
    package let entries: [Entry]

    /// The tree with nothing in it.
    package static let empty = FileTree(sorted: [])

    /// Takes entries that are known to be sorted and free of conflicts.
    init(sorted entries: [Entry]) { self.entries = entries }

    /// Sorts the entries. `nil` when a path is there twice, is the root, or lies beneath another.
    package init?(_ entries: [Entry]) {
        let sorted = entries.sorted { $0.path < $1.path }
        for (before, after) in zip(sorted, sorted.dropFirst())
        where after.path.isWithin(before.path) {
            return nil
        }
        if sorted.first?.path.isRoot == true { return nil }
        self.entries = sorted
    }

    /// The node at a path.
    package subscript(path: TreePath) -> Node? {
        var low = 0
        var high = entries.count
        while low < high {
            let middle = (low + high) / 2
            if entries[middle].path < path { low = middle + 1 } else { high = middle }
        }
        return low < entries.count && entries[low].path == path ? entries[low].node : nil
    }

    /// Bytes of all files together.
    package var size: Int64 {
        entries.reduce(0) { sum, entry in
            if case .file(_, let size, _) = entry.node { sum &+ size } else { sum }
        }
    }
}
