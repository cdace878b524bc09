internal import GRDB

internal import struct Executor.Timestamp

/// Whose a secret is and what it is called.
struct SecretName: Sendable, Hashable, CustomStringConvertible {
    /// Everybody's, a team's or a pipeline's, in one word.
    var scope: String
    var name: String

    var description: String { "\(scope)/\(name)" }

    /// Refuses what does not fit into the database.
    func checked() throws(MasterDatabaseError) -> SecretName {
        SecretName(
            scope: try FieldLimit.secretScope.checkFilled(scope),
            name: try FieldLimit.secretName.checkFilled(name))
    }
}

/// The bytes of a secret, which only the holder of a key can read, and what is bound to them.
struct SealedValue: Sendable, Equatable {
    /// Which key opens it.
    var keyID: String
    /// Which jobs get it, in the words of whoever sealed it.
    var restrictions = ""
    var ciphertext: [UInt8]
}

/// A secret without its value.
struct SecretRecord: Sendable, Equatable {
    var name: SecretName
    /// Counts the values it had. No number is given twice, also not after a removal, for what was
    /// made with a value is known by it.
    var version: Int64
    /// Which key opens it.
    var keyID: String
    /// Which jobs get it, in the words of whoever sealed it.
    var restrictions: String
    var created: Timestamp
    var changed: Timestamp
    var changedBy: String?

    /// The columns that `init` reads, of the table `secrets`.
    static let columns =
        "scope, name, version, key_id, restrictions, created, changed, changed_by"

    /// Reads the columns of a row.
    init(_ fields: inout Fields) throws {
        name = SecretName(scope: try fields.text(), name: try fields.text())
        version = try fields.integer()
        keyID = try fields.text()
        restrictions = try fields.text()
        created = try fields.time()
        changed = try fields.time()
        changedBy = try fields.optionalText()
    }
}

/// A secret with its sealed value.
struct StoredSecret: Sendable, Equatable {
    var record: SecretRecord
    var value: SealedValue

    /// Reads a row of the record's columns and `ciphertext`.
    init(_ row: Row) throws {
        var fields = Fields(row, of: "secrets")
        record = try SecretRecord(&fields)
        value = SealedValue(
            keyID: record.keyID, restrictions: record.restrictions,
            ciphertext: try fields.bytes())
    }
}
