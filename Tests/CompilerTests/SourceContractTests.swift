import Glibc
import Testing

@testable import Compiler

/// What holds for every source of a repository, tried on a working copy and on a commit of it.
@Suite struct SourceContractTests {
    enum Kind: CaseIterable {
        case workingTree
        case gitTree
    }

    private let scratch: Scratch

    init() throws {
        scratch = try Scratch()
        try scratch.write("danubefile.py", "print(1)\n")
        try scratch.write("tools/run.sh", "#!/bin/sh\n", mode: 0o755)
        try scratch.write("tools/sub/deep.txt", "deep")
        try scratch.write("empty", "")
        try scratch.write("B", "b")
        try scratch.write("a b", "space")
        try scratch.write("é", "umlaut")
        try scratch.link("link", to: "tools/run.sh")
        try scratch.link("folder", to: "tools/sub")
        try scratch.link("tools/up", to: "../danubefile.py")
        try scratch.link("tools/sub/round", to: "../../folder/deep.txt")
        try scratch.link("loop", to: "loop")
        try scratch.link("outside", to: "/etc/passwd")
        try scratch.link("above", to: "../../etc/passwd")
        try scratch.link("tools/above", to: "../../x")
        try scratch.link("nothing", to: "not-there")
        try scratch.link("tofile", to: "B/x")
        try scratch.makeRepository()
    }

    private func source(_ kind: Kind) throws -> any RepositorySource {
        switch kind {
        case .workingTree: try WorkingTree(scratch.path)
        case .gitTree: try GitTree(scratch.path, revision: "HEAD")
        }
    }

    private func content(_ result: ReadResult) -> String? {
        guard case .content(let bytes) = result else { return nil }
        return String(decoding: bytes, as: UTF8.self)
    }

    @Test(arguments: Kind.allCases)
    func `files are read, through links too`(_ kind: Kind) throws {
        let source = try source(kind)
        for (path, text) in [
            ("danubefile.py", "print(1)\n"), ("empty", ""), ("a b", "space"), ("é", "umlaut"),
            ("tools/sub/deep.txt", "deep"), ("link", "#!/bin/sh\n"), ("folder/deep.txt", "deep"),
            ("tools/up", "print(1)\n"), ("folder/round", "deep"),
        ] {
            #expect(content(source.read(path)) == text, "\(path)")
        }
    }

    @Test(arguments: Kind.allCases)
    func `what is not there is absent`(_ kind: Kind) throws {
        let source = try source(kind)
        for path in ["x", "tools/x", "danubefile.py/x", "nothing", "tofile", "link/x"] {
            #expect(source.read(path) == .absent, "\(path)")
            #expect(source.stat(path) == .absent, "\(path)")
            #expect(source.list(path) == .absent, "\(path)")
        }
    }

    @Test(arguments: Kind.allCases)
    func `nothing leads outside`(_ kind: Kind) throws {
        let source = try source(kind)
        for path in [
            "outside", "above", "tools/above", "../x", "tools/../danubefile.py", "/etc/passwd", ".",
            "./danubefile.py", "tools//run.sh", "tools/", "danubefile.py\0x", "..",
        ] {
            #expect(source.read(path) == .failed(SourcePath.outside), "\(path)")
            #expect(source.stat(path) == .failed(SourcePath.outside), "\(path)")
        }
        #expect(source.read("loop") == .failed(SourcePath.tooManyLinks))
    }

    @Test(arguments: Kind.allCases)
    func `git's own files are not there`(_ kind: Kind) throws {
        try scratch.link("secret", to: ".git/config")
        try scratch.link("store", to: ".git")
        try scratch.commit("links to git")
        let source = try source(kind)
        for path in [".git/config", ".git", "tools/.git", "secret", "store/config", "store"] {
            #expect(source.stat(path) == .absent, "\(path)")
            #expect(source.read(path) == .absent, "\(path)")
        }
    }

    @Test(arguments: Kind.allCases)
    func `paths have a kind and a size`(_ kind: Kind) throws {
        let source = try source(kind)
        #expect(source.stat("") == .folder)
        #expect(source.stat("tools/sub") == .folder)
        #expect(source.stat("folder") == .folder)
        #expect(source.stat("danubefile.py") == .file(size: 9, executable: false))
        #expect(source.stat("link") == .file(size: 10, executable: true))
        #expect(source.read("tools") == .failed(SourcePath.isFolder))
        #expect(source.list("B") == .failed(SourcePath.notFolder))
    }

    @Test(arguments: Kind.allCases)
    func `folders are listed in the order of their bytes`(_ kind: Kind) throws {
        let source = try source(kind)
        #expect(
            source.list("")
                == .names([
                    "B", "a b", "above", "danubefile.py", "empty", "folder", "link", "loop",
                    "nothing", "outside", "tofile", "tools", "é",
                ]))
        #expect(source.list("tools") == .names(["above", "run.sh", "sub", "up"]))
        #expect(source.list("folder") == .names(["deep.txt", "round"]))
    }

    @Test(arguments: Kind.allCases)
    func `a file larger than the limit is refused`(_ kind: Kind) throws {
        let most = [UInt8](repeating: 0, count: Limits.fileBytes)
        try scratch.write("most", most)
        try scratch.write("more", most + [0])
        try scratch.commit("large")
        let source = try source(kind)
        #expect(source.read("most") == .content(most))
        #expect(source.read("more") == .failed(SourcePath.tooLarge))
    }

    @Test(arguments: Kind.allCases)
    func `a name that is not UTF-8 fails the listing, not the rest`(_ kind: Kind) throws {
        let path = Array("\(scratch.path)/tools/".utf8CString.dropLast()) + [-1, 0]
        let file = open(path, O_WRONLY | O_CREAT, 0o644)
        try #require(file >= 0)
        close(file)
        try scratch.commit("bytes")
        let source = try source(kind)
        #expect(source.list("tools") == .failed(SourcePath.badName))
        #expect(content(source.read("tools/run.sh")) == "#!/bin/sh\n")
    }
}
