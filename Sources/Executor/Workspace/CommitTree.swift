internal import PipelineIR

/// Reads the files of a commit through the `git` program, without a checkout.
package struct CommitTree {
    /// Bytes of files that are asked for in one go.
    private static let batchBytes: Int64 = 64 << 20

    private let root: String
    private let store: ContentStore?

    /// One line of `git ls-tree -l`.
    private struct Listed {
        var path: TreePath
        var mode: String
        var object: String
        var size: Int64
    }

    /// Creates a reader of the repository that a folder belongs to. Without a store files are only
    /// looked at.
    package init(_ root: String, store: ContentStore?) {
        self.root = root
        self.store = store
    }

    /// Puts the files of a commit, branch or tag into the store and gives their tree; submodules
    /// are left out. Throws `SourceError`.
    package func tree(_ revision: String) throws -> FileTree {
        guard !revision.hasPrefix("-"), !revision.contains("\0") else {
            throw SourceError.noCommit(revision)
        }
        let command = ["git", "ls-tree", "-r", "-l", "-z", "--full-tree", "\(revision)^{tree}"]
        let listing = try Subprogram.run(command, in: root)
        guard listing.code == 0 else { throw SourceError.noCommit(revision) }
        let listed = listing.output.split(separator: 0).compactMap(Self.parse)
        var entries: [FileTree.Entry] = []
        entries.reserveCapacity(listed.count)
        var batch: [Listed] = []
        var bytes: Int64 = 0
        for one in listed {
            if !batch.isEmpty, bytes + one.size > Self.batchBytes {
                entries += try fetch(batch)
                batch = []
                bytes = 0
            }
            batch.append(one)
            bytes += one.size
        }
        entries += try fetch(batch)
        guard let tree = FileTree(entries) else { throw SourceError.badTree(revision) }
        return tree
    }

    /// `100644 blob <id> <size>\t<path>`.
    private static func parse(_ line: ArraySlice<UInt8>) -> Listed? {
        guard let tab = line.firstIndex(of: UInt8(ascii: "\t")),
            let path = TreePath(line[(tab + 1)...])
        else { return nil }
        let words = line[..<tab].split(separator: UInt8(ascii: " ")).map {
            String(decoding: $0, as: UTF8.self)
        }
        guard words.count == 4, words[1] == "blob", let size = Int64(words[3]), size >= 0 else {
            return nil
        }
        return Listed(path: path, mode: words[0], object: words[2], size: size)
    }

    private func fetch(_ batch: [Listed]) throws -> [FileTree.Entry] {
        if batch.isEmpty { return [] }
        let names = Array(batch.map(\.object).joined(separator: "\n").utf8) + [0x0a]
        let given = try Subprogram.run(
            ["git", "cat-file", "--batch=%(objectsize)"], in: root, input: names)
        var rest = given.output[...]
        var entries: [FileTree.Entry] = []
        for one in batch {
            guard let end = rest.firstIndex(of: 0x0a),
                Int64(String(decoding: rest[..<end], as: UTF8.self)) == one.size,
                rest.count > Int(one.size) + (end - rest.startIndex) + 1
            else { throw SourceError.badTree(one.object) }
            let content = Array(rest[(end + 1)..<(end + 1 + Int(one.size))])
            rest = rest[(end + 2 + Int(one.size))...]
            entries.append(FileTree.Entry(path: one.path, node: try node(one, content)))
        }
        return entries
    }

    private func node(_ listed: Listed, _ content: [UInt8]) throws -> FileTree.Node {
        if listed.mode == "120000" { return .link(content) }
        let isExecutable = listed.mode == "100755"
        guard let store else {
            return .file(
                Digest(of: content), size: Int64(content.count), isExecutable: isExecutable)
        }
        let blob = try store.insert(content, isExecutable: isExecutable)
        return .file(blob.digest, size: blob.size, isExecutable: isExecutable)
    }
}
