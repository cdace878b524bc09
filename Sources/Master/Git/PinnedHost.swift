/// Where a repository's host is: resolved once, checked, and told to git, so that what is connected
/// to is what was checked, whatever the name says a moment later.
struct PinnedHost: Sendable, Equatable {
    /// Why nothing is fetched from a host.
    enum Problem: Error, Equatable, CustomStringConvertible {
        case unknown(String)
        case notPublic(String, address: String)

        var description: String {
            switch self {
            case .unknown(let host): "the host \(host) has no address"
            case .notPublic(let host, let address):
                "the host \(host) is \(address), an address of a private network or this machine; "
                    + "`repositories.private` allows it"
            }
        }
    }

    private let host: String
    private let port: UInt16
    private let addresses: [HostAddress]
    private static let most = 8

    /// Takes the addresses of a host, of which all must be public unless others are allowed.
    init(
        _ host: String, port: UInt16, addresses: [HostAddress], allowsPrivate: Bool
    ) throws(Problem) {
        guard !addresses.isEmpty else { throw .unknown(host) }
        if !allowsPrivate, let other = addresses.first(where: { !$0.isPublic }) {
            throw .notPublic(host, address: other.text)
        }
        self.host = host
        self.port = port
        self.addresses = Array(addresses.prefix(Self.most))
    }

    /// Settings of git (`http.curloptResolve`, CURLOPT_RESOLVE) that let https connect nowhere
    /// else.
    var settings: [String] {
        let list = addresses.map { $0.bytes.count == 4 ? $0.text : "[\($0.text)]" }
        return ["http.curloptResolve=\(host):\(port):\(list.joined(separator: ","))"]
    }

    /// Options of ssh that let it connect nowhere else, while keys are those of the name.
    var sshOptions: String {
        "-oHostName=\(addresses[0].text) -oHostKeyAlias=\(host) -oCanonicalizeHostname=no"
    }
}
