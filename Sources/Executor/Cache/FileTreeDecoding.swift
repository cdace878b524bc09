internal import PipelineIR

extension FileTree {
    /// The longest path that a decoded tree may have.
    private static let mostPathBytes = 4096

    /// Reads a `Tree` message. `nil` when it is not well-formed, lacks a folder, has a name that is
    /// none, or more than `most` entries: a small message can describe a huge tree.
    package init?(tree bytes: [UInt8], most: Int = TreeScan.mostFiles) {
        var root: ArraySlice<UInt8>?
        var folders: [Digest: ArraySlice<UInt8>] = [:]
        var reader = WireReader(bytes[...])
        while let (number, value) = reader.next() {
            switch (number, value) {
            case (1, .bytes(let message)): root = message
            case (2, .bytes(let message)): folders[Digest(of: Array(message))] = message
            default: break
            }
        }
        guard reader.isValid, let root else { return nil }
        var entries: [Entry] = []
        // Depth is bounded by the length of paths, width by the number of entries.
        var waiting: [(path: TreePath, message: ArraySlice<UInt8>)] = [(.root, root)]
        var visited = 0
        while let (path, message) = waiting.popLast() {
            visited += 1
            guard let directory = DecodedDirectory(message, in: path),
                path.bytes.count <= Self.mostPathBytes, visited <= most
            else { return nil }
            if directory.entries.isEmpty, directory.folders.isEmpty, !path.isRoot {
                entries.append(Entry(path: path, node: .folder))
            }
            entries += directory.entries
            for (path, digest) in directory.folders {
                guard let message = folders[digest] else { return nil }
                waiting.append((path, message))
            }
            if entries.count > most || waiting.count > most { return nil }
        }
        self.init(entries)
    }
}

/// A `Directory` message, read.
private struct DecodedDirectory {
    var entries: [FileTree.Entry] = []
    var folders: [(TreePath, Digest)] = []

    init?(_ message: ArraySlice<UInt8>, in path: TreePath) {
        var reader = WireReader(message)
        while let (number, value) = reader.next() {
            guard case .bytes(let node) = value, (1...3).contains(number) else { continue }
            guard let node = DecodedNode(node, in: path) else { return nil }
            switch number {
            case 1:
                guard let (digest, size) = Digest.fromWire(node.second) else { return nil }
                entries.append(
                    FileTree.Entry(
                        path: node.path,
                        node: .file(digest, size: size, isExecutable: node.isExecutable)))
            case 2:
                guard let (digest, _) = Digest.fromWire(node.second) else { return nil }
                folders.append((node.path, digest))
            default:
                if node.second.isEmpty || node.second.contains(0) { return nil }
                let target = FileTree.Node.link(Array(node.second))
                entries.append(FileTree.Entry(path: node.path, node: target))
            }
        }
        if !reader.isValid { return nil }
    }
}

/// A `FileNode`, `DirectoryNode` or `SymlinkNode` message: they share their numbers.
private struct DecodedNode {
    var path = TreePath.root
    /// The digest, or the target.
    var second: ArraySlice<UInt8> = []
    var isExecutable = false

    init?(_ message: ArraySlice<UInt8>, in folder: TreePath) {
        var name: ArraySlice<UInt8> = []
        var reader = WireReader(message)
        while let (number, value) = reader.next() {
            switch (number, value) {
            case (1, .bytes(let bytes)): name = bytes
            case (2, .bytes(let bytes)): second = bytes
            case (4, .number(let flag)): isExecutable = flag != 0
            default: break
            }
        }
        let isComponent =
            !name.isEmpty && !name.contains(0) && !name.contains(UInt8(ascii: "/"))
            && !name.elementsEqual(".".utf8) && !name.elementsEqual("..".utf8)
        guard reader.isValid, isComponent else { return nil }
        path = folder.appending(name)
    }
}
