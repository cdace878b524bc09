import Glibc
import PipelineIR
import Testing

@testable import Executor

@Suite struct CacheRestoreTests {
    private let scratch: CacheScratch
    private let store: ContentStore

    init() throws {
        scratch = try CacheScratch()
        store = try ContentStore(scratch.path + "/cas")
        try scratch.folder("from")
        try scratch.folder("to")
    }

    private func ingest() throws -> FileTree {
        try TreeReader(Folder(scratch.path + "/from"), memory: nil)
            .ingest([Glob("**")], into: store)
    }

    private func tree(_ name: String = "to") throws -> FileTree {
        try TreeReader(Folder("\(scratch.path)/\(name)"), memory: nil).tree([Glob("**")])
    }

    @discardableResult
    private func restore(
        _ tree: FileTree, by method: TreeRestore.Method = .copy, present: FileTree = .empty
    ) throws -> Int {
        var restore = TreeRestore(
            from: store, into: try Folder(scratch.path + "/to"), by: method)
        return try restore.restore(tree, present: present)
    }

    private func fill() throws {
        try scratch.write("from/a/plain", "plain")
        try scratch.write("from/a/program", "#!/bin/sh\n", mode: 0o755)
        try scratch.write("from/a/read only", "r", mode: 0o400)
        try scratch.write("from/a/set-user-id", "s", mode: 0o4711)
        try scratch.write("from/same as program", "#!/bin/sh\n")
        try scratch.write(bytes: Array("from/big".utf8), [UInt8](repeating: 7, count: 5 << 20))
        try scratch.write(bytes: Array("from/".utf8) + [0xFF, 0x0A, 0x20], [1])
        try scratch.folder("from/empty/folder")
        try scratch.link("from/link", to: "a/plain")
        try scratch.link("from/dangling", to: "/nowhere\n")
        try scratch.link("from/up", to: "..")
    }

    @Test(arguments: [TreeRestore.Method.copy, .link])
    func `a tree is restored as it was`(method: TreeRestore.Method) throws {
        try fill()
        let kept = try ingest()
        #expect(try restore(kept, by: method) == kept.entries.count)
        #expect(try tree() == kept)
        #expect(try scratch.mode("to/a/set-user-id") == (method == .link ? 0o755 : umasked(0o777)))
        #expect(try scratch.mode("to/a/read only") == (method == .link ? 0o644 : umasked(0o666)))
    }

    private func umasked(_ mode: mode_t) throws -> mode_t {
        let path = scratch.path + "/umask"
        unlink(path)
        let file = open(path, O_WRONLY | O_CREAT, mode)
        try #require(file >= 0)
        close(file)
        return try #require(scratch.mode("umask"))
    }

    @Test func `a blob that others put in again is linked all the same`() async throws {
        let blob = try store.insert([1, 2, 3])
        let place = store.path(of: blob.digest)
        let entry = FileTree.Entry(
            path: try #require(TreePath("f")),
            node: .file(blob.digest, size: blob.size, isExecutable: false))
        let tree = try #require(FileTree([entry]))
        let store = store
        let putting = Task.detached {
            while !Task.isCancelled {
                let draft = try Draft(store)
                try draft.write([1, 2, 3])
                try draft.finish(as: place, isExecutable: false)
            }
        }
        defer { putting.cancel() }
        for _ in 0..<30_000 {
            try restore(tree, by: .link)
            unlink(scratch.path + "/to/f")
        }
        putting.cancel()
        try await putting.value
    }

    @Test func `a copy has the time of now, a link that of all blobs`() throws {
        try scratch.write("from/f", "f")
        let kept = try ingest()
        var status = stat()
        try restore(kept, by: .link)
        try #require(lstat(scratch.path + "/to/f", &status) == 0)
        #expect(status.st_mtim.tv_sec == ContentStore.time && status.st_nlink == 2)
        try scratch.remove("to/f")
        try restore(kept)
        try #require(lstat(scratch.path + "/to/f", &status) == 0)
        #expect(status.st_mtim.tv_sec > ContentStore.time && status.st_nlink == 1)
    }

    @Test func `what is in the way is removed`() throws {
        try scratch.write("from/file", "file")
        try scratch.write("from/folder/x", "x")
        try scratch.link("from/link", to: "file")
        try scratch.folder("from/empty")
        let kept = try ingest()
        try scratch.write("to/file/a/b", "a folder")
        try scratch.link("to/file/l", to: "/")
        try scratch.write("to/folder", "a file")
        try scratch.write("to/link", "a file")
        try scratch.link("to/empty", to: scratch.path)
        try restore(kept)
        #expect(try tree() == kept)
        #expect(scratch.read("from/file") == "file")
    }

    @Test func `a repository in the way is not removed, nor a part of it`() throws {
        try scratch.write("from/x", "x")
        let kept = try ingest()
        try scratch.write("to/x/mine/file", "somebody's work")
        try scratch.folder("to/x/mine/.git")
        #expect(throws: CacheError.self) { try restore(kept) }
        #expect(scratch.read("to/x/mine/file") == "somebody's work")
    }

    @Test func `a link on the way is replaced, and nothing is written behind it`() throws {
        try scratch.write("from/out/x", "new")
        let kept = try ingest()
        try scratch.write("elsewhere/x", "old")
        try scratch.link("to/out", to: scratch.path + "/elsewhere")
        try restore(kept)
        #expect(scratch.read("elsewhere/x") == "old")
        #expect(scratch.read("to/out/x") == "new")
    }

    @Test func `a folder that is swapped for a link all the time never leads outside`() throws {
        try scratch.write("from/out/x", "new")
        let kept = try ingest()
        try scratch.folder("elsewhere")
        let to = scratch.path + "/to/out"
        let target = scratch.path + "/elsewhere"
        let stop = scratch.path + "/stop"
        Threads.run(2) { [store, place = scratch.path + "/to"] thread in
            if thread == 0 {
                while access(stop, F_OK) != 0 {
                    symlink(target, to + ".new")
                    rename(to + ".new", to)
                    unlink(to)
                    mkdir(to, 0o755)
                }
            } else {
                for _ in 0..<500 {
                    guard let folder = try? Folder(place) else { continue }
                    var restore = TreeRestore(from: store, into: folder, by: .copy)
                    _ = try? restore.restore(kept)
                }
                close(open(stop, O_CREAT | O_WRONLY, 0o600))
            }
        }
        #expect(access(target + "/x", F_OK) != 0)
    }

    @Test func `what is there already is left alone`() throws {
        try fill()
        let kept = try ingest()
        try restore(kept)
        #expect(try restore(kept, present: tree()) == 0)
        try scratch.write("to/a/plain", "edited by hand")
        try scratch.remove("to/empty")
        try scratch.remove("to/link")
        #expect(try restore(kept, present: tree()) == 3)
        #expect(try tree() == kept)
    }

    @Test(arguments: [TreeRestore.Method.copy, .link], [10, 3 << 20])
    func `a torn blob is missing, not restored`(method: TreeRestore.Method, size: Int) throws {
        try scratch.write(bytes: Array("from/f".utf8), [UInt8](repeating: 1, count: size))
        let kept = try ingest()
        let digest = Digest(of: [UInt8](repeating: 1, count: size))
        let blob = store.path(of: digest)
        try #require(chmod(blob, 0o600) == 0 && truncate(blob, off_t(size / 2)) == 0)
        #expect(throws: CacheError.missing(digest, path: "f")) { try restore(kept, by: method) }
        #expect(access(scratch.path + "/to/f", F_OK) != 0)
        #expect(access(blob, F_OK) != 0)
    }

    @Test func `a restored file need not be read to be known`() throws {
        try scratch.write("from/f", "f")
        let kept = try ingest()
        let folder = try Folder(scratch.path + "/to")
        let memory = DigestMemory(file: scratch.path + "/memory", pause: .none)
        var restore = TreeRestore(from: store, into: folder, by: .copy, memory: memory)
        _ = try restore.restore(kept)
        #expect(try TreeReader(folder, memory: memory).tree([Glob("**")]) == kept)
        #expect(memory.counts == (1, 0))
    }

    @Test func `a full disk is an error that names it, and a file is not left half`() throws {
        let disk = try SmallDisk(in: scratch)
        try scratch.write(bytes: Array("from/big".utf8), [UInt8](repeating: 7, count: 3 << 20))
        let kept = try ingest()
        var restore = TreeRestore(from: store, into: try Folder(disk.path), by: .copy)
        #expect(throws: CacheError.noSpace(path: disk.path + "/big", fileSystem: disk.path)) {
            try restore.restore(kept)
        }
        #expect(access(disk.path + "/big", F_OK) != 0)
    }
}
