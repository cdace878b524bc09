internal import Glibc

/// Why a step could not run in its container. The supervisor writes it, the engine reads it.
struct ContainerReport: Equatable {
    /// What failed. The words are in files of a running job only.
    enum Kind: String {
        /// An image is not here and cannot be fetched.
        case image
        /// The container could not be started.
        case start
        /// A service did not become ready.
        case service
    }

    var kind: Kind
    /// What happened, with the exact name.
    var text: String

    private static let mostBytes: Int64 = 1 << 16

    /// Writes it for `read`.
    func write(to path: String) throws(CacheError) {
        try AtomicFile.write(Array("\(kind.rawValue) \(text)".utf8), to: path)
    }

    /// Reads a report; `nil` when nothing went wrong.
    static func read(_ path: String) -> ContainerReport? {
        guard let bytes = AtomicFile.read(path, most: mostBytes) else { return nil }
        let words = String(decoding: bytes, as: UTF8.self).split(
            separator: " ", maxSplits: 1, omittingEmptySubsequences: false)
        guard words.count == 2, let kind = Kind(rawValue: String(words[0])) else { return nil }
        return ContainerReport(kind: kind, text: String(words[1]))
    }

    /// What the attempt comes to.
    var outcome: AttemptOutcome {
        switch kind {
        case .image: .imagePullFailed(text)
        case .start, .service: .couldNotStart(text)
        }
    }

    /// The next action.
    var hint: String {
        switch kind {
        case .image:
            "Check its name, or build it here (podman build, podman import). With --host its "
                + "steps run on this machine."
        case .start:
            "What podman says is in the step's log; \(Podman.flagsVariable) gives it the flags "
                + "that this machine needs."
        case .service: "What it printed is in the step's log. More time: Service(ready_timeout=…)."
        }
    }
}
