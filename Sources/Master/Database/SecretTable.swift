internal import FoundationEssentials
internal import GRDB

internal import struct Executor.Timestamp

/// Secrets. What is sealed in them, and how, is not known here.
enum SecretTable {
    /// The most bytes of a sealed value.
    static let mostBytes = 1 << 20

    /// A secret with its sealed value; `nil` when there is none.
    static func secret(_ name: SecretName, in connection: Database) throws -> StoredSecret? {
        let statement = try connection.cachedStatement(
            sql: """
                SELECT \(SecretRecord.columns), ciphertext FROM secrets
                WHERE scope = ? AND name = ? AND ciphertext IS NOT NULL
                """)
        return try Row.fetchOne(statement, arguments: [name.scope, name.name]).map {
            try StoredSecret($0)
        }
    }

    /// All secrets of a scope, or all, without their values.
    static func records(scope: String?, in connection: Database) throws -> [SecretRecord] {
        let rows = try Row.fetchCursor(
            connection,
            sql: """
                SELECT \(SecretRecord.columns) FROM secrets
                WHERE ciphertext IS NOT NULL AND (?1 IS NULL OR scope = ?1) ORDER BY scope, name
                """, arguments: [scope])
        var records: [SecretRecord] = []
        while let row = try rows.next() {
            var fields = Fields(row, of: "secrets")
            records.append(try SecretRecord(&fields))
        }
        return records
    }
}

extension WriteTransaction {
    /// Keeps what is made of a secret as its next version, and gives that version. `make` is told
    /// what is there now and the version that the value is sealed for.
    func put(
        _ name: SecretName, by actor: String?, at time: Timestamp,
        make: (StoredSecret?, Int64) throws -> SealedValue
    ) throws -> Int64 {
        let name = try name.checked()
        let last = try Int64.fetchOne(
            connection.cachedStatement(
                sql: "SELECT version FROM secrets WHERE scope = ? AND name = ?"),
            arguments: [name.scope, name.name])
        let (version, overflow) = (last ?? 0).addingReportingOverflow(1)
        guard !overflow else {
            throw MasterDatabaseError.invalid(field: "\(name)", reason: "has no version left")
        }
        let known = try SecretTable.secret(name, in: connection)
        let value = try checked(make(known, version))
        try run(
            """
            INSERT INTO secrets (scope, name, version, key_id, ciphertext, restrictions, created,
                changed, changed_by)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?7, ?8)
            ON CONFLICT (scope, name) DO UPDATE SET version = excluded.version,
                key_id = excluded.key_id, ciphertext = excluded.ciphertext,
                restrictions = excluded.restrictions, changed = excluded.changed,
                changed_by = excluded.changed_by
            """,
            [
                name.scope, name.name, version, value.keyID, Data(value.ciphertext),
                value.restrictions, time.sinceEpoch, try FieldLimit.actor.check(actor),
            ])
        return version
    }

    /// Removes the value of a secret; `false` when there is none.
    func removeSecret(_ name: SecretName, by actor: String?, at time: Timestamp) throws -> Bool {
        try run(
            """
            UPDATE secrets SET key_id = NULL, ciphertext = NULL, changed = ?, changed_by = ?
            WHERE scope = ? AND name = ? AND ciphertext IS NOT NULL
            """,
            [time.sinceEpoch, try FieldLimit.actor.check(actor), name.scope, name.name])
        return changedRows == 1
    }

    /// Seals every value anew, for another key. Gives how many there are.
    func resealSecrets(_ seal: (StoredSecret) throws -> SealedValue) throws -> Int {
        let rows = try Row.fetchAll(
            connection,
            sql: """
                SELECT \(SecretRecord.columns), ciphertext FROM secrets
                WHERE ciphertext IS NOT NULL ORDER BY scope, name
                """)
        for row in rows {
            let secret = try StoredSecret(row)
            let value = try checked(seal(secret))
            try run(
                """
                UPDATE secrets SET key_id = ?, restrictions = ?, ciphertext = ?
                WHERE scope = ? AND name = ?
                """,
                [
                    value.keyID, value.restrictions, Data(value.ciphertext),
                    secret.record.name.scope, secret.record.name.name,
                ])
        }
        return rows.count
    }

    private func checked(_ value: SealedValue) throws -> SealedValue {
        guard value.ciphertext.count <= SecretTable.mostBytes else {
            throw MasterDatabaseError.invalid(
                field: "value of a secret", reason: "has more than \(SecretTable.mostBytes) bytes")
        }
        _ = try FieldLimit.restrictions.check(value.restrictions) as String
        return value
    }
}

extension MasterDatabase {
    /// Keeps what is made of a secret, and says so in the audit log when an entry is given. `make`
    /// is called on the thread of the writer, with what is there now and the version that the value
    /// is sealed for, which is given back.
    func putSecret(
        _ name: SecretName, by actor: String? = nil, audit entry: AuditEntry? = nil,
        at time: Timestamp = .now(),
        make: @escaping @Sendable (StoredSecret?, Int64) throws -> SealedValue
    ) async throws(MasterDatabaseError) -> Int64 {
        try await write { transaction in
            if let entry { try transaction.audit(entry) }
            return try transaction.put(name, by: actor, at: time, make: make)
        }
    }

    /// A secret with its sealed value; `nil` when there is none. Whoever opens it says so in the
    /// audit log first.
    func secret(_ name: SecretName) async throws(MasterDatabaseError) -> StoredSecret? {
        try await read { try SecretTable.secret(name, in: $0) }
    }

    /// Secrets of a scope, or all, without their values.
    func secrets(scope: String? = nil) async throws(MasterDatabaseError) -> [SecretRecord] {
        try await read { try SecretTable.records(scope: scope, in: $0) }
    }

    /// Removes the value of a secret; `false` when there is none.
    func removeSecret(
        _ name: SecretName, by actor: String? = nil, audit entry: AuditEntry? = nil,
        at time: Timestamp = .now()
    ) async throws(MasterDatabaseError) -> Bool {
        try await write { transaction in
            if let entry { try transaction.audit(entry) }
            return try transaction.removeSecret(name, by: actor, at: time)
        }
    }

    /// Seals every value anew, for another key: all of them, or none when one fails. Gives how many
    /// there are.
    func resealSecrets(
        audit entry: AuditEntry? = nil,
        _ seal: @escaping @Sendable (StoredSecret) throws -> SealedValue
    ) async throws(MasterDatabaseError) -> Int {
        try await write { transaction in
            if let entry { try transaction.audit(entry) }
            return try transaction.resealSecrets(seal)
        }
    }
}
