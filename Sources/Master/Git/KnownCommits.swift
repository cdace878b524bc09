internal import Glibc
internal import Synchronization

/// Commits that mirrors were found to have: they keep what they have once fetched, and asking `git`
/// again would start a program for each job.
final class KnownCommits: Sendable {
    private struct State {
        var commits: Set<String> = []
        /// In the order they came, from which the oldest go.
        var order: [String] = []
    }

    private static let most = 4096
    private let state = Mutex(State())

    /// Whether a mirror that is still there has a commit. It asks the file system for a name only.
    func has(_ commit: String, in mirror: String) -> Bool {
        state.withLock { $0.commits.contains(Self.name(commit, mirror)) }
            && access("\(mirror)/HEAD", F_OK) == 0
    }

    /// Remembers a commit of a mirror.
    func add(_ commit: String, in mirror: String) {
        state.withLock { state in
            let name = Self.name(commit, mirror)
            guard state.commits.insert(name).inserted else { return }
            state.order.append(name)
            guard state.order.count > Self.most else { return }
            for old in state.order.prefix(Self.most / 2) { state.commits.remove(old) }
            state.order.removeFirst(Self.most / 2)
        }
    }

    /// Forgets all of them, once something was removed from mirrors.
    func forget() { state.withLock { $0 = State() } }

    private static func name(_ commit: String, _ mirror: String) -> String {
        "\(mirror) \(commit)"
    }
}
