import Testing

@testable import Master

@Suite struct SecretBoxTests {
    let keys = SecretKeys().addingKey()

    func seal(_ scope: SecretScope = .team("a"), _ name: String = "B") throws -> SealedSecret {
        try SecretBox.seal(
            SecretStoreTests.value("value"), as: try SecretID(scope, name), version: 3, .none,
            with: keys)
    }

    @Test func `a value opens where it was sealed`() throws {
        #expect(SecretStoreTests.text(try SecretBox.open(try seal(), with: keys)) == "value")
    }

    @Test func `two seals of one value have nothing in common`() throws {
        let seals = try (0..<100).map { _ in try seal().sealed }
        #expect(Set(seals.map { Array($0.prefix(12)) }).count == 100)
        #expect(Set(seals).count == 100)
    }

    @Test func `it does not open under another scope, name, version, restriction or key`() throws {
        let row = try seal()
        let old = try #require(keys.ids.last)
        let restriction = try SecretRestriction(branches: ["main"], events: [])
        func moved(
            _ scope: SecretScope = .team("a"), _ name: String = "B", version: Int64 = 3,
            _ restriction: SecretRestriction = .none, key: SecretKeyID? = nil
        ) throws -> SealedSecret {
            SealedSecret(
                id: try SecretID(scope, name), version: version, restriction: restriction,
                key: key ?? row.key, sealed: row.sealed)
        }
        _ = try SecretBox.open(try moved(), with: keys)
        let others = [
            try moved(.global), try moved(.pipeline("a")), try moved(.team("b")),
            try moved(.team("a"), "C"), try moved(.team("aB"), "B"), try moved(version: 2),
            try moved(.team("a"), "B", restriction), try moved(key: old),
        ]
        for other in others {
            #expect(throws: SecretError.altered(other.id)) {
                try SecretBox.open(other, with: keys)
            }
        }
        let unknown = try #require(SecretKeyID("0123456789abcdef"))
        let lost = try moved(key: unknown)
        #expect(throws: SecretError.unknownKey(lost.id, key: "0123456789abcdef")) {
            try SecretBox.open(lost, with: keys)
        }
    }

    @Test func `bytes that were changed, cut or added do not open`() throws {
        let row = try seal()
        var forms: [[UInt8]] = [[], row.sealed + [0], row.sealed + row.sealed]
        for index in row.sealed.indices {
            var flipped = row.sealed
            flipped[index] ^= 1
            forms += [flipped, Array(row.sealed.prefix(index))]
        }
        forms.append([UInt8](repeating: 0, count: 1 << 20))
        for sealed in forms {
            let changed = SealedSecret(
                id: row.id, version: row.version, restriction: row.restriction, key: row.key,
                sealed: sealed)
            #expect(throws: SecretError.altered(row.id)) {
                try SecretBox.open(changed, with: keys)
            }
        }
    }
}
