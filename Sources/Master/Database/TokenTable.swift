internal import GRDB
internal import PipelineIR

internal import struct Executor.Timestamp

/// Tokens of the API.
enum TokenTable {
    /// How old the time of last use may be before it is written again.
    static let useMilliseconds: Int64 = 60_000

    private static let columns = "id, name, scope, user, created, expires, used, revoked, digest"

    /// The token that a text proves, if it does so at a time. Candidates are found by a part of the
    /// digest and compared in constant time, so that the time taken says nothing of the rest.
    static func token(
        _ text: TokenText, at time: Timestamp, in connection: Database
    ) throws -> APIToken? {
        let digest = text.digest.bytes
        // The bytes of a digest sort by their first ones, so a range of the index is a prefix.
        let low = digest.prefix(4) + [UInt8](repeating: 0x00, count: 28)
        let high = digest.prefix(4) + [UInt8](repeating: 0xff, count: 28)
        guard let lowest = Digest(bytes: low), let highest = Digest(bytes: high) else { return nil }
        let rows = try Row.fetchCursor(
            connection.cachedStatement(
                sql: "SELECT \(columns) FROM api_tokens WHERE digest BETWEEN ? AND ?"),
            arguments: [lowest.blob, highest.blob])
        var found: APIToken?
        while let row = try rows.next() {
            let (token, known) = try read(row)
            if areEqual(known, digest) { found = token }
        }
        return found.flatMap { $0.isValid(at: time) ? $0 : nil }
    }

    /// All tokens, also those of no use any more, oldest first.
    static func tokens(in connection: Database) throws -> [APIToken] {
        let rows = try Row.fetchCursor(
            connection, sql: "SELECT \(columns) FROM api_tokens ORDER BY id")
        var tokens: [APIToken] = []
        while let row = try rows.next() { tokens.append(try read(row).token) }
        return tokens
    }

    /// Compares without an exit that depends on the bytes.
    static func areEqual(_ a: [UInt8], _ b: [UInt8]) -> Bool {
        guard a.count == b.count else { return false }
        var difference: UInt8 = 0
        for (x, y) in zip(a, b) { difference |= x ^ y }
        return difference == 0
    }

    private static func read(_ row: Row) throws -> (token: APIToken, digest: [UInt8]) {
        var fields = Fields(row, of: "api_tokens")
        let token = APIToken(
            id: try fields.integer(), name: try fields.text(), scope: try fields.word(),
            user: try fields.optionalInteger(), created: try fields.time(),
            expires: try fields.optionalTime(), used: try fields.optionalTime(),
            revoked: try fields.optionalTime())
        return (token, try fields.bytes())
    }
}

extension WriteTransaction {
    /// Keeps a new token, of which the text is known to the caller alone.
    func add(
        _ text: TokenText, name: String, scope: TokenScope, user: Int64?, expires: Timestamp?,
        at time: Timestamp
    ) throws -> APIToken {
        try run(
            """
            INSERT INTO api_tokens (name, digest, scope, user, created, expires)
            VALUES (?, ?, ?, ?, ?, ?)
            """,
            [
                try FieldLimit.tokenName.checkFilled(name), text.digest.blob, scope.rawValue, user,
                time.sinceEpoch, expires?.sinceEpoch,
            ])
        return APIToken(
            id: connection.lastInsertedRowID, name: name, scope: scope, user: user,
            created: Timestamp(sinceEpoch: time.sinceEpoch),
            expires: expires.map { Timestamp(sinceEpoch: $0.sinceEpoch) })
    }

    /// Records that a token was used.
    func noteUse(of token: Int64, at time: Timestamp) throws {
        try run(
            "UPDATE api_tokens SET used = ?1 WHERE id = ?2 AND (used IS NULL OR used < ?1)",
            [time.sinceEpoch, token])
    }
}

extension MasterDatabase {
    /// Makes a token. Its text is given back once and kept nowhere.
    func createToken(
        name: String, scope: TokenScope, user: Int64? = nil, expires: Timestamp? = nil,
        at time: Timestamp = .now()
    ) async throws(MasterDatabaseError) -> (token: APIToken, text: TokenText) {
        let text = TokenText()
        let token = try await write {
            try $0.add(text, name: name, scope: scope, user: user, expires: expires, at: time)
        }
        return (token, text)
    }

    /// The token that a text proves; `nil` when it is none, expired or revoked.
    func authenticate(
        _ text: String, at time: Timestamp = .now()
    ) async throws(MasterDatabaseError) -> APIToken? {
        guard let text = TokenText(text) else { return nil }
        return try await read { try TokenTable.token(text, at: time, in: $0) }
    }

    /// Records that a token was used, unless that was recorded within the last minute.
    func noteUse(
        of token: APIToken, at time: Timestamp = .now()
    ) async throws(MasterDatabaseError) {
        if let used = token.used, used.sinceEpoch > time.sinceEpoch - TokenTable.useMilliseconds {
            return
        }
        try await write { try $0.noteUse(of: token.id, at: time) }
    }

    /// All tokens, also those of no use any more, oldest first.
    func tokens() async throws(MasterDatabaseError) -> [APIToken] {
        try await read { try TokenTable.tokens(in: $0) }
    }

    /// Ends a token for ever; `false` when there is none or it was revoked before.
    func revokeToken(
        _ id: Int64, at time: Timestamp = .now()
    ) async throws(MasterDatabaseError) -> Bool {
        try await write {
            try $0.run(
                "UPDATE api_tokens SET revoked = ? WHERE id = ? AND revoked IS NULL",
                [time.sinceEpoch, id])
            return $0.changedRows == 1
        }
    }
}
