import Glibc
import PipelineIR
import Testing

@testable import Executor

@Suite struct CacheStoreTests {
    private let scratch: CacheScratch
    private let store: ContentStore
    private let folder: Folder

    init() throws {
        scratch = try CacheScratch()
        try scratch.folder("tree")
        store = try ContentStore(scratch.path + "/cas")
        folder = try Folder(scratch.path + "/tree")
    }

    private func path(_ text: String) throws -> TreePath { try #require(TreePath(text)) }

    @Test func `what was put in comes out, under its digest`() throws {
        let bytes = Array("content".utf8)
        let blob = try store.insert(bytes)
        #expect(blob == .init(digest: Digest(of: bytes), size: 7))
        #expect(store.read(blob.digest) == bytes)
        #expect(store.contains(blob.digest, size: 7))
        #expect(!store.contains(blob.digest, size: 8))
        #expect(store.read(Digest(of: [1])) == nil)
        #expect(store.read(blob.digest, most: 6) == nil)
    }

    @Test func `a blob has a fixed mode and time`() throws {
        let blob = try store.insert([1, 2, 3])
        try store.insert([1, 2, 3], isExecutable: true)
        for (isExecutable, mode) in [(false, 0o644), (true, 0o755)] as [(Bool, mode_t)] {
            var status = stat()
            let path = store.path(of: blob.digest, isExecutable: isExecutable)
            try #require(lstat(path, &status) == 0)
            #expect(status.st_mode & 0o7777 == mode)
            #expect(status.st_mtim.tv_sec == 946_684_800 && status.st_mtim.tv_nsec == 0)
        }
    }

    @Test(arguments: [0, 1, 4096, 1 << 20, (1 << 20) + 1, 3 << 20])
    func `a file is hashed and kept in one pass`(size: Int) throws {
        let content = (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 31 >> 3) }
        try scratch.write(bytes: Array("tree/f".utf8), content, mode: 0o4755)
        let reading = FileReading(folder: folder)
        let read = try #require(try reading.ingest(path("f"), into: store))
        #expect(read.digest == Digest(of: content))
        #expect(try reading.hash(path("f"))?.digest == read.digest)
        // A set-user-id bit does not reach the store.
        let blob = store.path(of: read.digest, isExecutable: true)
        var status = stat()
        try #require(lstat(blob, &status) == 0)
        #expect(status.st_mode & 0o7777 == 0o755)
        #expect(store.read(read.digest) == content)
        #expect(try CacheScratch.run(["/usr/bin/find", store.drafts.above, "-type", "f"]) == "")
    }

    @Test func `a torn blob counts as absent and is removed`() throws {
        let blob = try store.insert(Array("whole content".utf8))
        let path = store.path(of: blob.digest)
        try #require(chmod(path, 0o644) == 0 && truncate(path, 5) == 0)
        #expect(!store.contains(blob.digest, size: blob.size))
        #expect(store.read(blob.digest) == nil)
        #expect(access(path, F_OK) != 0)
    }

    @Test func `a blob that was written to counts as absent although its size is right`() throws {
        let blob = try store.insert(Array("whole content".utf8))
        let path = store.path(of: blob.digest)
        try #require(chmod(path, 0o644) == 0)
        let file = open(path, O_WRONLY)
        try #require(file >= 0 && pwrite(file, "W", 1, 0) == 1 && close(file) == 0)
        #expect(!store.contains(blob.digest, size: blob.size))
        // It is put in anew when it comes again.
        try store.insert(Array("whole content".utf8))
        #expect(store.contains(blob.digest, size: blob.size))
        #expect(store.read(blob.digest) == Array("whole content".utf8))
    }

    @Test func `a file that is written to while it is read is never kept under a wrong digest`()
        throws
    {
        try scratch.write(bytes: Array("tree/f".utf8), [UInt8](repeating: 0, count: 3 << 20))
        let script = """
            import os, sys
            f = os.open(sys.argv[1], os.O_RDWR)
            os.write(1, b"x")
            n = 0
            while os.getppid() == int(sys.argv[2]):
                n += 1
                os.pwrite(f, bytes([n % 251]) * 4096, (n % 768) * 4096)
            """
        let writer = try Child([
            "/usr/bin/python3", "-c", script, scratch.path + "/tree/f", "\(getpid())",
        ])
        defer { writer.end() }
        try #require(writer.readByte() != nil)
        let reading = FileReading(folder: folder)
        for _ in 0..<20 {
            do {
                let read = try #require(try reading.ingest(path("f"), into: store))
                #expect(store.read(read.digest) != nil)
            } catch {
                #expect(error as? CacheError == .changing(path: scratch.path + "/tree/f"))
            }
        }
        #expect(try CacheScratch.run(["/usr/bin/find", store.drafts.above, "-type", "f"]) == "")
    }

    @Test func `processes that put the same blobs in at once all find them whole`() throws {
        // Two objects on one folder, each from several threads, are what processes are: nothing is
        // shared but the folder.
        let contents = (0..<50).map { number in [UInt8](repeating: UInt8(number), count: 70_000) }
        let place = store.root
        Threads.run(4) { thread in
            guard let store = try? ContentStore(place) else { return }
            for content in contents.shuffled() {
                guard let blob = try? store.insert(content) else {
                    Issue.record("a blob could not be put in")
                    continue
                }
                #expect(store.read(blob.digest) == content)
            }
        }
        for content in contents {
            #expect(store.contains(Digest(of: content), size: Int64(content.count)))
        }
        #expect(try CacheScratch.run(["/usr/bin/find", store.drafts.above, "-type", "f"]) == "")
    }

    @Test func `a full disk is an error that names its file system, and leaves nothing behind`()
        throws
    {
        let disk = try SmallDisk(in: scratch)
        let small = try ContentStore(disk.path + "/cas")
        var kept: [Digest] = []
        do {
            for number in 0..<100 {
                let bytes = [UInt8](repeating: UInt8(number), count: 100_000)
                kept.append(try small.insert(bytes).digest)
            }
            Issue.record("the disk never was full")
        } catch {
            guard case .noSpace(let path, let fileSystem) = error else {
                Issue.record("\(error)")
                return
            }
            #expect(fileSystem == disk.path)
            #expect(path.hasPrefix(disk.path))
        }
        try #require(!kept.isEmpty)
        for digest in kept { #expect(small.read(digest) != nil) }
        #expect(try CacheScratch.run(["/usr/bin/find", small.drafts.above, "-type", "f"]) == "")
        // Room again: it goes on.
        unlink(small.path(of: kept[0]))
        #expect(throws: Never.self) { try small.insert([UInt8](repeating: 200, count: 90_000)) }
    }

    @Test func `what was put in can be made durable, a little or a lot`() throws {
        try store.insert([1])
        try store.flush()
        for number in 0..<100 { try store.insert([UInt8(number), 7]) }
        try store.flush()
        try store.flush()
        #expect(store.contains(Digest(of: [42, 7]), size: 2))
    }

    @Test func `a folder that cannot be made is an error that names it`() throws {
        try scratch.write("file", "")
        #expect(
            throws: CacheError.failed(
                operation: "make", path: scratch.path + "/file/cas", errno: ENOTDIR)
        ) {
            _ = try ContentStore(scratch.path + "/file/cas")
        }
    }
}
