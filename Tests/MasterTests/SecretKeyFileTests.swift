import Glibc
import Testing

@testable import Master

@Suite struct SecretKeyFileTests {
    let folder: PrivateFolder
    var file: SecretKeyFile { SecretKeyFile(dataFolder: folder.path) }

    init() throws { folder = try PrivateFolder() }

    func mode(_ path: String) -> UInt32 {
        var status = stat()
        return stat(path, &status) == 0 ? UInt32(status.st_mode) & 0o7777 : 0
    }

    func names() -> [String] {
        var found: [String] = []
        guard let entries = opendir(folder.path) else { return [] }
        defer { closedir(entries) }
        while let entry = readdir(entries) {
            let name = withUnsafePointer(to: entry.pointee.d_name) { tuple in
                tuple.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if !name.hasPrefix(".") { found.append(name) }
        }
        return found
    }

    @Test func `it is made once, for the owner alone`() throws {
        let keys = try file.open()
        #expect(mode(file.path) == 0o600)
        #expect(try file.open().ids == keys.ids)
        #expect(names() == ["secret.key"])
        let other = try PrivateFolder()
        #expect(try SecretKeyFile(dataFolder: other.path).open().ids != keys.ids)
    }

    @Test func `it is written again with all its keys`() throws {
        let keys = try file.open().addingKey().addingKey()
        try file.write(keys)
        let read = try #require(try file.read())
        #expect(read.ids == keys.ids && read.ids.count == 3 && read.current == keys.current)
        for id in keys.ids {
            #expect(read[id] == keys[id])
        }
        #expect(mode(file.path) == 0o600)
    }

    @Test func `a first file never takes the place of another`() throws {
        let keys = try file.open()
        #expect(throws: SecretError.self) { try file.write(SecretKeys(), isFirst: true) }
        #expect(try file.read()?.ids == keys.ids)
        #expect(names() == ["secret.key"])
    }

    @Test(arguments: [0o640, 0o604, 0o620, 0o700, 0o4600, 0o666] as [UInt32])
    func `it is refused when others may read it`(mode: UInt32) throws {
        _ = try file.open()
        try #require(chmod(file.path, mode) == 0)
        #expect(throws: SecretError.keyFileMode(path: file.path, mode: mode)) { try file.open() }
        let message = SecretError.keyFileMode(path: file.path, mode: mode).message
        #expect(message.hasSuffix("its mode is 0\(String(mode, radix: 8))."))
    }

    @Test(.enabled(if: geteuid() == 0, "only root gives a file away"))
    func `it is refused when it belongs to somebody else`() throws {
        _ = try file.open()
        try #require(chown(file.path, 12_345, 12_345) == 0)
        #expect(throws: SecretError.keyFileOwner(path: file.path, owner: 12_345)) {
            try file.open()
        }
    }

    @Test func `a link, a folder and a pipe are refused`() throws {
        let other = try PrivateFolder()
        _ = try SecretKeyFile(dataFolder: other.path).open()
        try #require(symlink(other.path + "/secret.key", file.path) == 0)
        #expect(throws: SecretError.self) { try file.open() }
        unlink(file.path)
        try #require(mkdir(file.path, 0o700) == 0)
        #expect(throws: SecretError.self) { try file.open() }
        rmdir(file.path)
        try #require(mkfifo(file.path, 0o600) == 0)
        #expect(throws: SecretError.self) { try file.open() }
    }

    @Test func `a folder that is not there is told`() {
        #expect(throws: SecretError.self) { try SecretKeyFile(dataFolder: "/nowhere").open() }
    }

    @Test func `what a crash left aside is removed`() throws {
        let keys = try file.open()
        try folder.write("secret.key.0123456789abcdef.new", "danube".utf8)
        try folder.write("other.new", [])
        #expect(try file.open().ids == keys.ids)
        #expect(Set(names()) == ["secret.key", "other.new"])
    }

    @Test func `a file that is cut off or changed at any byte is refused`() throws {
        try file.write(try file.open().addingKey())
        let whole = try folder.read("secret.key")
        #expect(whole.count == 2 * (4 + 16 + 1 + 64 + 1) + 21 + 25 + 72)
        for index in whole.indices {
            var flipped = whole
            flipped[index] ^= 1
            for form in [flipped, Array(whole.prefix(index)), whole + whole.prefix(index)]
            where form != whole {
                try folder.write("secret.key", form)
                #expect(throws: SecretError.self) { try file.open() }
            }
        }
        try folder.write("secret.key", whole)
        #expect(try file.open().ids.count == 2)
    }

    @Test(arguments: [
        ("danube secret keys 2\n", "another version"),
        ("ssh-rsa AAAA\n", "does not begin with"), ("", "does not begin with"),
        ("danube secret keys 1\n", "cut off"),
        (String(repeating: "x", count: 9000), "too large"),
    ])
    func `what is no key file is told`(text: String, problem: String) throws {
        try folder.write("secret.key", text.utf8)
        chmod(file.path, 0o600)
        let error = #expect(throws: SecretError.self) { try file.open() }
        #expect(error?.message.contains(problem) == true)
        #expect(error?.hint != nil)
        // It is left as it was: somebody's only key may be in it.
        #expect(try folder.read("secret.key") == Array(text.utf8))
    }
}
