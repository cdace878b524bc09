import GRDB
import Testing

@testable import Master

@Suite struct SecretTableTests {
    let scratch: DatabaseScratch
    let database: MasterDatabase
    let name = SecretName(scope: "pipeline:build", name: "NPM_TOKEN")

    init() throws {
        scratch = try DatabaseScratch()
        database = try scratch.open()
    }

    private func sealed(_ text: String, key: String = "k1") -> SealedValue {
        SealedValue(keyID: key, restrictions: "branch main\n", ciphertext: Array(text.utf8))
    }

    @Test func `a value comes back as it was sealed, for its version`() async throws {
        let version = try await database.putSecret(name, by: "jane", at: milliseconds(7)) {
            known, version in
            #expect(known == nil && version == 1)
            return SealedValue(keyID: "k1", ciphertext: [0, 1, 255])
        }
        #expect(version == 1)
        let secret = try #require(try await database.secret(name))
        #expect(secret.value.ciphertext == [0, 1, 255])
        #expect(secret.record.name == name && secret.record.version == 1)
        #expect(secret.record.changedBy == "jane" && secret.record.created == milliseconds(7))
        let next = try await database.putSecret(name, at: milliseconds(9)) { known, version in
            #expect(known == secret && version == 2)
            return SealedValue(keyID: "k2", restrictions: "event push\n", ciphertext: [])
        }
        #expect(next == 2)
        let changed = try #require(try await database.secret(name))
        #expect(changed.value.ciphertext == [] && changed.record.keyID == "k2")
        #expect(changed.record.restrictions == "event push\n")
        #expect(changed.record.created == milliseconds(7))
        #expect(changed.record.changed == milliseconds(9))
    }

    @Test func `a version is given once, also after a removal`() async throws {
        let value = sealed("x")
        for _ in 0..<3 { _ = try await database.putSecret(name) { _, _ in value } }
        #expect(try await database.removeSecret(name, by: "jane"))
        #expect(try await !database.removeSecret(name))
        #expect(try await database.secret(name) == nil)
        #expect(try await database.secrets().isEmpty)
        let version = try await database.putSecret(name) { known, _ in
            #expect(known == nil)
            return value
        }
        #expect(version == 4)
    }

    @Test func `lists tell of a scope or of all, and hold no value`() async throws {
        let value = sealed("ciphertext")
        for (scope, word) in [("global", "B"), ("global", "A"), ("team:core", "A")] {
            _ = try await database.putSecret(SecretName(scope: scope, name: word)) { _, _ in value }
        }
        let all = try await database.secrets()
        #expect(all.map(\.name.description) == ["global/A", "global/B", "team:core/A"])
        #expect(try await database.secrets(scope: "global") == Array(all.prefix(2)))
        #expect(try await database.secrets(scope: "nobody").isEmpty)
    }

    @Test func `all values are sealed anew, or none`() async throws {
        struct Wrong: Error {}
        for number in 0..<20 {
            let value = sealed("v\(number)")
            _ = try await database.putSecret(SecretName(scope: "global", name: "S\(number)")) {
                _, _ in value
            }
        }
        let before = try await database.secrets()
        await #expect(throws: MasterDatabaseError.self) {
            try await database.resealSecrets { secret in
                if secret.record.name.name == "S7" { throw Wrong() }
                return SealedValue(keyID: "k2", ciphertext: [])
            }
        }
        #expect(try await database.secrets() == before)
        let entry = AuditEntry(actor: "admin", action: "secret.rotate-key", subject: "k2")
        let count = try await database.resealSecrets(audit: entry) { secret in
            var value = secret.value
            value.keyID = "k2"
            value.ciphertext += Array("!".utf8)
            return value
        }
        #expect(count == 20)
        let after = try await database.secrets()
        #expect(after.allSatisfy { $0.keyID == "k2" && $0.version == 1 })
        let one = try await database.secret(SecretName(scope: "global", name: "S7"))
        #expect(one?.value.ciphertext == Array("v7!".utf8))
        #expect(one?.record.restrictions == "branch main\n")
        #expect(try await database.auditEntries().map(\.action) == ["secret.rotate-key"])
    }

    @Test func `an old value is in no file once it is replaced`() async throws {
        let old = Array("old-ciphertext-old-ciphertext".utf8)
        _ = try await database.putSecret(name) { _, _ in SealedValue(keyID: "k", ciphertext: old) }
        _ = try await database.removeSecret(name)
        database.close()
        for file in scratch.names() {
            #expect(scratch.bytes(file).firstRange(of: old) == nil, "\(file)")
        }
    }

    @Test func `what is too long or empty is refused`() async throws {
        for name in [
            SecretName(scope: "", name: "A"), SecretName(scope: "global", name: ""),
            SecretName(scope: "global", name: "A\0"),
            SecretName(scope: "global", name: String(repeating: "n", count: 257)),
        ] {
            await #expect(throws: MasterDatabaseError.self) {
                try await database.putSecret(name) { _, _ in
                    SealedValue(keyID: "k", ciphertext: [])
                }
            }
        }
        await #expect(throws: MasterDatabaseError.self) {
            try await database.putSecret(name) { _, _ in
                SealedValue(keyID: "k", ciphertext: [UInt8](repeating: 0, count: 1 << 20 + 1))
            }
        }
        #expect(try await database.secrets().isEmpty)
    }

    @Test func `the audit log is appended to and never changed`() async throws {
        for number in 0..<5 {
            var entry = AuditEntry(
                actor: "jane", action: "secret.read", subject: "S\(number)", at: milliseconds(7))
            entry.detail = #"{"job": "0abcdefgh"}"#
            #expect(try await database.audit(entry) == Int64(number + 1))
        }
        let entries = try await database.auditEntries(limit: 2)
        #expect(entries.map(\.subject) == ["S4", "S3"])
        #expect(entries.first?.detail == #"{"job":"0abcdefgh"}"#)
        let earlier = try await database.auditEntries(before: entries.last?.sequence)
        #expect(earlier.map(\.subject) == ["S2", "S1", "S0"])
        for sql in ["DELETE FROM audit_log", "UPDATE audit_log SET actor = 'nobody'"] {
            #expect(throws: (any Error).self) { try scratch.raw { try $0.execute(sql: sql) } }
        }
        #expect(try await database.auditEntries().count == 5)
    }

    @Test func `what is audited with a change is there only with it`() async throws {
        struct Wrong: Error {}
        let entry = AuditEntry(actor: "jane", action: "secret.set", subject: "\(name)")
        await #expect(throws: MasterDatabaseError.self) {
            try await database.putSecret(name, audit: entry) { _, _ in throw Wrong() }
        }
        #expect(try await database.auditEntries().isEmpty)
        let value = sealed("x")
        _ = try await database.putSecret(name, audit: entry) { _, _ in value }
        _ = try await database.removeSecret(name, audit: entry)
        #expect(try await database.auditEntries().count == 2)
    }
}
