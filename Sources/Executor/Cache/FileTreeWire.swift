package import PipelineIR

/// A tree in the form of the Remote Execution API v2: one `Directory` message for each folder, all
/// of them in a `Tree` message.
///
/// Source: `build/bazel/remote/execution/v2/remote_execution.proto`. A name that is no UTF-8 is
/// written as its bytes, which only this program reads back; see `FileTree.isPortable`.
package struct EncodedTree: Sendable, Equatable {
    /// A `Directory` message.
    package struct Directory: Sendable, Equatable {
        package var digest: Digest
        package var bytes: [UInt8]
    }

    /// The folder itself.
    package var root: Directory
    /// All other folders, each once, parents before what is in them.
    package var children: [Directory]

    /// The `Tree` message.
    package var tree: [UInt8] {
        var writer = WireWriter()
        writer.field(1, root.bytes, always: true)
        for child in children { writer.field(2, child.bytes, always: true) }
        return writer.bytes
    }
}

/// A folder that is being encoded: its three lists of nodes are kept apart.
private struct OpenDirectory {
    var path: TreePath
    var files = WireWriter()
    var folders = WireWriter()
    var links = WireWriter()

    func close() -> EncodedTree.Directory {
        let bytes = files.bytes + folders.bytes + links.bytes
        return EncodedTree.Directory(digest: Digest(of: bytes), bytes: bytes)
    }

    mutating func add(_ entry: FileTree.Entry) {
        var node = WireWriter()
        node.field(1, entry.path.name)
        switch entry.node {
        case .file(let digest, let size, let isExecutable):
            node.field(2, digest.wire(size: size))
            node.field(4, isExecutable ? 1 : 0)
            files.field(1, node.bytes)
        case .link(let target):
            node.field(2, target)
            links.field(3, node.bytes)
        case .folder: break
        }
    }

    mutating func add(_ child: EncodedTree.Directory, name: ArraySlice<UInt8>) {
        var node = WireWriter()
        node.field(1, name)
        node.field(2, child.digest.wire(size: Int64(child.bytes.count)))
        folders.field(2, node.bytes)
    }
}

extension Digest {
    /// A `Digest` message.
    func wire(size: Int64) -> [UInt8] {
        var writer = WireWriter()
        writer.field(1, hex.utf8)
        writer.field(2, UInt64(bitPattern: size))
        return writer.bytes
    }

    /// Reads a `Digest` message.
    static func fromWire(_ bytes: ArraySlice<UInt8>) -> (digest: Digest, size: Int64)? {
        var reader = WireReader(bytes)
        var digest: Digest?
        var size: Int64 = 0
        while let (number, value) = reader.next() {
            switch (number, value) {
            case (1, .bytes(let hex)): digest = Digest(hex: String(decoding: hex, as: UTF8.self))
            case (2, .number(let count)): size = Int64(bitPattern: count)
            default: break
            }
        }
        guard reader.isValid, let digest, size >= 0 else { return nil }
        return (digest, size)
    }
}

extension FileTree {
    /// Whether all names and targets are UTF-8, as other programs demand.
    package var isPortable: Bool {
        entries.allSatisfy { entry in
            guard String(validating: entry.path.bytes, as: UTF8.self) != nil else { return false }
            guard case .link(let target) = entry.node else { return true }
            return String(validating: target, as: UTF8.self) != nil
        }
    }

    /// The digest of the tree: that of its root's `Directory` message.
    package var digest: Digest { encoded().root.digest }

    /// Encodes the tree. Goes over the entries once, with the folders on the way to the current one
    /// open.
    package func encoded() -> EncodedTree {
        var closed: [EncodedTree.Directory] = []
        var seen: Set<Digest> = []
        var open = [OpenDirectory(path: .root)]
        func close() {
            let directory = open.removeLast()
            let encoded = directory.close()
            open[open.count - 1].add(encoded, name: directory.path.name)
            if seen.insert(encoded.digest).inserted { closed.append(encoded) }
        }
        for entry in entries {
            let folder = entry.node == .folder ? entry.path : entry.path.parent
            while !folder.isWithin(open[open.count - 1].path) { close() }
            // The folders between the open one and that of the entry.
            var end = open[open.count - 1].path.bytes.count
            while end < folder.bytes.count {
                let start = end == 0 ? 0 : end + 1
                end = folder.bytes[start...].firstIndex(of: UInt8(ascii: "/")) ?? folder.bytes.count
                open.append(OpenDirectory(path: TreePath(unchecked: Array(folder.bytes[..<end]))))
            }
            open[open.count - 1].add(entry)
        }
        while open.count > 1 { close() }
        return EncodedTree(root: open[0].close(), children: closed.reversed())
    }
}
