internal import Synchronization

internal import struct Executor.Timestamp

/// Secrets in the database, with every change in the audit log of the same transaction.
struct StoredSecretRows: SecretRows {
    let database: MasterDatabase

    func put(
        _ id: SecretID, by actor: String,
        _ make: @escaping @Sendable (SealedSecret?, Int64) throws -> SealedSecret
    ) async throws {
        try await write { transaction in
            let now = Timestamp.now()
            let version = try transaction.put(Self.name(of: id), by: actor, at: now) {
                stored, version in
                Self.value(of: try make(stored.map { try Self.sealed($0) }, version))
            }
            var entry = AuditEntry(
                actor: actor, action: "secret.set", subject: id.description, at: now)
            entry.detail = "{\"version\":\(version)}"
            try transaction.audit(entry)
        }
    }

    func get(_ id: SecretID) async throws -> SealedSecret? {
        try await database.secret(Self.name(of: id)).map { try Self.sealed($0) }
    }

    func list() async throws -> [SecretSummary] {
        try await database.secrets().map { try Self.summary($0) }
    }

    func delete(_ id: SecretID, by actor: String) async throws -> Bool {
        try await write { transaction in
            let now = Timestamp.now()
            let isGone = try transaction.removeSecret(Self.name(of: id), by: actor, at: now)
            if isGone {
                try transaction.audit(
                    AuditEntry(
                        actor: actor, action: "secret.remove", subject: id.description, at: now))
            }
            return isGone
        }
    }

    func replaceAll(
        by actor: String, _ change: @escaping @Sendable (SealedSecret) throws -> SealedSecret
    ) async throws {
        try await write { transaction in
            let count = try transaction.resealSecrets { stored in
                Self.value(of: try change(try Self.sealed(stored)))
            }
            var entry = AuditEntry(actor: actor, action: "secret.rotate-key", subject: "all")
            entry.detail = "{\"secrets\":\(count)}"
            try transaction.audit(entry)
        }
    }

    /// Appends what became of readings to the audit log; it is on the disk when this returns.
    func note(_ audits: [SecretAudit]) async throws {
        try await database.write { transaction in
            for audit in audits {
                var entry = AuditEntry(
                    actor: audit.reader, action: "secret.read", subject: audit.id.description)
                let outcome =
                    switch audit.outcome {
                    case .given: "given"
                    case .denied(let why): "denied: \(why.rawValue)"
                    case .unreadable: "unreadable"
                    }
                entry.detail = "{\"outcome\":\"\(outcome)\",\"version\":\(audit.version)}"
                try transaction.audit(entry)
            }
        }
    }

    // MARK: Rows

    /// What is stored of a secret, checked to be one.
    static func summary(_ record: SecretRecord) throws(SecretError) -> SecretSummary {
        let id = try id(of: record)
        return SecretSummary(
            id: id, version: record.version, restriction: try restriction(of: record, id),
            key: try key(of: record, id))
    }

    private static func name(of id: SecretID) -> SecretName {
        SecretName(scope: id.scope.description, name: id.name)
    }

    private static func value(of secret: SealedSecret) -> SealedValue {
        SealedValue(
            keyID: secret.key.description, restrictions: secret.restriction.text,
            ciphertext: secret.sealed)
    }

    private static func sealed(_ stored: StoredSecret) throws(SecretError) -> SealedSecret {
        let summary = try summary(stored.record)
        return SealedSecret(
            id: summary.id, version: summary.version, restriction: summary.restriction,
            key: summary.key, sealed: stored.value.ciphertext)
    }

    private static func id(of record: SecretRecord) throws(SecretError) -> SecretID {
        guard let scope = SecretScope(record.name.scope) else {
            throw .badScope(ShownText.line(record.name.scope, most: 64))
        }
        return try SecretID(scope, record.name.name)
    }

    private static func restriction(
        of record: SecretRecord, _ id: SecretID
    ) throws(SecretError) -> SecretRestriction {
        guard let found = try? SecretRestriction(text: record.restrictions) else {
            throw .altered(id)
        }
        return found
    }

    private static func key(
        of record: SecretRecord, _ id: SecretID
    ) throws(SecretError) -> SecretKeyID {
        guard let found = SecretKeyID(record.keyID) else { throw .altered(id) }
        return found
    }

    /// Writes. The database knows no error of secrets, so one comes out beside it.
    private func write<Value: Sendable>(
        _ body: @escaping @Sendable (WriteTransaction) throws -> Value
    ) async throws -> Value {
        let refusal = Refusal()
        do {
            return try await database.write { transaction in
                do {
                    return try body(transaction)
                } catch let error as SecretError {
                    refusal.error.withLock { $0 = error }
                    throw error
                }
            }
        } catch {
            if let refused = refusal.error.withLock({ $0 }) { throw refused }
            throw error
        }
    }

    private final class Refusal: Sendable {
        let error = Mutex<SecretError?>(nil)
    }
}
