internal import Glibc

/// The packs of a mirror, one for each fetch that brought something. It waits for `git`.
struct MirrorPacks {
    /// The mirror.
    let folder: String

    private static let seconds = 3600

    /// Makes one of all, and one of what no branch or tag has any more: jobs name commits that were
    /// replaced since, so it stays for a time.
    func join(keepsSeconds: Int64) throws(SourceMirror.Problem) {
        let run = ChildProgram(
            arguments: [
                "git", "-c", "core.hooksPath=/dev/null", "-c", "safe.directory=*",
                "-c", "pack.threads=1", "--git-dir", folder, "repack", "-d", "-q", "--cruft",
                "--cruft-expiration=\(max(0, keepsSeconds)).seconds.ago",
            ],
            environment: [
                "PATH=/usr/local/bin:/usr/bin:/bin", "LC_ALL=C", "HOME=/nonexistent",
                "GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL=/dev/null",
            ])
        switch run.run(seconds: Self.seconds) {
        case .ended(0, _, _): return
        case .ended(_, _, let error):
            let reason = error.split(separator: "\n").last.map(String.init) ?? "no reason given"
            throw .git(command: "repack", reason: reason)
        case .notStarted(let code):
            throw .git(command: "repack", reason: String(cString: strerror(code)))
        case .stopped: throw .stopped
        case .tooLong: throw .tooLong(seconds: Self.seconds)
        }
    }
}
