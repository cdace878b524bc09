import Glibc
import PipelineIR
import Testing

@testable import Executor

@Suite struct CommitMemoTests {
    private let scratch: CacheScratch
    private let store: ContentStore
    private let commit: String
    private var root: String { scratch.path + "/repository" }
    private var memo: CommitMemo { CommitMemo(scratch.path, store: store) }
    private var file: String { "\(scratch.path)/commits/\(commit)" }

    init() throws {
        scratch = try CacheScratch()
        store = try ContentStore(scratch.path + "/cas")
        try scratch.write("repository/deep/a", "a")
        try scratch.write("repository/b", "b")
        let folder = scratch.path + "/repository"
        let identity = ["-c", "user.name=x", "-c", "user.email=x@example.com"]
        for words in [["init", "-q"], ["add", "-A"], ["commit", "-q", "-m", "x"]] {
            _ = try Subprogram.run(["git"] + identity + words, in: folder)
        }
        let head = try Subprogram.run(["git", "rev-parse", "HEAD"], in: folder)
        commit = String(decoding: head.output, as: UTF8.self).filter { !$0.isNewline }
    }

    private func removeRepository() throws {
        try #require(rename(root, root + ".gone") == 0)
        try #require(mkdir(root, 0o755) == 0)
    }

    @Test func `a commit is read once`() throws {
        let tree = try memo.tree(of: commit, in: root)
        #expect(tree.entries.map(\.path.text) == ["b", "deep/a"])
        try removeRepository()
        #expect(try memo.tree(of: commit, in: root) == tree)
    }

    @Test func `a name of a commit is looked up each time`() throws {
        _ = try memo.tree(of: "HEAD", in: root)
        try removeRepository()
        #expect(throws: SourceError.self) { try memo.tree(of: "HEAD", in: root) }
    }

    @Test func `a memo that is damaged counts as absent`() throws {
        let tree = try memo.tree(of: commit, in: root)
        let bytes = try #require(AtomicFile.read(file, most: 1 << 20))
        for place in [0, 40, bytes.count - 1] {
            var damaged = bytes
            damaged[place] ^= 1
            try AtomicFile.write(damaged, to: file)
            #expect(try memo.tree(of: commit, in: root) == tree)
            #expect(AtomicFile.read(file, most: 1 << 20) == bytes)
        }
        try AtomicFile.write([], to: file)
        #expect(try memo.tree(of: commit, in: root) == tree)
    }

    @Test func `files that the store has lost are read again`() throws {
        let tree = try memo.tree(of: commit, in: root)
        guard case .file(let digest, let size, _) = tree.entries[0].node else {
            Issue.record("b is no file")
            return
        }
        unlink(store.path(of: digest))
        #expect(!store.contains(digest, size: size))
        #expect(try memo.tree(of: commit, in: root) == tree)
        #expect(store.contains(digest, size: size))
    }

    @Test func `old ones go when there are too many`() throws {
        _ = try memo.tree(of: commit, in: root)
        unlink(file)
        for number in 0..<200 { try scratch.write("commits/\(number)", "") }
        _ = try memo.tree(of: commit, in: root)
        let names = try FileComparison.names(in: "\(scratch.path)/commits".joined(.root))
        #expect(names.count == 65 && access(file, F_OK) == 0)
    }
}
