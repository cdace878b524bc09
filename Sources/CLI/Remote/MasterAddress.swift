/// Where a master is: `https://ci.example.com`, `http://127.0.0.1:8420`.
struct MasterAddress: Equatable {
    let isEncrypted: Bool
    /// In small letters; an IPv6 address in brackets.
    let host: String
    let port: Int?
    /// Empty, or begins with `/` and does not end with one.
    let path: String

    private static let mostBytes = 1024

    /// Reads an address that a person or a variable gave. `what` is there, and `token` is the
    /// variable that lets in.
    init(
        _ text: String, of what: String = "a master", token: String = "DANUBE_TOKEN"
    ) throws(Failure) {
        let shown = String(text.prefix(200))
        func wrong(_ why: String) -> Failure {
            .mistake(
                "\(shown) is not the address of \(what): \(why)",
                hint: "Write it as https://ci.example.com or http://127.0.0.1:8420.")
        }
        guard text.utf8.count <= Self.mostBytes,
            text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f })
        else { throw wrong("it has characters that none has, or too many") }
        let rest: Substring
        if text.lowercased().hasPrefix("https://") {
            isEncrypted = true
            rest = text.dropFirst(8)
        } else if text.lowercased().hasPrefix("http://") {
            isEncrypted = false
            rest = text.dropFirst(7)
        } else {
            throw wrong("it begins with neither https:// nor http://")
        }
        guard !rest.contains("?"), !rest.contains("#") else { throw wrong("it has ? or # in it") }
        // A name and a password would be seen in lists of processes, and are not used.
        guard !rest.contains("@") else {
            throw .mistake(
                "the address of \(what) has no user in it",
                hint: "Give the token to `danube login`, or in \(token).")
        }
        let authority = rest.prefix { $0 != "/" }
        guard let parts = Self.split(authority) else { throw wrong("the host or port is none") }
        host = parts.host
        port = parts.port
        var path = String(rest.dropFirst(authority.count))
        while path.hasSuffix("/") { path.removeLast() }
        let segments = path.split(separator: "/", omittingEmptySubsequences: false).dropFirst()
        guard segments.allSatisfy({ !$0.isEmpty && $0 != "." && $0 != ".." }) else {
            throw wrong("its path has empty parts, `.` or `..`")
        }
        self.path = path
    }

    /// The address as it is stored and compared.
    var text: String {
        "\(isEncrypted ? "https" : "http")://\(host)\(port.map { ":\($0)" } ?? "")\(path)"
    }

    /// Whether what is sent does not leave this machine.
    var isLoopback: Bool {
        if host == "localhost" || host == "[::1]" { return true }
        let parts = host.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count == 4 && parts[0] == "127" && parts.allSatisfy { UInt8($0) != nil }
    }

    /// The address of something below `/api/v1`; what it is called may hold any character.
    func url(_ segments: [String], _ query: [(String, String)] = []) -> String {
        var url = text + "/api/v1"
        for segment in segments { url += "/" + Self.encoded(segment) }
        for (place, part) in query.enumerated() {
            url += (place == 0 ? "?" : "&") + Self.encoded(part.0) + "=" + Self.encoded(part.1)
        }
        return url
    }

    /// Percent-encodes all but the unreserved characters of RFC 3986.
    static func encoded(_ text: String) -> String {
        var bytes: [UInt8] = []
        for byte in text.utf8 {
            switch byte {
            case 0x30...0x39, 0x41...0x5a, 0x61...0x7a, 0x2d, 0x2e, 0x5f, 0x7e: bytes.append(byte)
            default:
                bytes.append(0x25)
                for digit in [byte >> 4, byte & 15] {
                    bytes.append(digit + UInt8(ascii: digit < 10 ? "0" : "7"))
                }
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    private static func split(_ authority: Substring) -> (host: String, port: Int?)? {
        let host: Substring
        if authority.hasPrefix("[") {
            guard let end = authority.firstIndex(of: "]") else { return nil }
            host = authority[...end]
            let inside = host.dropFirst().dropLast()
            guard !inside.isEmpty,
                inside.allSatisfy({ $0.isHexDigit || $0 == ":" || $0 == "." })
            else { return nil }
        } else {
            host = authority.prefix { $0 != ":" }
            guard !host.isEmpty,
                host.allSatisfy({
                    $0.isLetter || $0.isNumber || $0 == "-" || $0 == "." || $0 == "_"
                })
            else { return nil }
        }
        let rest = authority.dropFirst(host.count)
        if rest.isEmpty { return (host.lowercased(), nil) }
        guard rest.hasPrefix(":"), let port = UInt16(rest.dropFirst()), port > 0 else { return nil }
        return (host.lowercased(), Int(port))
    }
}
