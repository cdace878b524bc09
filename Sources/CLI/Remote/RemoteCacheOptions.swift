import ArgumentParser
import Executor

/// A cache elsewhere that a run uses beside its own.
struct RemoteCacheOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "A cache to share results with (default: DANUBE_REMOTE_CACHE). A master's address, or "
                + "any server of Bazel's HTTP scheme; DANUBE_REMOTE_CACHE_TOKEN lets in.",
            valueName: "url"))
    var remoteCache: String?

    @Flag(help: "Send no results to the cache elsewhere (or DANUBE_REMOTE_CACHE_UPLOAD=no).")
    var noUpload = false

    private static let address = "DANUBE_REMOTE_CACHE"
    private static let token = "DANUBE_REMOTE_CACHE_TOKEN"
    private static let upload = "DANUBE_REMOTE_CACHE_UPLOAD"

    /// The words that ask for the same.
    var words: [String] {
        (remoteCache.map { ["--remote-cache", $0] } ?? []) + (noUpload ? ["--no-upload"] : [])
    }

    /// The cache; `nil` when none is named.
    func use() throws(Failure) -> RemoteCacheUse? {
        guard let text = remoteCache ?? Terminal.environment(Self.address) else { return nil }
        let place = try MasterAddress(text, of: "a cache", token: Self.token)
        let isUploadWanted = try isUploadWanted()
        return RemoteCacheUse(
            RemoteCacheClient(place, authorization: try authorization(place)),
            isFilled: isUploadWanted && !noUpload)
    }

    /// What is sent to be let in: a token, or a name and a password; else the token for the master
    /// that `danube login` was at, if it is this one.
    private func authorization(_ place: MasterAddress) throws(Failure) -> String? {
        let stored = try Terminal.environment(Self.token) == nil ? Login.stored() : nil
        let isStored = stored?.address == place
        return try Self.authorization(
            Terminal.environment(Self.token) ?? (isStored ? stored?.token : nil), at: place,
            isAgreed: isStored && stored?.isInsecure == true)
    }

    /// What is sent with a token. Throws when it would go over a network as it is, and nobody
    /// agreed to that.
    static func authorization(
        _ token: String?, at place: MasterAddress, isAgreed: Bool = false
    ) throws(Failure) -> String? {
        guard let token else { return nil }
        guard Login.isToken(token) else {
            throw .mistake("the token for \(place.text) has characters that no token has")
        }
        guard place.isEncrypted || place.isLoopback || isAgreed else {
            throw .mistake(
                "\(place.text) would receive the token without encryption",
                hint: "Use https://, or `danube login --insecure-http` where the network is yours.")
        }
        if token.contains(":") { return "Basic \(Base64.encoded(Array(token.utf8)[...]))" }
        return "Bearer \(token)"
    }

    private func isUploadWanted() throws(Failure) -> Bool {
        switch Terminal.environment(Self.upload)?.lowercased() {
        case nil, "yes", "true", "on", "1": return true
        case "no", "false", "off", "0": return false
        case let other?:
            throw .mistake("\(Self.upload)=\(other.prefix(80)) is neither yes nor no")
        }
    }
}
