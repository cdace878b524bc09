import Glibc
import PipelineIR
import Testing

@testable import Compiler

@Suite struct WorkingTreeTests {
    private let scratch: Scratch
    private let tree: WorkingTree

    init() throws {
        scratch = try Scratch()
        try scratch.write("repository/file", "inside")
        try scratch.write("secret", "outside")
        tree = try WorkingTree(scratch.path + "/repository")
    }

    @Test func `a FIFO does not block and is no file`() throws {
        try #require(mkfifo(scratch.path + "/repository/fifo", 0o644) == 0)
        #expect(tree.read("fifo") == .failed(SourcePath.notRegular))
        #expect(tree.stat("fifo") == .failed(SourcePath.notRegular))
    }

    @Test func `a link to a process's descriptors is not followed`() throws {
        try scratch.link("repository/self", to: "/proc/self/fd/0")
        guard case .failed = tree.read("self") else {
            Issue.record("a magic link was followed")
            return
        }
    }

    @Test func `a link that is swapped all the time never leads outside`() throws {
        let place = scratch.path + "/repository/swapped"
        try scratch.write("repository/good/x", "inside")
        try scratch.write("bad/x", "outside")
        try scratch.link("repository/one", to: "good")
        try scratch.link("repository/two", to: "../bad")
        for round in 0..<2000 {
            let target = round.isMultiple(of: 2) ? "good" : "../bad"
            symlink(target, place + ".new")
            rename(place + ".new", place)
            if case .content(let bytes) = tree.read("swapped/x") {
                #expect(bytes == Array("inside".utf8))
            }
        }
    }

    @Test func `a sparse file of a terabyte costs nothing`() throws {
        try scratch.write("repository/huge", "")
        try #require(truncate(scratch.path + "/repository/huge", 1 << 40) == 0)
        #expect(tree.read("huge") == .failed(SourcePath.tooLarge))
        #expect(tree.stat("huge") == .file(size: 1 << 40, executable: false))
    }

    @Test func `a folder that is not there cannot be opened`() {
        #expect(throws: BridgeError.self) { _ = try WorkingTree(scratch.path + "/nothing") }
        #expect(throws: BridgeError.self) { _ = try WorkingTree(scratch.path + "/secret") }
    }

    @Test func `reads are recorded once, with what came of them`() throws {
        let recorded = RecordedSource(tree)
        _ = recorded.read("file")
        _ = recorded.read("file")
        _ = recorded.read("missing")
        _ = recorded.stat("missing")
        _ = recorded.stat("file")
        _ = recorded.list("")
        let digest = SourceDigest.hex(Array("inside".utf8))
        #expect(
            recorded.reads == [
                RecordedRead(path: "file", question: .content, outcome: .digest(digest)),
                RecordedRead(path: "missing", question: .content, outcome: .absent),
                RecordedRead(
                    path: "file", question: .status, outcome: .file(size: 6, executable: false)),
                RecordedRead(path: "missing", question: .status, outcome: .absent),
                RecordedRead(
                    path: "", question: .names,
                    outcome: .digest(SourceDigest.hex(names: ["file"]))),
            ])
        #expect(recorded.sources.map(\.path) == ["file", ".", "missing"])
        #expect(recorded.reads.allSatisfy { RecordedSource.holds($0, in: tree) })
        try scratch.write("repository/other", "")
        #expect(recorded.reads.filter { !RecordedSource.holds($0, in: tree) }.map(\.path) == [""])
    }

    @Test func `a file that changes while it is read fails`() throws {
        let recorded = RecordedSource(tree)
        _ = recorded.read("file")
        try scratch.write("repository/file", "changed")
        guard case .failed(let failure) = recorded.read("file") else {
            Issue.record("two contents of one file")
            return
        }
        #expect(failure.errno == ESTALE)
        #expect(!recorded.isStable)
    }
}
