/// What a text may be that comes from outside and goes into a column.
struct FieldLimit {
    /// What people know it by.
    let name: String
    /// The most bytes that it may have.
    let mostBytes: Int

    static let pipeline = FieldLimit(name: "pipeline", mostBytes: 256)
    static let team = FieldLimit(name: "team", mostBytes: 256)
    static let repository = FieldLimit(name: "repository", mostBytes: 4096)
    static let ref = FieldLimit(name: "ref", mostBytes: 1024)
    static let revision = FieldLimit(name: "commit", mostBytes: 64)
    static let file = FieldLimit(name: "file", mostBytes: 4096)
    static let parameters = FieldLimit(name: "parameters", mostBytes: 256 << 10)
    static let trigger = FieldLimit(name: "trigger", mostBytes: 64)
    static let group = FieldLimit(name: "concurrency group", mostBytes: 256)
    static let idempotencyKey = FieldLimit(name: "idempotency key", mostBytes: 256)
    static let actor = FieldLimit(name: "actor", mostBytes: 256)
    static let reason = FieldLimit(name: "reason", mostBytes: 4096)
    static let stepName = FieldLimit(name: "name of a step", mostBytes: 4096)
    static let artifactName = FieldLimit(name: "name of an artifact", mostBytes: 255)
    static let tokenName = FieldLimit(name: "name of a token", mostBytes: 256)
    static let secretName = FieldLimit(name: "name of a secret", mostBytes: 256)
    static let secretScope = FieldLimit(name: "scope of a secret", mostBytes: 512)
    static let restrictions = FieldLimit(name: "restrictions of a secret", mostBytes: 64 << 10)
    static let action = FieldLimit(name: "action", mostBytes: 128)
    static let subject = FieldLimit(name: "subject", mostBytes: 1024)
    static let detail = FieldLimit(name: "detail", mostBytes: 64 << 10)

    /// The text, when it fits. A NUL would end it for SQLite, so that two texts become one.
    func check(_ text: String) throws(MasterDatabaseError) -> String {
        guard text.utf8.count <= mostBytes else {
            throw .invalid(field: name, reason: "has more than \(mostBytes) bytes")
        }
        guard !text.utf8.contains(0) else {
            throw .invalid(field: name, reason: "contains a NUL character")
        }
        return text
    }

    /// The text, when there is one and it fits.
    func check(_ text: String?) throws(MasterDatabaseError) -> String? {
        guard let text else { return nil }
        return try check(text) as String
    }

    /// The text, when it fits and is not empty.
    func checkFilled(_ text: String) throws(MasterDatabaseError) -> String {
        guard !text.isEmpty else { throw .invalid(field: name, reason: "is empty") }
        return try check(text) as String
    }

    /// As much of the text as fits, for what is said by programs and is not worth refusing.
    func cut(_ text: String?) -> String? {
        guard let text else { return nil }
        let clean = text.utf8.contains(0) ? text.replacing("\0", with: "\u{FFFD}") : text
        guard clean.utf8.count > mostBytes else { return clean }
        var end = clean.utf8.index(clean.startIndex, offsetBy: mostBytes)
        while end.samePosition(in: clean.unicodeScalars) == nil {
            end = clean.utf8.index(before: end)
        }
        return String(clean[..<end])
    }
}
