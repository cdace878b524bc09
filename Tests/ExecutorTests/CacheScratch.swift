import Glibc
import Testing

@testable import Executor

/// A temporary folder of one test, removed with all that is in it.
final class CacheScratch {
    let path: String

    init() throws {
        var template = Array("/tmp/danube-cache-XXXXXX".utf8CString)
        try #require(mkdtemp(&template) != nil)
        path = String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
    }

    deinit { _ = try? Self.run(["/bin/rm", "-rf", path]) }

    /// Writes a file, making the folders above it.
    func write(_ name: String, _ text: String, mode: mode_t = 0o644) throws {
        try write(bytes: Array(name.utf8), Array(text.utf8), mode: mode)
    }

    /// Writes a file whose name need not be UTF-8.
    func write(bytes name: [UInt8], _ content: [UInt8], mode: mode_t = 0o644) throws {
        try folder(bytes: name.split(separator: UInt8(ascii: "/")).dropLast())
        let place = (Array(path.utf8) + [UInt8(ascii: "/")] + name + [0]).map(
            CChar.init(bitPattern:))
        let file = open(place, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
        try #require(file >= 0, "\(name)")
        defer { close(file) }
        var rest = content[...]
        while !rest.isEmpty {
            let written = rest.withUnsafeBytes { Glibc.write(file, $0.baseAddress, $0.count) }
            try #require(written > 0)
            rest = rest.dropFirst(written)
        }
        try #require(fchmod(file, mode) == 0)
    }

    /// Makes a folder and those above it.
    func folder(_ name: String) throws {
        try folder(bytes: Array(name.utf8).split(separator: UInt8(ascii: "/")))
    }

    private func folder(bytes parts: [ArraySlice<UInt8>]) throws {
        var place = Array(path.utf8)
        for part in parts {
            place += [UInt8(ascii: "/")] + part
            let made = mkdir((place + [0]).map(CChar.init(bitPattern:)), 0o755)
            try #require(made == 0 || errno == EEXIST)
        }
    }

    func link(_ name: String, to target: String) throws {
        try folder(bytes: Array(name.utf8).split(separator: UInt8(ascii: "/")).dropLast())
        try #require(symlink(target, "\(path)/\(name)") == 0)
    }

    func remove(_ name: String) throws { try Self.run(["/bin/rm", "-rf", "\(path)/\(name)"]) }

    func read(_ name: String) -> String? {
        AtomicFile.read("\(path)/\(name)", most: 1 << 30).map {
            String(decoding: $0, as: UTF8.self)
        }
    }

    /// Permission bits.
    func mode(_ name: String) -> mode_t? {
        var status = stat()
        guard lstat("\(path)/\(name)", &status) == 0 else { return nil }
        return status.st_mode & 0o7777
    }

    /// Runs a program, fails when it does, and gives what it prints.
    @discardableResult
    static func run(_ arguments: [String], input: String = "/dev/null") throws -> String {
        var ends: [Int32] = [0, 0]
        try #require(pipe(&ends) == 0)
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, input, O_RDONLY, 0)
        posix_spawn_file_actions_adddup2(&actions, ends[1], 1)
        posix_spawn_file_actions_addclose(&actions, ends[0])
        var argv = arguments.map { strdup($0) } + [nil]
        var envp: [UnsafeMutablePointer<CChar>?] = [strdup("PATH=/usr/bin:/bin"), nil]
        defer { for text in argv + envp { free(text) } }
        var pid: pid_t = 0
        let error = posix_spawn(&pid, arguments[0], &actions, nil, &argv, &envp)
        close(ends[1])
        defer { close(ends[0]) }
        try #require(error == 0, "\(arguments)")
        var output: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 4096)
        while case let count = Glibc.read(ends[0], &chunk, chunk.count), count > 0 {
            output += chunk[..<count]
        }
        var status: Int32 = 0
        while waitpid(pid, &status, 0) < 0, errno == EINTR {}
        try #require(status == 0, "\(arguments)")
        return String(decoding: output, as: UTF8.self)
    }
}
