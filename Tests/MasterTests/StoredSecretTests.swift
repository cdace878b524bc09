import GRDB
import Testing

@testable import Master

/// The store over the real database.
@Suite struct StoredSecretTests {
    let scratch: DatabaseScratch
    let database: MasterDatabase

    init() throws {
        scratch = try DatabaseScratch()
        database = try scratch.open()
    }

    private func open() async throws -> SecretStore {
        let rows = StoredSecretRows(database: database)
        return try await SecretStore(
            rows: rows, file: SecretKeyFile(dataFolder: scratch.path)
        ) { try await rows.note($0) }
    }

    private let context = SecretPolicyTests.context()

    @Test func `a value that was removed comes back under a version that opens`() async throws {
        let store = try await open()
        let id = try SecretID(.global, "A")
        try await store.set(id, SecretStoreTests.value("one"))
        #expect(try await store.remove(id, by: "jane"))
        try await store.set(id, SecretStoreTests.value("two"), by: "jane")
        let value = try await store.read("A", for: context, reader: "job")
        #expect(SecretStoreTests.text(value) == "two")
        #expect(try await store.list().map(\.version) == [2])
    }

    @Test func `all that a job may have are read, each in the audit log`() async throws {
        let store = try await open()
        for (scope, name, branches) in [
            (SecretScope.global, "A", []), (.team("a"), "A", []), (.global, "B", ["none"]),
            (.pipeline("other"), "C", []), (.global, "D", []),
        ] {
            let restriction = try SecretRestriction(branches: branches, events: [])
            try await store.set(
                try SecretID(scope, name), SecretStoreTests.value("\(scope)"), restriction)
        }
        let (values, unreadable) = try await store.readAll(for: context, reader: "job 1")
        #expect(values.mapValues(SecretStoreTests.text) == ["A": "team:a", "D": "global"])
        #expect(unreadable.isEmpty)
        let entries = try await database.auditEntries(limit: 2)
        #expect(entries.map(\.subject) == ["global/D", "team:a/A"])
        #expect(entries.allSatisfy { $0.actor == "job 1" && $0.action == "secret.read" })
    }

    @Test func `a refusal comes out as it is, and nothing is changed or audited`() async throws {
        let store = try await open()
        let id = try SecretID(.global, "A")
        await #expect(throws: SecretError.badSize(id, bytes: 0)) {
            try await store.set(id, SecretStoreTests.value(""))
        }
        await #expect(throws: SecretError.missing("global/A")) {
            try await store.restrict(id, to: .none)
        }
        #expect(try await store.list().isEmpty)
        #expect(try await database.auditEntries().isEmpty)
    }

    @Test func `a value that was moved is told, and the others are given`() async throws {
        let store = try await open()
        for name in ["A", "B"] {
            try await store.set(try SecretID(.global, name), SecretStoreTests.value(name))
        }
        try scratch.raw { try $0.execute(sql: "UPDATE secrets SET name = 'C' WHERE name = 'B'") }
        let (values, unreadable) = try await store.readAll(for: context, reader: "job 1")
        #expect(values.mapValues(SecretStoreTests.text) == ["A": "A"])
        #expect(unreadable == [.altered(try SecretID(.global, "C"))])
        await #expect(throws: SecretError.altered(try SecretID(.global, "C"))) {
            try await store.rotateKey()
        }
        #expect(
            SecretStoreTests.text(try await store.read("A", for: context, reader: "job")) == "A")
    }

    @Test func `a job that may be of a fork, or of no branch, is known as such`() {
        var request = NewJob.example("deploy")
        request.team = "a"
        var context = JobSecrets.context(of: request, branch: "main")
        #expect(!context.isFork && context.branch == "main" && context.event == "manual")
        #expect(context.team == "a" && context.pipeline == "deploy")
        request.trigger = "pull_request"
        #expect(JobSecrets.context(of: request, branch: "main").isFork)
        request.trigger = "push"
        request.ref = "refs/pull/7/head"
        context = JobSecrets.context(of: request, branch: nil)
        #expect(context.isFork && context.branch == nil)
    }
}
