import Glibc
import PipelineIR
import Testing

@testable import Executor

@Suite struct CacheTreeTests {
    private let scratch: CacheScratch

    init() throws { scratch = try CacheScratch() }

    private func entry(_ path: String, _ node: FileTree.Node) throws -> FileTree.Entry {
        FileTree.Entry(path: try #require(TreePath(path)), node: node)
    }

    private func file(_ text: String, isExecutable: Bool = false) -> FileTree.Node {
        .file(
            Digest(ofUTF8: text), size: Int64(text.utf8.count), isExecutable: isExecutable)
    }

    private func sample() throws -> FileTree {
        try #require(
            FileTree([
                entry("b", file("b")), entry("a.txt", file("")), entry("a/x", file("x")),
                entry("a/run", file("run", isExecutable: true)), entry("a/l", .link([0x2E, 0x2E])),
                entry("z/y/x/w", file("w")), entry("z/empty", .folder), entry("q/x", file("x")),
                entry("q/run", file("run", isExecutable: true)), entry("q/l", .link([0x2E, 0x2E])),
            ]))
    }

    @Test func `a tree is a Tree message that protoc reads`() throws {
        let encoded = try sample().encoded()
        try scratch.write(bytes: Array("tree".utf8), encoded.tree)
        let text = try protoc("Tree", "tree")
        let expected = """
            root {
              files {
                name: "a.txt"
                digest {
                  hash: "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
                }
              }
              files {
                name: "b"
            """
        #expect(text.hasPrefix(expected))
        // Two folders with the same content are one message; parents come first.
        #expect(text.split(separator: "\n").count { $0 == "children {" } == encoded.children.count)
        #expect(encoded.children.count == 5)
        // What protoc writes for what it read is what we wrote: the form is canonical.
        try scratch.write("text", text)
        try scratch.write(bytes: Array("again".utf8), Array(protoc("Tree", "text", decode: false)))
        #expect(AtomicFile.read(scratch.path + "/again", most: 1 << 20) == encoded.tree)
    }

    @Test func `the empty tree has the digest of the empty message`() {
        #expect(FileTree.empty.digest == Digest(of: []))
        #expect(FileTree(tree: FileTree.empty.encoded().tree) == .empty)
    }

    @Test func `the digest depends on names, contents, modes, targets and nothing else`() throws {
        let digest = try sample().digest
        var entries = try sample().entries
        entries.shuffle()
        #expect(FileTree(entries)?.digest == digest)
        for index in entries.indices {
            var other = entries
            other.remove(at: index)
            #expect(FileTree(other)?.digest != digest)
            switch other.count > 0 ? entries[index].node : .folder {
            case .file(let content, let size, let isExecutable):
                other = entries
                other[index].node = .file(content, size: size, isExecutable: !isExecutable)
            case .link(let target):
                other = entries
                other[index].node = .link(target + [1])
            case .folder:
                other = entries
                other[index].node = file("")
            }
            #expect(FileTree(other)?.digest != digest)
        }
    }

    @Test func `a tree is read back as it was written`() throws {
        let tree = try sample()
        #expect(FileTree(tree: tree.encoded().tree) == tree)
        #expect(tree.isPortable)
        let strange = FileTree(sorted: [
            FileTree.Entry(path: TreePath(unchecked: [0xFF, 0x0A]), node: file("x"))
        ])
        #expect(FileTree(tree: strange.encoded().tree) == strange)
        #expect(!strange.isPortable)
    }

    @Test func `paths that cannot be together are no tree`() throws {
        #expect(try FileTree([entry("a", file("")), entry("a", .folder)]) == nil)
        #expect(try FileTree([entry("a", file("")), entry("a/b", .folder)]) == nil)
        #expect(FileTree([.init(path: .root, node: .folder)]) == nil)
    }

    @Test func `what is cut or damaged is no tree, and never a crash`() throws {
        let whole = try sample().encoded().tree
        for count in 0..<whole.count {
            _ = FileTree(tree: Array(whole[..<count]))
            var damaged = whole
            for bit in [0x01, 0x08, 0x80] as [UInt8] {
                damaged[count] = whole[count] ^ bit
                if let tree = FileTree(tree: damaged) {
                    #expect(tree.entries.allSatisfy { TreePath($0.path.bytes) == $0.path })
                }
            }
        }
    }

    @Test(arguments: ["", ".", "..", "a/b", "/", "\0"])
    func `a name that is none is refused`(name: String) {
        var node = WireWriter()
        node.field(1, name.utf8)
        node.field(2, Digest(of: []).wire(size: 0))
        var root = WireWriter()
        root.field(1, node.bytes)
        var tree = WireWriter()
        tree.field(1, root.bytes)
        #expect(FileTree(tree: tree.bytes) == nil)
    }

    @Test func `a small message that describes a huge tree is refused`() {
        // Each folder holds the next one twice: 2^60 folders.
        var below: [UInt8] = []
        var tree = WireWriter()
        for _ in 0..<60 {
            var directory = WireWriter()
            for name in ["a", "b"] {
                var node = WireWriter()
                node.field(1, name.utf8)
                node.field(2, Digest(of: below).wire(size: Int64(below.count)))
                directory.field(2, node.bytes)
            }
            tree.field(2, below, always: true)
            below = directory.bytes
        }
        tree.field(1, below)
        #expect(FileTree(tree: tree.bytes, most: 10_000) == nil)
    }

    private func protoc(_ message: String, _ input: String) throws -> String {
        String(decoding: try protoc(message, input, decode: true), as: UTF8.self)
    }

    private func protoc(_ message: String, _ input: String, decode: Bool) throws -> [UInt8] {
        let root = #filePath.split(separator: "/").dropLast(3).joined(separator: "/")
        let output = scratch.path + "/protoc-output"
        let type = "build.bazel.remote.execution.v2.\(message)"
        let script = """
            exec /usr/bin/protoc --\(decode ? "decode" : "encode")=\(type) \
            --proto_path="/\(root)/proto" build/bazel/remote/execution/v2/remote_execution.proto \
            <"\(scratch.path)/\(input)" >"\(output)"
            """
        try CacheScratch.run(["/bin/sh", "-c", script])
        return try #require(AtomicFile.read(output, most: 1 << 30))
    }
}
