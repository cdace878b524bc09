import Glibc
import Testing

@testable import Executor

@Suite struct CacheScanTests {
    private let scratch: CacheScratch

    init() throws { scratch = try CacheScratch() }

    private func scan(_ globs: String...) throws -> [String] {
        let globs = try globs.map { try Glob($0) }
        return try TreeScan(Folder(scratch.path), globs).found.map {
            $0.path.text + ($0.stamp.kind == .folder ? "/" : $0.stamp.kind == .link ? "@" : "")
        }
    }

    @Test func `a scan finds what its globs cover, sorted, each once`() throws {
        for name in ["b.c", "a.c", "sub/a.c", "sub/deep/b.h", "sub.c", "z/q", ".hid/x.c"] {
            try scratch.write(name, name)
        }
        #expect(try scan("*.c") == ["a.c", "b.c", "sub.c"])
        #expect(try scan("**/*.c", "a.c", "*.c") == [".hid/x.c", "a.c", "b.c", "sub/a.c", "sub.c"])
        #expect(try scan("sub") == ["sub/a.c", "sub/deep/b.h"])
        #expect(
            try scan("sub/**/*.h", "z/q", "nothing", "nothing/at/all") == ["sub/deep/b.h", "z/q"])
        #expect(try scan("sub/", "!sub/deep") == ["sub/a.c"])
        #expect(try scan("**", "!**/*.c") == [".hid/", "sub/deep/b.h", "z/q"])
        #expect(try scan("a.c/", "a.c/x", "b.c/**") == [])
        #expect(try scan() == [])
    }

    @Test func `folders with nothing in them are found where they are covered`() throws {
        try scratch.folder("out/empty/deeper")
        try scratch.folder("out/only-git/.git")
        try scratch.write("out/full/x", "")
        try scratch.folder("other")
        #expect(try scan("out/") == ["out/empty/deeper/", "out/full/x", "out/only-git/"])
        #expect(try scan("out/*") == ["out/empty/deeper/", "out/full/x", "out/only-git/"])
        #expect(try scan("out/**/x") == ["out/full/x"])
        #expect(try scan("other") == ["other/"])
        #expect(
            try scan("out/**", "!out/full/x")
                == ["out/empty/deeper/", "out/full/", "out/only-git/"])
    }

    @Test func `the repository's own folder is never found`() throws {
        try scratch.write(".git/config", "")
        try scratch.write("sub/.git", "gitdir: x")
        try scratch.write("sub/x", "")
        #expect(try scan("**") == ["sub/x"])
        #expect(try scan(".git", ".git/config", "sub/.git") == [])
        #expect(try scan(".git/config") == [])
        #expect(try scan("sub/.git") == [])
    }

    @Test func `links are found and never followed`() throws {
        try scratch.write("real/x", "")
        try scratch.link("loop", to: ".")
        try scratch.link("real/up", to: "..")
        try scratch.link("self", to: "self")
        try scratch.link("away", to: "/etc")
        #expect(try scan("**") == ["away@", "loop@", "real/up@", "real/x", "self@"])
        #expect(try scan("loop") == ["loop@"])
        // What a step finds behind a link depends on the link.
        #expect(try scan("loop/real/x") == ["loop@"])
        #expect(try scan("away/passwd") == ["away@"])
        #expect(try scan("l*/real/x") == ["loop@"])
    }

    @Test func `hostile names are found like others`() throws {
        let names: [[UInt8]] = [
            Array("a b".utf8), Array("new\nline".utf8), Array("*".utf8), [0xFF, 0xFE], [0x01],
            Array("-rf".utf8), Array("\\".utf8), [0xC3], Array("e\u{301}".utf8), Array("é".utf8),
        ]
        for name in names { try scratch.write(bytes: Array("d/".utf8) + name, name) }
        let folder = try Folder(scratch.path)
        let found = try TreeScan(folder, [Glob("d/*")]).found.map { Array($0.path.name) }
        #expect(found == names.sorted { $0.lexicographicallyPrecedes($1) })
        let tree = try TreeReader(folder, memory: nil).tree([Glob("**")])
        #expect(tree.entries.count == names.count)
    }

    @Test func `sockets, pipes and devices are left out and do not block`() throws {
        try scratch.write("x", "")
        try #require(mkfifo(scratch.path + "/fifo", 0o644) == 0)
        #expect(try scan("**") == ["x"])
        #expect(try scan("fifo") == [])
    }

    @Test func `a tree as deep as paths can be is found`() throws {
        let deep = Array(repeating: "d", count: 1900).joined(separator: "/")
        try scratch.folder(deep)
        #expect(try scan("**") == [deep + "/"])
    }

    @Test func `more files than allowed are an error that says how many`() throws {
        for number in 0..<10 { try scratch.write("d/\(number)", "") }
        #expect(throws: CacheError.tooManyFiles(path: scratch.path + "/d", most: 9)) {
            _ = try TreeScan(Folder(scratch.path), [Glob("**")], most: 9)
        }
    }
}
