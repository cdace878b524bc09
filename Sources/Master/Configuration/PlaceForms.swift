// Forms of values that name places: paths, repositories, urls.

extension ValueForm where Value == String {
    /// A path; a relative one begins at the folder of the file that has it.
    static let path = ValueForm(
        name: "path",
        read: { given, surroundings throws(ValueMistake) in
            switch given {
            case .text(let text), .words(let text):
                guard let path = surroundings.absolute(text) else {
                    throw mistake(given, "a path", hint: "Write an absolute path.")
                }
                return path
            default: throw mistake(given, "a path", hint: "Write it in quotes.")
            }
        },
        write: { quotedTOML($0) })
}

extension ValueForm where Value == String? {
    /// An `http` or `https` url, or `off`.
    static let endpoint = ValueForm(
        name: "url or `off`",
        read: { given, _ throws(ValueMistake) in
            switch given {
            case .text("off"), .words("off"): return nil
            case .text(let text), .words(let text):
                if Addresses.isURL(text, schemes: ["http", "https"]) { return text }
                if SecretLook.hasPassword(text) {
                    throw ValueMistake(
                        message: "has a user before its host",
                        hint: "A url of the configuration holds no password.")
                }
                fallthrough
            default: throw mistake(given, "an http or https url, or `off`")
            }
        },
        write: { quotedTOML($0 ?? "off") })
}

extension ValueForm where Value == String? {
    /// A path as `path`, or `off`.
    static let optionalPath = ValueForm(
        name: "path or `off`",
        read: { given, surroundings throws(ValueMistake) in
            switch given {
            case .text("off"), .words("off"): nil
            default: try ValueForm<String>.path.read(given, surroundings)
            }
        },
        write: { quotedTOML($0 ?? "off") })
}

extension ValueForm where Value == [String] {
    /// How many texts a list has at most.
    private static let mostTexts = 1000

    /// Absolute paths and urls, each the beginning of what it allows.
    static let repositories = ValueForm(
        name: "list of absolute paths and urls",
        read: { given, surroundings throws(ValueMistake) in
            let texts: [String]
            switch given {
            case .list(let list): texts = list
            // A variable's list has commas; an empty variable is an empty list.
            case .words(let text): texts = text.split(separator: ",").map(String.init)
            default:
                throw mistake(given, "an array of texts", hint: "Write [\"…\", \"…\"].")
            }
            guard texts.count <= mostTexts else {
                throw ValueMistake(message: "has more than \(mostTexts) texts")
            }
            var places: [String] = []
            for text in texts { places.append(try place(text, surroundings)) }
            return places
        },
        write: { "[" + $0.map { quotedTOML($0) }.joined(separator: ", ") + "]" })

    private static func place(
        _ text: String, _ surroundings: Surroundings
    ) throws(ValueMistake) -> String {
        if SecretLook.hasPassword(text) {
            throw ValueMistake(
                message: "has a url with a user before its host",
                hint: "Leave out user and password: access is configured with secrets.")
        }
        // A pattern would allow more than whoever wrote it saw.
        if text.contains("*") {
            throw ValueMistake(
                message: "has \(ShownText.value(text)) with a `*`",
                hint: "Each text allows all that is beneath it; write no pattern.")
        }
        if text.contains("://") {
            if Addresses.isURL(text, schemes: ["https", "http", "ssh", "git"]) { return text }
        } else if text.hasPrefix("/") || text.hasPrefix("~/"),
            let path = surroundings.absolute(text)
        {
            return path
        }
        throw ValueMistake(
            message: "has \(ShownText.value(text)), which is no absolute path and no url",
            hint: "Write a path that begins with /, or a url with https, http, ssh or git.")
    }
}

extension Surroundings {
    /// The absolute path of what a text names, without `.`, `..` and doubled slashes; `nil` when
    /// it is empty, too long or holds control characters.
    func absolute(_ text: String) -> String? {
        guard !text.isEmpty, text.utf8.count < 4096,
            !text.utf8.contains(where: { $0 < 0x20 || $0 == 0x7F })
        else { return nil }
        var whole = text
        if text.hasPrefix("~/") {
            guard let home else { return nil }
            whole = home + text.dropFirst()
        } else if !text.hasPrefix("/") {
            whole = folder + "/" + text
        }
        var components: [Substring] = []
        for component in whole.split(separator: "/") where component != "." {
            // What `..` leads to where a link stands is not what it looks like.
            if component == ".." { return nil }
            components.append(component)
        }
        return "/" + components.joined(separator: "/")
    }
}

/// Urls of a configuration.
enum Addresses {
    /// Whether a text is an absolute url with one of the schemes and a host, without a user, blanks
    /// and control characters (RFC 3986, of which it takes less).
    static func isURL(_ text: String, schemes: [String]) -> Bool {
        guard text.utf8.count <= 2048, text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }),
            let scheme = schemes.first(where: { text.hasPrefix($0 + "://") })
        else { return false }
        let rest = text.utf8.dropFirst(scheme.utf8.count + 3)
        let authority = String(
            Substring(
                rest.prefix {
                    $0 != UInt8(ascii: "/") && $0 != UInt8(ascii: "?") && $0 != UInt8(ascii: "#")
                }))
        return ListenAddress(authority) != nil || ListenAddress(authority + ":0") != nil
    }
}
