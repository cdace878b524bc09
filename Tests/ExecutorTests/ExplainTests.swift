import Glibc
import PipelineIR
import Testing

@testable import Executor

@Suite("what changed, in words")
struct ChangeTextTests {
    private static let one = Digest(ofUTF8: "one")
    private static let two = Digest(ofUTF8: "two")
    private static let path = TreePath(unchecked: Array("src/x.c".utf8))

    private static func file(_ digest: Digest, runs: Bool = false) -> FileTree.Node {
        .file(digest, size: 3, isExecutable: runs)
    }

    private static let files: [(FileTree.Node?, FileTree.Node?, String)] = [
        (file(one), file(two), "`src/x.c` changed (7692c3ad → 3fc4ccfe)"),
        (
            file(one), file(two, runs: true),
            "`src/x.c` changed (7692c3ad → 3fc4ccfe, executable now)"
        ),
        (file(one), file(one, runs: true), "`src/x.c` became executable"),
        (file(one, runs: true), file(one), "`src/x.c` is no longer executable"),
        (nil, file(one), "`src/x.c` is new (7692c3ad)"),
        (file(one), nil, "`src/x.c` is gone (7692c3ad)"),
        (nil, .folder, "`src/x.c` is new (an empty folder)"),
        (.link([97]), .link([98]), "`src/x.c` points to `b`, not `a`"),
        (.link([97]), file(one), "`src/x.c` was a symbolic link, and is a file now"),
    ]

    @Test(arguments: files)
    func `a file is told with what it was and is`(
        _ old: FileTree.Node?, _ new: FileTree.Node?, _ words: String
    ) {
        #expect(ChangeText.line(.input(Self.path, old: old, new: new)) == words)
    }

    private static let facts: [(Manifest.Kind, String, String?, String?, String)] = [
        (.script, "", "make a", "make b", "the command changed: `make a` → `make b`"),
        (.script, "", "a\nb\nc", "a\nx\nc", "the command changed: `b` → `x`"),
        (.argument, "2", "a", "b", "word 3 of the command changed: `a` → `b`"),
        (.variable, "CC", "gcc", "clang", "variable `CC` changed: `gcc` → `clang`"),
        (.variable, "CC", nil, "clang", "variable `CC` is new: `clang`"),
        (.variable, "CC", "gcc", nil, "variable `CC` is gone; it was `gcc`"),
        (.secret, "T", "abc", "abd", "secret `T` has another value"),
        (.secret, "T", nil, "abd", "secret `T` is used now"),
        (.image, "", "a", "b", "the image changed: `a` → `b`"),
        (.workdir, "", "", "sub", "the working directory changed: `.` → `sub`"),
        (.output, "out", nil, "", "output `out` is declared now"),
        (.output, "out", "", nil, "output `out` is declared no more"),
        (.capture, "", "no", "yes", "its output is captured now"),
        (.service, "db", "a", "b", "service `db` changed"),
        (.scope, "", "in-place", "isolated", "it ran in place then, and runs isolated now"),
    ]

    @Test(arguments: facts)
    func `a fact is told with what it was and is`(
        _ kind: Manifest.Kind, _ name: String, _ old: String?, _ new: String?, _ words: String
    ) {
        #expect(ChangeText.line(.fact(kind, name: name, old: old, new: new)) == words)
    }

    @Test func `what differs in a long value is what is shown`() {
        let filler = String(repeating: "x", count: 300)
        let line = ChangeText.line(
            .fact(.script, name: "", old: filler + " old", new: filler + " new"))
        #expect(line.contains(" old`") && line.contains(" new`"))
        #expect(line.count < 80)
    }

    @Test func `secrets and doubled backslashes read as they were written`() {
        #expect(ChangeText.readable(#"a\\b \{secret K\}"#) == #"a\b {secret K}"#)
        #expect(ChangeText.readable("x\u{0}secret K\u{0}y") == "x{secret K}y")
    }

    @Test func `more differences than fit are counted`() {
        let changes = (0..<30).map {
            ManifestChange.input(
                TreePath(unchecked: Array("f\($0)".utf8)), old: nil, new: Self.file(Self.one))
        }
        let lines = ChangeText.lines(changes, most: 8)
        #expect(lines.count == 8)
        #expect(lines.last == "and 23 more differences")
        #expect(ChangeText.lines(Array(changes.prefix(8)), most: 8).count == 8)
    }
}

@Suite("globs of what is not there yet")
struct GlobCoverTests {
    @Test(arguments: [
        ("src/a.c", "src/a.c", true), ("src/a.c", "src/b.c", false), ("src/", "src/a.c", true),
        ("src/*.c", "src/a.c", true), ("src/*.c", "src/a.h", false), ("**/*.c", "out/a", true),
        ("out", "out/deep/file", true), ("out/*", "src/*", false), (".", "any", true),
    ])
    func `two globs may meet`(_ one: String, _ other: String, _ meet: Bool) throws {
        let (one, other) = (try Glob(one), try Glob(other))
        #expect(one.mayMeet(other) == meet)
        #expect(other.mayMeet(one) == meet)
    }

    @Test(arguments: [
        ["**"], ["src/"], ["src/*.c"], ["src/a.c", "b"], ["**/*.c", "!src/deep/"], ["none"],
    ])
    func `entries of a tree are covered as files of a folder are`(_ texts: [String]) throws {
        let scratch = try CacheScratch()
        for name in ["b", "src/a.c", "src/a.h", "src/deep/c.c", "srcs/d.c"] {
            try scratch.write(name, name)
        }
        let reader = TreeReader(try Folder(scratch.path), memory: nil)
        let globs = try texts.map { try Glob($0) }
        let whole = try reader.tree([Glob("**")])
        #expect(GlobCover(globs).entries(of: whole) == (try reader.tree(globs)).entries)
    }
}

@Suite("manifests of failed steps")
struct JobManifestsTests {
    private let scratch = HistoryScratch()

    private func manifest(_ name: String) throws -> Manifest {
        try Manifest(
            Action(
                command: .script(Template(name)), machine: .host("h"), platform: "linux/amd64",
                inputs: .empty))
    }

    @Test func `each is found by its key`() throws {
        let kept = JobManifests(folder: scratch.path)
        let all = try (0..<5).map { try manifest("step \($0)") }
        #expect(kept.manifest(of: all[0].key) == nil)
        for one in all.dropLast() { kept.keep(one) }
        for one in all.dropLast() { #expect(kept.manifest(of: one.key) == one) }
        #expect(kept.manifest(of: all[4].key) == nil)
    }

    @Test func `a file cut anywhere gives what is whole and never another`() throws {
        let kept = JobManifests(folder: scratch.path)
        let (one, two) = (try manifest("one"), try manifest("two"))
        kept.keep(one)
        let first = scratch.read("manifests").count
        kept.keep(two)
        let whole = scratch.read("manifests")
        for count in 0..<whole.count {
            scratch.write("manifests", Array(whole.prefix(count)))
            #expect(kept.manifest(of: one.key) == (count >= first ? one : nil))
            #expect(kept.manifest(of: two.key) == nil)
        }
        scratch.write("manifests", [UInt8](repeating: 255, count: 100))
        #expect(kept.manifest(of: one.key) == nil)
    }

    @Test func `no more is kept than the bound`() throws {
        let kept = JobManifests(folder: scratch.path)
        let large = try manifest(String(repeating: "x", count: 6 << 20))
        for _ in 0..<4 { kept.keep(large) }
        #expect(scratch.read("manifests").count <= Int(JobManifests.mostBytes))
        #expect(kept.manifest(of: large.key) == large)
    }
}

@Suite("how large a cache gets")
struct CacheUsageTests {
    private let scratch: CacheScratch
    private let cache: ActionCache

    init() throws {
        scratch = try CacheScratch()
        cache = try ActionCache(scratch.path)
    }

    @Test func `what is added is counted once`() throws {
        let usage = try CacheUsage(scratch.path)
        #expect(scratch.read("usage") == "0 0\n")
        try cache.store.insert([UInt8](repeating: 1, count: 5000))
        try cache.store.insert([UInt8](repeating: 1, count: 5000))
        #expect(try usage.grow(cache, budgetBytes: nil) == nil)
        #expect(scratch.read("usage") == "5000 0\n")
    }

    @Test func `a count that cannot be read is made by walking`() throws {
        try cache.store.insert([UInt8](repeating: 1, count: 5000))
        try scratch.write("usage", "nonsense")
        let usage = try CacheUsage(scratch.path)
        #expect(try usage.grow(cache, budgetBytes: nil) == nil)
        #expect(scratch.read("usage") == "5000 0\n")
    }

    @Test func `what no result needs goes when the budget is passed`() throws {
        let usage = try CacheUsage(scratch.path)
        try cache.store.insert([UInt8](repeating: 1, count: 5000))
        let done = try #require(try usage.grow(cache, budgetBytes: 4000))
        #expect(done.blobs == 1 && done.bytes == 5000 && done.keptBytes == 0)
        #expect(scratch.read("usage") == "0 0\n")
    }

    @Test func `nothing goes while another one uses the cache`() throws {
        let usage = try CacheUsage(scratch.path)
        try cache.store.insert([UInt8](repeating: 1, count: 5000))
        do {
            let other = try CacheUsage(scratch.path)
            #expect(try usage.grow(cache, budgetBytes: 4000) == nil)
            #expect(try usage.collect(cache, budgetBytes: 0) == nil)
            withExtendedLifetime(other) {}
        }
        #expect(try usage.collect(cache, budgetBytes: 0)?.blobs == 1)
    }
}
