/// Guesses whether a text is a secret, so that no message repeats it. It errs to the safe side; it
/// is for texts which should not be secrets at all.
enum SecretLook {
    /// Beginnings of tokens of well-known issuers, and of keys in PEM.
    private static let beginnings = [
        "ghp_", "gho_", "ghs_", "ghu_", "github_pat_", "glpat-", "xox", "AKIA", "ASIA", "sk-",
        "eyJ", "npm_", "pypi-", "dnb_", "-----BEGIN",
    ]
    /// Parts of names of things that are secret.
    private static let words = ["secret", "token", "passw", "credential", "apikey", "api_key"]
    /// A run of letters and digits mixed that is so long is hardly a word.
    private static let longRun = 20

    /// Whether a value, or a part of it, looks like a secret.
    static func isSecret(_ value: some StringProtocol) -> Bool {
        if hasBeginning(value) { return true }
        if hasPassword(value) { return true }
        var run = 0
        var letters = 0
        var digits = 0
        for byte in value.utf8 {
            guard byte.isWord || byte == UInt8(ascii: "+") || byte == UInt8(ascii: "=") else {
                (run, letters, digits) = (0, 0, 0)
                continue
            }
            run += 1
            letters += byte.isLetter ? 1 : 0
            digits += byte.isDigit ? 1 : 0
            // Such a run of digits alone is a number that is too large, which a person must see.
            if run >= longRun, letters > 0, digits > 0 { return true }
        }
        return false
    }

    private static func hasBeginning(_ value: some StringProtocol) -> Bool {
        let bytes = Array(value.utf8)
        return bytes.indices.contains { index in
            if index > 0, bytes[index - 1].isWord { return false }
            return beginnings.contains { bytes[index...].starts(with: $0.utf8) }
        }
    }

    /// Whether a name is that of a secret.
    static func isSecretName(_ name: some StringProtocol) -> Bool {
        let name = name.lowercased()
        return words.contains { name.contains($0) }
    }

    /// Whether a url has a user and perhaps a password before its host.
    static func hasPassword(_ value: some StringProtocol) -> Bool {
        let parts = String(value).split(separator: "://", omittingEmptySubsequences: false)
        return parts.dropFirst().contains { part in
            part.prefix { $0 != "/" && $0 != "?" && $0 != "#" }.contains("@")
        }
    }
}
