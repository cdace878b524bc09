import Glibc
import Testing

/// A temporary folder of one test, removed with all that is in it.
final class Scratch {
    let path: String

    init() throws {
        var template = Array("/tmp/danube-compiler-XXXXXX".utf8CString)
        try #require(mkdtemp(&template) != nil)
        path = String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
    }

    deinit { _ = try? Self.run(["/bin/rm", "-rf", path]) }

    /// Writes a file, making the folders above it.
    func write(_ name: String, _ text: String, mode: mode_t = 0o644) throws {
        try write(name, Array(text.utf8), mode: mode)
    }

    func write(_ name: String, _ bytes: [UInt8], mode: mode_t = 0o644) throws {
        folder(name.split(separator: "/").dropLast().joined(separator: "/"))
        let file = open("\(path)/\(name)", O_WRONLY | O_CREAT | O_TRUNC, mode)
        try #require(file >= 0)
        defer { close(file) }
        try #require(Glibc.write(file, bytes, bytes.count) == bytes.count)
        fchmod(file, mode)
    }

    func folder(_ name: String) {
        var place = path
        for part in name.split(separator: "/") {
            place += "/" + part
            mkdir(place, 0o755)
        }
    }

    func link(_ name: String, to target: String) throws {
        folder(name.split(separator: "/").dropLast().joined(separator: "/"))
        try #require(symlink(target, "\(path)/\(name)") == 0)
    }

    /// Runs git in the folder and gives what it prints, without its last newline.
    @discardableResult
    func git(_ arguments: String...) throws -> String {
        try Self.run(
            ["/usr/bin/git", "-C", path, "-c", "init.defaultBranch=main", "-c", "user.name=Test"]
                + ["-c", "user.email=test@example.org", "-c", "commit.gpgsign=false"] + arguments)
    }

    /// Makes a repository of what is in the folder, with one commit.
    func makeRepository() throws {
        try git("init", "-q")
        try commit("first")
    }

    func commit(_ message: String) throws {
        try git("add", "-A")
        try git("commit", "-q", "--allow-empty", "-m", message)
    }

    /// Runs a program with a fixed environment. Fails when it does.
    @discardableResult
    static func run(_ arguments: [String]) throws -> String {
        var ends: [Int32] = [0, 0]
        try #require(pipe(&ends) == 0)
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, ends[1], 1)
        posix_spawn_file_actions_addclose(&actions, ends[0])
        let environment = [
            "PATH=/usr/bin:/bin", "HOME=/nonexistent", "GIT_CONFIG_NOSYSTEM=1",
            "GIT_AUTHOR_DATE=1700000000 +0000", "GIT_COMMITTER_DATE=1700000000 +0000",
        ]
        var argv = arguments.map { strdup($0) } + [nil]
        var envp = environment.map { strdup($0) } + [nil]
        defer { for text in argv + envp { free(text) } }
        var pid: pid_t = 0
        let error = posix_spawn(&pid, arguments[0], &actions, nil, &argv, &envp)
        close(ends[1])
        defer { close(ends[0]) }
        try #require(error == 0)
        var output: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 4096)
        while case let count = read(ends[0], &chunk, chunk.count), count > 0 {
            output += chunk[..<count]
        }
        var status: Int32 = 0
        while waitpid(pid, &status, 0) < 0, errno == EINTR {}
        try #require(status == 0, "\(arguments)")
        let text = String(decoding: output, as: UTF8.self)
        return text.hasSuffix("\n") ? String(text.dropLast()) : text
    }
}
