internal import CSandbox
internal import Glibc

/// Where a repository is fetched from: `https://host/path`, `ssh://[user@]host/path`,
/// `user@host:path`, or an absolute path of this machine.
struct RepositoryAddress: Sendable, Equatable {
    /// Why a text is no address that is fetched from.
    enum Problem: Error, Equatable, CustomStringConvertible {
        case malformed
        case protocolNotAllowed
        case hostNotAllowed(String)
        case pathNotAllowed(String)
        case notAllowed

        var description: String {
            switch self {
            case .malformed: "is no address of a repository"
            case .protocolNotAllowed: "has a protocol other than https and ssh"
            case .hostNotAllowed(let host): "names the host \(host), which is not fetched from"
            case .notAllowed: "begins with nothing that `repositories.allow` names"
            case .pathNotAllowed(let path): "is the path \(path), which may not be built from"
            }
        }
    }

    /// What git is given.
    let text: String
    /// The host; `nil` for a path.
    let host: String?

    /// The port of the host.
    var port: UInt16 {
        let isWeb = text.hasPrefix("https://")
        let usual: UInt16 = isWeb ? 443 : 22
        guard let rest = Self.after("https://", text) ?? Self.after("ssh://", text) else {
            return usual
        }
        let authority = rest.prefix { $0 != "/" }
        guard let colon = authority.lastIndex(of: ":") else { return usual }
        return UInt16(authority[authority.index(after: colon)...]) ?? usual
    }

    static let mostBytes = 2048

    /// Checks a text. `allowed` are the addresses and the folders beneath which repositories may
    /// be built; one that belongs to `owner` may be built from anywhere when it is given.
    init(_ text: String, allowed: [String], owner: uid_t? = nil) throws(Problem) {
        guard !text.isEmpty, text.utf8.count <= Self.mostBytes,
            text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f }),
            !text.hasPrefix("-"), !text.contains("\\"), !text.contains("#"), !text.contains("::")
        else { throw .malformed }
        self.text = text
        if text.hasPrefix("/") {
            host = nil
            try Self.checkPath(text, allowed, owner)
            return
        }
        if let rest = Self.after("https://", text) ?? Self.after("ssh://", text) {
            let isSSH = text.hasPrefix("ssh")
            host = try Self.host(of: rest, mayHaveUser: isSSH)
        } else if text.contains("://") {
            throw .protocolNotAllowed
        } else {
            host = try Self.hostOfShortForm(text)
        }
        guard allowed.contains(where: { Self.is(text, beneath: $0) }) else { throw .notAllowed }
    }

    private static func after(_ prefix: String, _ text: String) -> Substring? {
        text.hasPrefix(prefix) ? text.dropFirst(prefix.count) : nil
    }

    /// `host[:port]/path`, with a user before it where that may be. A name with a password, or an
    /// `@` in https, makes it hard to see which host is meant.
    private static func host(of rest: Substring, mayHaveUser: Bool) throws(Problem) -> String {
        guard let slash = rest.firstIndex(of: "/"), slash != rest.startIndex,
            rest.index(after: slash) != rest.endIndex
        else { throw .malformed }
        var authority = rest[..<slash]
        if let at = authority.lastIndex(of: "@") {
            let user = authority[..<at]
            guard mayHaveUser, isWord(user) else { throw .malformed }
            authority = authority[authority.index(after: at)...]
        }
        if let colon = authority.lastIndex(of: ":") {
            let port = authority[authority.index(after: colon)...]
            guard let number = UInt16(port), number > 0 else { throw .malformed }
            authority = authority[..<colon]
        }
        return try checkHost(authority)
    }

    /// `user@host:path`.
    private static func hostOfShortForm(_ text: String) throws(Problem) -> String {
        guard let at = text.firstIndex(of: "@"), isWord(text[..<at]) else { throw .malformed }
        let rest = text[text.index(after: at)...]
        guard let colon = rest.firstIndex(of: ":"), rest.index(after: colon) != rest.endIndex,
            !rest[rest.index(after: colon)...].hasPrefix("-")
        else { throw .malformed }
        return try checkHost(rest[..<colon])
    }

    private static func isWord(_ text: Substring) -> Bool {
        !text.isEmpty && !text.hasPrefix("-")
            && text.utf8.allSatisfy {
                isLetterOrDigit($0) || $0 == 0x2d || $0 == 0x5f || $0 == 0x2e
            }
    }

    private static func isLetterOrDigit(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || (0x41...0x5a).contains(byte) || (0x61...0x7a).contains(byte)
    }

    /// A name with a dot in it that is no number and none of this machine or a cluster.
    private static func checkHost(_ host: Substring) throws(Problem) -> String {
        let name = host.lowercased()
        let labels = name.split(separator: ".", omittingEmptySubsequences: false)
        guard labels.count > 1, name.utf8.count <= 253,
            labels.allSatisfy({ label in
                !label.isEmpty && !label.hasPrefix("-") && label.utf8.count <= 63
                    && label.utf8.allSatisfy { isLetterOrDigit($0) || $0 == 0x2d }
            }),
            let last = labels.last, last.utf8.contains(where: { !(0x30...0x39).contains($0) }),
            !last.hasPrefix("0x")
        else { throw .hostNotAllowed(name) }
        let local = ["localhost", "local", "internal", "svc", "localdomain"]
        guard !local.contains(String(last)) else { throw .hostNotAllowed(name) }
        return name
    }

    private static func checkPath(
        _ path: String, _ allowed: [String], _ owner: uid_t?
    ) throws(Problem) {
        guard let resolved = realpath(path, nil) else { throw .pathNotAllowed(path) }
        defer { free(resolved) }
        let real = String(cString: resolved)
        if allowed.contains(where: { Self.is(real, beneath: $0) }) { return }
        var found: uid_t = 0
        guard let owner, danube_path_owner(real, &found) == 0, found == owner, isRepository(real)
        else { throw .pathNotAllowed(path) }
    }

    /// Whether a place is another one or beneath it, by whole components.
    private static func `is`(_ text: String, beneath place: String) -> Bool {
        guard text.hasPrefix(place), !place.isEmpty else { return false }
        let rest = text.dropFirst(place.count)
        return rest.isEmpty || rest.hasPrefix("/") || place.hasSuffix("/") || place.hasSuffix(":")
    }

    private static func isRepository(_ path: String) -> Bool {
        access("\(path)/.git", F_OK) == 0
            || access("\(path)/HEAD", F_OK) == 0 && access("\(path)/objects", F_OK) == 0
    }
}
