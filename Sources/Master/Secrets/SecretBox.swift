internal import Crypto
internal import FoundationEssentials

/// A secret as it is stored: everything but its value is in the clear, and all of it is bound to
/// the sealed value.
package struct SealedSecret: Sendable, Equatable {
    package let id: SecretID
    /// From 1, one more each time the value or the restriction changes.
    package let version: Int64
    package let restriction: SecretRestriction
    /// The key that it is sealed with.
    package let key: SecretKeyID
    /// Nonce (12 bytes), ciphertext, tag (16 bytes).
    package let sealed: [UInt8]

    /// A row as it was stored.
    package init(
        id: SecretID, version: Int64, restriction: SecretRestriction, key: SecretKeyID,
        sealed: [UInt8]
    ) {
        self.id = id
        self.version = version
        self.restriction = restriction
        self.key = key
        self.sealed = sealed
    }

    /// What is known without the value.
    package var summary: SecretSummary {
        SecretSummary(id: id, version: version, restriction: restriction, key: key)
    }
}

/// All of a stored secret but its value.
package struct SecretSummary: Sendable, Equatable {
    package let id: SecretID
    package let version: Int64
    package let restriction: SecretRestriction
    package let key: SecretKeyID

    package init(
        id: SecretID, version: Int64, restriction: SecretRestriction, key: SecretKeyID
    ) {
        self.id = id
        self.version = version
        self.restriction = restriction
        self.key = key
    }
}

/// Seals and opens values with AES-256-GCM (NIST SP 800-38D) and a random nonce of 96 bits.
///
/// Associated data are scope, name, version, key and restriction, each after its length: a value
/// that somebody moves to another place in the database, or frees of its restriction, does not
/// open. A key seals far fewer than the 2³² values after which random nonces may meet.
enum SecretBox {
    /// Bytes of a value at most.
    static let mostBytes = 64 << 10

    /// Seals a value. Throws `badSize`.
    static func seal(
        _ value: SecretValue, as id: SecretID, version: Int64, _ restriction: SecretRestriction,
        with keys: SecretKeys
    ) throws(SecretError) -> SealedSecret {
        guard (1...mostBytes).contains(value.count) else {
            throw .badSize(id, bytes: value.count)
        }
        let bound = associated(id, version, restriction, keys.current)
        guard let key = keys[keys.current] else {
            throw .unknownKey(id, key: keys.current.description)
        }
        let sealed = value.withBytes { clear in
            try? AES.GCM.seal(clear, using: key, authenticating: bound).combined
        }
        guard let sealed else { throw .altered(id) }
        return SealedSecret(
            id: id, version: version, restriction: restriction, key: keys.current,
            sealed: Array(sealed))
    }

    /// Opens a value. Throws `unknownKey`, and `altered` when anything is not as it was sealed.
    static func open(
        _ secret: SealedSecret, with keys: SecretKeys
    ) throws(SecretError) -> SecretValue {
        guard let key = keys[secret.key] else {
            throw .unknownKey(secret.id, key: secret.key.description)
        }
        let bound = associated(secret.id, secret.version, secret.restriction, secret.key)
        guard secret.sealed.count <= mostBytes + 28,
            let box = try? AES.GCM.SealedBox(combined: secret.sealed),
            var clear = try? AES.GCM.open(box, using: key, authenticating: bound)
        else { throw .altered(secret.id) }
        defer { clear.withUnsafeMutableBytes { SecretValue.overwrite($0) } }
        return clear.withUnsafeBytes { SecretValue(copying: $0) }
    }

    private static func associated(
        _ id: SecretID, _ version: Int64, _ restriction: SecretRestriction, _ key: SecretKeyID
    ) -> [UInt8] {
        var bytes = Array("danube secret 1\n".utf8)
        for field in [
            id.scope.description, id.name, String(version), key.description, restriction.text,
        ] {
            withUnsafeBytes(of: UInt64(field.utf8.count).bigEndian) { bytes += $0 }
            bytes += field.utf8
        }
        return bytes
    }
}
