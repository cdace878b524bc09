internal import Crypto

/// The id of a key: 16 hexadecimal digits, random.
package struct SecretKeyID: Sendable, Hashable, CustomStringConvertible {
    /// The digits.
    package let description: String

    /// `nil` unless it is 16 lower-case hexadecimal digits.
    package init?(_ text: some StringProtocol) {
        let isHex = text.utf8.allSatisfy {
            $0.isDigit || ($0 >= UInt8(ascii: "a") && $0 <= UInt8(ascii: "f"))
        }
        guard text.utf8.count == 16, isHex else { return nil }
        description = String(text)
    }

    /// A new one.
    static func random() -> SecretKeyID {
        let digits = String(UInt64.random(in: 0 ... .max), radix: 16)
        return SecretKeyID(digits: String(repeating: "0", count: 16 - digits.count) + digits)
    }

    private init(digits: String) { description = digits }
}

/// The keys that secrets are sealed with: one seals, all open.
package struct SecretKeys: Sendable {
    /// The key that new values are sealed with.
    package private(set) var current: SecretKeyID
    private var keys: [SecretKeyID: SymmetricKey]

    /// How many keys there are at most: a rotation that never ended leaves one more each time.
    package static let most = 16

    /// One new key.
    package init() {
        current = .random()
        keys = [current: SymmetricKey(size: .bits256)]
    }

    /// Keys of a file; `nil` when the current one is not among them.
    init?(current: SecretKeyID, keys: [SecretKeyID: SymmetricKey]) {
        guard keys[current] != nil, keys.count <= Self.most else { return nil }
        self.current = current
        self.keys = keys
    }

    /// The ids, the current one first.
    package var ids: [SecretKeyID] {
        [current] + keys.keys.filter { $0 != current }.sorted { $0.description < $1.description }
    }

    subscript(id: SecretKeyID) -> SymmetricKey? { keys[id] }

    /// These keys and a new one, which is the current one.
    func addingKey() -> SecretKeys {
        var result = self
        result.current = .random()
        result.keys[result.current] = SymmetricKey(size: .bits256)
        return result
    }

    /// These keys and others, which seal nothing; `nil` when they are too many, or differ under one
    /// id.
    func adding(_ others: SecretKeys) -> SecretKeys? {
        var result = self
        for (id, key) in others.keys {
            guard result.keys[id] == nil || result.keys[id] == key else { return nil }
            result.keys[id] = key
        }
        return result.keys.count <= Self.most ? result : nil
    }

    /// The current key alone.
    func currentOnly() -> SecretKeys {
        var result = self
        result.keys = keys.filter { $0.key == current }
        return result
    }
}
