import Glibc
import Testing

@testable import Master

@Suite struct TarTests {
    /// Makes a folder with a tree and gives what the system's tar lists of its archive.
    private func listing(_ make: (String) throws -> Void) throws -> [String] {
        let scratch = try DatabaseScratch()
        let folder = "\(scratch.path)/tree"
        mkdir(folder, 0o755)
        try make(folder)
        try scratch.write("a.tar", try Self.archive(folder))
        let listed = try Self.run("tar -tvf \(scratch.path)/a.tar", "\(scratch.path)/out")
        return listed.split(separator: "\n").map { line in
            // Mode, owner, size, date, time, name.
            let words = line.split(separator: " ", maxSplits: 5)
            return words.count == 6 ? "\(words[0]) \(words[2]) \(words[5])" : String(line)
        }
    }

    static func archive(_ folder: String) throws -> [UInt8] {
        var stream = try TarStream(folder: folder, as: Array("n".utf8))
        var bytes: [UInt8] = []
        while let part = try stream.next() { bytes += part }
        return bytes
    }

    private static func run(_ command: String, _ output: String) throws -> String {
        try #require(system("LC_ALL=C \(command) >\(output) 2>&1") == 0)
        return String(decoding: try PrivateFolder.read(output), as: UTF8.self)
    }

    private func file(_ path: String, _ text: String = "", mode: mode_t = 0o644) throws {
        let stream = try #require(fopen(path, "w"))
        fputs(text, stream)
        fclose(stream)
        chmod(path, mode)
    }

    @Test func `a tree is listed in order, with what may be run`() throws {
        let lines = try listing { folder in
            mkdir("\(folder)/b", 0o700)
            try file("\(folder)/b/x", "12345")
            try file("\(folder)/a", mode: 0o700)
            mkfifo("\(folder)/pipe", 0o600)
        }
        #expect(
            lines == [
                "drwxr-xr-x 0 n/", "-rwxr-xr-x 0 n/a", "drwxr-xr-x 0 n/b/", "-rw-r--r-- 5 n/b/x",
            ])
    }

    @Test(arguments: [
        ("x", true), ("./x", true), ("../t", false), ("/etc/passwd", false), ("x/../..", false),
        ("..", false), (".", true),
    ])
    func `a link at the top is there when it stays inside`(target: String, stays: Bool) throws {
        let lines = try listing { symlink(target, "\($0)/l") }
        #expect(lines == ["drwxr-xr-x 0 n/"] + (stays ? ["lrwxrwxrwx 0 n/l -> \(target)"] : []))
    }

    @Test func `a link in a folder may go up as far as the top`() throws {
        let lines = try listing { folder in
            mkdir("\(folder)/d", 0o755)
            symlink("../x", "\(folder)/d/in")
            symlink("../../x", "\(folder)/d/out")
            symlink("../d/../../x", "\(folder)/d/round")
        }
        #expect(lines == ["drwxr-xr-x 0 n/", "drwxr-xr-x 0 n/d/", "lrwxrwxrwx 0 n/d/in -> ../x"])
    }

    @Test(arguments: [98, 99, 100, 101, 154, 155, 156, 255])
    func `names of every length come back`(length: Int) throws {
        let name = String(repeating: "a", count: min(length, 255))
        let lines = try listing { folder in
            mkdir("\(folder)/\(name)", 0o755)
            try file("\(folder)/\(name)/\(name)", "1")
            symlink(name, "\(folder)/\(name)/l")
        }
        #expect(
            lines == [
                "drwxr-xr-x 0 n/", "drwxr-xr-x 0 n/\(name)/", "-rw-r--r-- 1 n/\(name)/\(name)",
                "lrwxrwxrwx 0 n/\(name)/l -> \(name)",
            ])
    }

    @Test func `the same tree gives the same bytes, whoever made it and when`() throws {
        let scratch = try DatabaseScratch()
        for folder in ["\(scratch.path)/1", "\(scratch.path)/2"] {
            mkdir(folder, 0o755)
            for name in folder.hasSuffix("1") ? ["a", "b"] : ["b", "a"] {
                try file("\(folder)/\(name)", name)
            }
            utimensat(AT_FDCWD, "\(folder)/a", [timespec(), timespec()], 0)
        }
        let first = try Self.archive("\(scratch.path)/1")
        #expect(try first == Self.archive("\(scratch.path)/2"))
        #expect(first.count % 512 == 0)
    }

    @Test func `content of more than a part is whole, and comes in parts`() throws {
        let scratch = try DatabaseScratch()
        let folder = "\(scratch.path)/tree"
        mkdir(folder, 0o755)
        let content = (0..<1_000_003).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        try scratch.write("tree/big", content)
        var stream = try TarStream(folder: folder, as: Array("n".utf8))
        var bytes: [UInt8] = []
        while let part = try stream.next() {
            #expect(part.count <= 2 * (256 << 10) + 1024)
            bytes += part
        }
        #expect(Array(bytes[1024..<(1024 + content.count)]) == content)
    }

    @Test func `a size that no field of ustar holds is in an extended header`() {
        let huge = TarEntry(path: Array("x".utf8), kind: .file(bytes: 1 << 34, isExecutable: false))
        #expect(huge.header.count == 3 * 512)
        let text = String(decoding: huge.header[512..<1024].prefix { $0 != 0 }, as: UTF8.self)
        #expect(text == "20 size=17179869184\n")
        let fits = TarEntry(
            path: Array("x".utf8), kind: .file(bytes: (1 << 33) - 1, isExecutable: false))
        #expect(fits.header.count == 512)
    }

    @Test func `a folder that is too deep, or that is a link, is refused`() throws {
        let scratch = try DatabaseScratch()
        var path = "\(scratch.path)/deep"
        mkdir(path, 0o755)
        let top = path
        for _ in 0..<256 {
            path += "/d"
            mkdir(path, 0o755)
        }
        #expect(throws: ArtifactProblem.self) { _ = try Self.archive(top) }
        symlink(top, "\(scratch.path)/link")
        #expect(throws: ArtifactProblem.self) { _ = try Self.archive("\(scratch.path)/link") }
    }

    @Test func `what is compressed is what gunzip gives back`() throws {
        let scratch = try DatabaseScratch()
        let parts: [[UInt8]] = [
            [], Array("hello".utf8), (0..<300_000).map { _ in .random(in: .min ... .max) },
            [UInt8](repeating: 7, count: 1 << 20),
        ]
        var stream = try GzipStream()
        var packed: [UInt8] = []
        for part in parts { packed += stream.add(part, isLast: false) }
        packed += stream.add([], isLast: true)
        try scratch.write("x.gz", packed)
        try #require(system("gzip -dc \(scratch.path)/x.gz >\(scratch.path)/x") == 0)
        #expect(scratch.bytes("x") == parts.flatMap { $0 })
    }
}
