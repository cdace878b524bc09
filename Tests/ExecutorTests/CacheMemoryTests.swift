import Glibc
import PipelineIR
import Testing

@testable import Executor

@Suite struct CacheMemoryTests {
    private let scratch: CacheScratch
    private let folder: Folder

    init() throws {
        scratch = try CacheScratch()
        try scratch.folder("tree")
        folder = try Folder(scratch.path + "/tree")
    }

    private var file: String { scratch.path + "/memory" }

    private func tree(_ memory: DigestMemory) throws -> FileTree {
        try TreeReader(folder, memory: memory).tree([Glob("**")])
    }

    /// Puts a file's time of modification back to what it was.
    private func restore(_ times: stat, _ name: String) throws {
        let done = utimensat(
            AT_FDCWD, "\(folder.path)/\(name)", [times.st_atim, times.st_mtim], 0)
        try #require(done == 0)
    }

    @Test func `an unchanged file is read once`() throws {
        for number in 0..<20 { try scratch.write("tree/\(number)", "\(number)") }
        let memory = DigestMemory(file: file, pause: .none)
        let first = try tree(memory)
        #expect(memory.counts == (0, 20))
        #expect(try tree(memory) == first)
        #expect(memory.counts == (20, 20))
        try memory.save()
        let later = DigestMemory(file: file, pause: .none)
        #expect(try tree(later) == first)
        #expect(later.counts == (20, 0))
    }

    @Test func `a change of the same size with the time put back is seen`() throws {
        try scratch.write("tree/f", "before")
        let memory = DigestMemory(file: file, folder: folder)
        let before = try tree(memory)
        for round in 0..<50 {
            var times = stat()
            try #require(lstat(folder.path + "/f", &times) == 0)
            try scratch.write("tree/f", "aft\(100 + round)")
            try restore(times, "f")
            let after = try tree(memory)
            #expect(after != before)
            #expect(
                after.entries[0].node
                    == .file(
                        Digest(ofUTF8: "aft\(100 + round)"), size: 6, isExecutable: false))
        }
    }

    @Test func `a file that may have changed within the tick of its time is not believed`() throws {
        try scratch.write("tree/f", "x")
        let memory = DigestMemory(file: file, pause: .nanoseconds(3_600_000_000_000))
        _ = try tree(memory)
        _ = try tree(memory)
        #expect(memory.counts == (0, 2))
    }

    @Test(arguments: [0, 1, 5, 999, 1000, 1001, 5000, Int64.min, Int64.max])
    func `a digest is believed only of a file that had rested`(rested: Int64) throws {
        let memory = DigestMemory(file: file, pause: .nanoseconds(1000))
        let stamp = FileStamp(
            kind: .file, mode: 0o100644, inode: 1, size: 1, modified: 7, changed: -9)
        let path = try #require(TreePath("f"))
        // The later of the two times counts; a clock that jumped must not overflow.
        let readAt = Int64(7).addingReportingOverflow(rested).partialValue
        memory.remember(Digest(of: [1]), of: path, stamp, readAt: readAt)
        #expect((memory.digest(of: path, stamp) != nil) == (rested == 1001 || rested == 5000))
    }

    @Test func `a file of another file system is believed after two seconds`() throws {
        let memory = DigestMemory(file: file, pause: .none)
        let stamp = FileStamp(
            kind: .file, mode: 0o100644, inode: 1, size: 1, modified: 0, changed: 0)
        let path = try #require(TreePath("f"))
        memory.remember(
            Digest(of: [1]), of: path, stamp, readAt: 2_000_000_000, isOnSameDevice: false)
        #expect(memory.digest(of: path, stamp) == nil)
        memory.remember(
            Digest(of: [1]), of: path, stamp, readAt: 2_200_000_000, isOnSameDevice: false)
        #expect(memory.digest(of: path, stamp) == Digest(of: [1]))
    }

    @Test func `another inode, size, mode or time is another file`() throws {
        let stamp = FileStamp(
            kind: .file, mode: 0o100644, inode: 1, size: 2, modified: 3, changed: 4)
        let path = try #require(TreePath("f"))
        let memory = DigestMemory(file: file, pause: .none)
        memory.remember(Digest(of: [1]), of: path, stamp, readAt: 0)
        try memory.save()
        for memory in [memory, DigestMemory(file: file, pause: .none)] {
            #expect(memory.digest(of: path, stamp) == Digest(of: [1]))
            for change: (inout FileStamp) -> Void in [
                { $0.mode = 0o100755 }, { $0.inode = 9 }, { $0.size = 9 }, { $0.modified = 9 },
                { $0.changed = 9 },
            ] {
                var other = stamp
                change(&other)
                #expect(memory.digest(of: path, other) == nil)
            }
        }
    }

    @Test func `a damaged memory counts as empty`() throws {
        let path = try #require(TreePath("some/path"))
        let stamp = FileStamp(
            kind: .file, mode: 0o100644, inode: 1, size: 2, modified: 3, changed: 4)
        let memory = DigestMemory(file: file, pause: .none)
        memory.remember(Digest(of: [1]), of: path, stamp, readAt: 0)
        try memory.save()
        let whole = try #require(AtomicFile.read(file, most: 1 << 20))
        for position in whole.indices {
            var damaged = whole
            damaged[position] ^= 0x40
            #expect(DigestRecords(damaged) == nil, "byte \(position)")
            #expect(DigestRecords(Array(whole[..<position])) == nil)
        }
        try scratch.write(bytes: Array("memory".utf8), Array(whole.dropLast()))
        #expect(DigestMemory(file: file, pause: .none).digest(of: path, stamp) == nil)
    }

    @Test func `files that nobody asks for are forgotten in time, others stay`() throws {
        let stamp = FileStamp(
            kind: .file, mode: 0o100644, inode: 1, size: 2, modified: 3, changed: 4)
        let old = try #require(TreePath("old"))
        let kept = try #require(TreePath("kept"))
        for round in 0..<100 {
            let memory = DigestMemory(file: file, pause: .none)
            if round == 0 { memory.remember(Digest(of: [0]), of: old, stamp, readAt: 0) }
            if round == 0 { memory.remember(Digest(of: [1]), of: kept, stamp, readAt: 0) }
            #expect(memory.digest(of: kept, stamp) == Digest(of: [1]))
            let fresh = try #require(TreePath("fresh\(round)"))
            memory.remember(Digest(of: [2]), of: fresh, stamp, readAt: 0)
            try memory.save()
        }
        let memory = DigestMemory(file: file, pause: .none)
        #expect(memory.digest(of: old, stamp) == nil)
        #expect(memory.digest(of: kept, stamp) != nil)
        #expect(DigestRecords.read(file).count < 60)
    }

    @Test func `times of this file system are told fine from coarse`() throws {
        // Whatever it is, a second write after a look is never missed: with fine times because it
        // leaves another one, with coarse ones because the first was not believed.
        let memory = DigestMemory(file: file, folder: folder)
        for round in 0..<200 {
            try scratch.write("tree/f", "\(1000 + round)")
            let tree = try tree(memory)
            #expect(
                tree.entries.map(\.node) == [
                    .file(Digest(ofUTF8: "\(1000 + round)"), size: 4, isExecutable: false)
                ])
        }
    }
}
