internal import Glibc
internal import PipelineIR

/// Keeps a bare copy of each repository, from which jobs take their commits.
///
/// The `git` program fetches, with no configuration but what stands here: no protocol but https and
/// ssh (and files where the repository is one of this machine), no redirect to another host, no
/// submodules, filters or hooks. `SourceMirrors` sees to it that one `git` at a time does so.
struct SourceMirror: Sendable {
    /// Why there is no such commit.
    enum Problem: Error, Equatable, CustomStringConvertible {
        case git(command: String, reason: String)
        case noRef(String)
        case noCommit(String)
        case tooLong(seconds: Int)

        var description: String {
            switch self {
            case .git(let command, let reason): "git \(command) failed: \(reason)"
            case .noRef(let ref): "the repository has no branch or tag \(ref)"
            case .noCommit(let id): "the repository has no commit \(id)"
            case .tooLong(let seconds): "git did not end within \(seconds) s"
            }
        }
    }

    let address: RepositoryAddress
    let folder: String
    private static let fetchSeconds = 600
    private static let usual = ["+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*"]

    /// The mirror of a repository in a folder of mirrors.
    init(_ address: RepositoryAddress, in folder: String) {
        self.address = address
        self.folder = "\(folder)/\(Self.name(of: address.text))"
    }

    /// The name of the mirror of an address.
    static func name(of address: String) -> String {
        "\(Digest(ofUTF8: address).hex.prefix(32)).git"
    }

    /// The commit that a ref names now, which the mirror then has. It waits for the network.
    func commit(of ref: GitRef?) throws(Problem) -> String {
        switch ref {
        case .commit(let id):
            if has(id) { return id }
            try fetch()
            guard has(id) else { throw .noCommit(id) }
            return id
        case .name(let name):
            try fetch(Self.isUsual(name) ? nil : name)
            guard let id = resolve(name) else { throw .noRef(name) }
            return id
        case nil:
            try fetch()
            guard let id = resolve(try head()) else { throw .noRef("HEAD") }
            return id
        }
    }

    /// Whether a commit is one of a branch. It waits for the network where the mirror says no: the
    /// branch may have come to hold it since.
    func isCommit(_ id: String, on branch: String) throws(Problem) -> Bool {
        if isReachable(id, from: branch) { return true }
        try fetch()
        return isReachable(id, from: branch)
    }

    private func isReachable(_ id: String, from branch: String) -> Bool {
        (try? git("merge-base", ["--is-ancestor", id, "refs/heads/\(branch)"])) != nil
    }

    private func has(_ id: String) -> Bool {
        access(folder, F_OK) == 0
            && (try? git("cat-file", ["-e", "\(id)^{commit}"])) != nil
    }

    private func resolve(_ name: String) -> String? {
        let places =
            name.hasPrefix("refs/") ? [name] : ["refs/heads/\(name)", "refs/tags/\(name)"]
        for place in places {
            if let id = try? git("rev-parse", ["--verify", "--quiet", "\(place)^{commit}"]) {
                return id
            }
        }
        return nil
    }

    /// The branch that the repository says is its main one.
    private func head() throws(Problem) -> String {
        let answer = try git("ls-remote", ["--symref", "--", address.text, "HEAD"])
        for line in answer.split(separator: "\n") where line.hasPrefix("ref: ") {
            if let name = line.dropFirst(5).split(separator: "\t").first { return String(name) }
        }
        throw .noRef("HEAD")
    }

    /// Whether a name is one of those that every fetch brings: a branch or a tag.
    private static func isUsual(_ name: String) -> Bool {
        !name.hasPrefix("refs/") || name.hasPrefix("refs/heads/") || name.hasPrefix("refs/tags/")
    }

    /// Brings branches and tags as they are now; or another ref alone, such as `refs/pull/1/merge`.
    private func fetch(_ other: String? = nil) throws(Problem) {
        if access("\(folder)/HEAD", F_OK) != 0 {
            try git("init", ["--quiet", "--bare", "--", folder], inFolder: false)
        }
        try git(
            "fetch",
            [
                "--quiet", "--force", "--prune", "--no-tags", "--no-recurse-submodules",
                "--no-auto-maintenance", "--no-write-fetch-head", "--", address.text,
            ] + (other.map { ["+\($0):\($0)"] } ?? Self.usual))
    }

    @discardableResult
    private func git(
        _ command: String, _ arguments: [String], inFolder: Bool = true
    ) throws(Problem) -> String {
        var words = ["git"]
        for setting in Self.settings { words += ["-c", setting] }
        if inFolder { words += ["--git-dir", folder] }
        let run = ChildProgram(
            arguments: words + [command] + arguments,
            environment: [
                "PATH=/usr/local/bin:/usr/bin:/bin", "LC_ALL=C", "HOME=/nonexistent",
                "GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL=/dev/null", "GIT_TERMINAL_PROMPT=0",
                "GIT_ALLOW_PROTOCOL=\(address.host == nil ? "file" : "https:ssh")",
                "GIT_SSH_COMMAND=ssh -oBatchMode=yes -oStrictHostKeyChecking=yes",
            ])
        switch run.run(seconds: Self.fetchSeconds) {
        case .ended(0, let output, _):
            return output.split(separator: "\n").first.map(String.init) ?? ""
        case .ended(_, _, let error):
            let reason = error.split(separator: "\n").last.map(String.init) ?? "no reason given"
            throw .git(command: command, reason: reason)
        case .notStarted(let code):
            throw .git(command: command, reason: String(cString: strerror(code)))
        case .tooLong: throw .tooLong(seconds: Self.fetchSeconds)
        }
    }

    private static let settings = [
        "protocol.ext.allow=never", "http.followRedirects=false", "core.hooksPath=/dev/null",
        "core.fsmonitor=false", "core.attributesFile=/dev/null", "credential.helper=",
        "fetch.fsckObjects=true", "transfer.credentialsInUrl=die", "safe.directory=*",
        "gc.auto=0",
    ]
}
