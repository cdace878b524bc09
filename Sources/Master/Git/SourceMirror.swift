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
        case host(PinnedHost.Problem)
        case system(String, errno: Int32)
        /// Nobody wants it any more.
        case stopped

        var description: String {
            switch self {
            case .git(let command, let reason): "git \(command) failed: \(reason)"
            case .noRef(let ref): "the repository has no branch or tag \(ref)"
            case .noCommit(let id): "the repository has no commit \(id)"
            case .tooLong(let seconds): "git did not end within \(seconds) s"
            case .host(let problem): "\(problem)"
            case .system(let what, let code): "cannot \(what): \(String(cString: strerror(code)))"
            case .stopped: "it was stopped"
            }
        }
    }

    let address: RepositoryAddress
    let folder: String
    private let allowsPrivate: Bool
    private let stop: StopSignal
    /// Held while anything is done with the mirror, and handed to each git as its input, so that
    /// one that outlives its master still holds it.
    private let lock: MirrorLock
    private static let fetchSeconds = 600
    private static let usual = ["+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*"]

    /// Takes the mirror of a repository in a folder of mirrors. It waits for a git of a master
    /// before this one.
    init(
        _ address: RepositoryAddress, in folder: String, allowsPrivate: Bool, until stop: StopSignal
    ) throws(Problem) {
        self.address = address
        self.folder = Self.folder(of: address, in: folder)
        self.allowsPrivate = allowsPrivate
        self.stop = stop
        lock = try MirrorLock(self.folder + ".lock", seconds: Self.fetchSeconds, until: stop)
    }

    /// Where the mirror of a repository is.
    static func folder(of address: RepositoryAddress, in folder: String) -> String {
        "\(folder)/\(name(of: address.text))"
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
        let answer = try git("ls-remote", ["--symref", "--", address.text, "HEAD"], pin: try pin())
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
        let pin = try pin()
        if access("\(folder)/HEAD", F_OK) != 0 {
            try mended { () throws(Problem) in
                try git("init", ["--quiet", "--bare", "--", folder], inFolder: false)
            }
        }
        try mended { () throws(Problem) in
            try git(
                "fetch",
                [
                    "--quiet", "--force", "--prune", "--no-tags", "--no-recurse-submodules",
                    "--no-auto-maintenance", "--no-write-fetch-head", "--", address.text,
                ] + (other.map { ["+\($0):\($0)"] } ?? Self.usual), pin: pin)
        }
    }

    /// Does something, and again without the locks that a git left which was killed. Whoever has
    /// the mirror is alone with it, so no lock there is anybody's.
    private func mended(_ work: () throws(Problem) -> String) throws(Problem) {
        do {
            _ = try work()
        } catch {
            guard case .git(_, let reason) = error, reason.contains(".lock") else { throw error }
            StaleLocks.remove(in: folder)
            _ = try work()
        }
    }

    /// The host as it is now, checked.
    private func pin() throws(Problem) -> PinnedHost? {
        guard let host = address.host else { return nil }
        do {
            return try PinnedHost(
                host, port: address.port, addresses: HostAddress.all(of: host),
                allowsPrivate: allowsPrivate)
        } catch {
            throw .host(error)
        }
    }

    @discardableResult
    private func git(
        _ command: String, _ arguments: [String], inFolder: Bool = true, pin: PinnedHost? = nil
    ) throws(Problem) -> String {
        var words = ["git"]
        for setting in Self.settings + (pin?.settings ?? []) { words += ["-c", setting] }
        if inFolder { words += ["--git-dir", folder] }
        let ssh = "ssh -oBatchMode=yes -oStrictHostKeyChecking=yes"
        var run = ChildProgram(
            arguments: words + [command] + arguments,
            environment: [
                "PATH=/usr/local/bin:/usr/bin:/bin", "LC_ALL=C", "HOME=/nonexistent",
                "GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL=/dev/null", "GIT_TERMINAL_PROMPT=0",
                "GIT_ALLOW_PROTOCOL=\(address.host == nil ? "file" : "https:ssh")",
                "GIT_SSH_COMMAND=\(pin.map { "\(ssh) \($0.sshOptions)" } ?? ssh)",
            ])
        run.input = lock.descriptor
        switch run.run(seconds: Self.fetchSeconds, until: stop) {
        case .ended(0, let output, _):
            return output.split(separator: "\n").first.map(String.init) ?? ""
        case .ended(_, _, let error):
            throw .git(command: command, reason: Self.reason(error))
        case .notStarted(let code):
            throw .git(command: command, reason: String(cString: strerror(code)))
        case .tooLong: throw .tooLong(seconds: Self.fetchSeconds)
        case .stopped: throw .stopped
        }
    }

    /// The line that says why: the first that names an error, which the advice after it does not.
    private static func reason(_ error: String) -> String {
        let lines = error.split(separator: "\n")
        let line =
            lines.first { $0.hasPrefix("fatal: ") || $0.hasPrefix("error: ") } ?? lines.last
        return line.map(String.init) ?? "no reason given"
    }

    private static let settings = [
        "protocol.ext.allow=never", "http.followRedirects=false", "core.hooksPath=/dev/null",
        "core.fsmonitor=false", "core.attributesFile=/dev/null", "credential.helper=",
        "fetch.fsckObjects=true", "transfer.credentialsInUrl=die", "safe.directory=*",
        "gc.auto=0",
    ]
}
