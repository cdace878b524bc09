import Synchronization
import Testing

@testable import Master

@Suite struct SecretStoreTests {
    let folder: PrivateFolder
    let rows = MemoryRows()

    init() throws { folder = try PrivateFolder() }

    var file: SecretKeyFile { SecretKeyFile(dataFolder: folder.path) }
    let context = SecretPolicyTests.context()

    func open() async throws -> SecretStore {
        try await SecretStore(rows: rows, file: file) { _ in }
    }

    static func value(_ text: String) -> SecretValue {
        var bytes = Array(text.utf8)
        return SecretValue(taking: &bytes)
    }

    static func text(_ value: SecretValue) -> String {
        value.withBytes { String(decoding: $0, as: UTF8.self) }
    }

    func read(_ store: SecretStore, _ name: String) async throws -> String {
        Self.text(try await store.read(name, for: context, reader: "job"))
    }

    @Test func `a secret is read again by the job that may, also after a restart`() async throws {
        let store = try await open()
        try await store.set(try SecretID(.global, "A"), Self.value("one"))
        try await store.set(try SecretID(.global, "A"), Self.value("two"))
        #expect(try await read(store, "A") == "two")
        #expect(try await read(try await open(), "A") == "two")
        #expect(try await store.list().map(\.version) == [2])
        #expect(try await store.remove(try SecretID(.global, "A")))
        #expect(try await !store.remove(try SecretID(.global, "A")))
        await #expect(throws: SecretError.missing("A")) { try await read(store, "A") }
        await #expect(throws: SecretError.badName("a b")) { try await read(store, "a b") }
    }

    @Test func `the nearest scope decides`() async throws {
        let store = try await open()
        try await store.set(try SecretID(.global, "A"), Self.value("global"))
        #expect(try await read(store, "A") == "global")
        try await store.set(try SecretID(.team("a"), "A"), Self.value("team"))
        #expect(try await read(store, "A") == "team")
        try await store.set(try SecretID(.pipeline("p"), "A"), Self.value("pipeline"))
        #expect(try await read(store, "A") == "pipeline")
        let id = try SecretID(.pipeline("p"), "A")
        try await store.restrict(id, to: try SecretRestriction(branches: ["x"], events: []))
        await #expect(throws: SecretError.denied(id, .branch)) { try await read(store, "A") }
        try await store.restrict(id, to: .none)
        #expect(try await read(store, "A") == "pipeline")
        await #expect(throws: SecretError.missing("global/B")) {
            try await store.restrict(try SecretID(.global, "B"), to: .none)
        }
    }

    @Test func `each reading is in the audit log, and without it there is no value`() async throws {
        let log = Mutex<[SecretAudit]>([])
        let broken = Mutex(false)
        struct Full: Error {}
        let store = try await SecretStore(rows: rows, file: file) { entries in
            if broken.withLock({ $0 }) { throw Full() }
            log.withLock { $0 += entries }
        }
        let id = try SecretID(.team("a"), "A")
        try await store.set(id, Self.value("x"))
        _ = try await read(store, "A")
        var fork = context
        fork.isFork = true
        _ = try? await store.read("A", for: fork, reader: "fork")
        let row = try #require(try await rows.get(id))
        let other = try SecretID(.team("a"), "B")
        rows.plant(row, as: other)
        await #expect(throws: SecretError.altered(other)) { try await read(store, "B") }
        #expect(
            log.withLock { $0.map(\.outcome) } == [.given, .denied(.fork), .unreadable])
        #expect(log.withLock { $0.map(\.reader) } == ["job", "fork", "job"])
        broken.withLock { $0 = true }
        await #expect(throws: Full.self) { try await read(store, "A") }
    }

    @Test(arguments: [0, 1, 65_536, 65_537])
    func `a value has at most 64 KiB`(count: Int) async throws {
        let store = try await open()
        let id = try SecretID(.global, "A")
        let text = String(repeating: "x", count: count)
        if (1...65_536).contains(count) {
            try await store.set(id, Self.value(text))
            #expect(try await read(store, "A") == text)
        } else {
            await #expect(throws: SecretError.badSize(id, bytes: count)) {
                try await store.set(id, Self.value(text))
            }
        }
    }

    @Test func `rotation leaves one key and every value`() async throws {
        let store = try await open()
        for number in 0..<20 {
            try await store.set(try SecretID(.global, "S\(number)"), Self.value("v\(number)"))
        }
        let before = try #require(try file.read())
        try await store.rotateKey()
        let after = try #require(try file.read())
        #expect(after.ids.count == 1 && after.ids != before.ids)
        #expect(rows.all.allSatisfy { $0.key == after.current && $0.version == 1 })
        for number in 0..<20 { #expect(try await read(store, "S\(number)") == "v\(number)") }
        // The file from before opens nothing any more.
        for row in rows.all {
            #expect(throws: SecretError.unknownKey(row.id, key: after.current.description)) {
                try SecretBox.open(row, with: before)
            }
        }
    }

    @Test(arguments: [MemoryRows.CrashPoint.beforeCommit, .afterCommit])
    func `a rotation that dies leaves everything readable, and is ended later`(
        point: MemoryRows.CrashPoint
    ) async throws {
        let store = try await open()
        try await store.set(try SecretID(.global, "A"), Self.value("a"))
        rows.crash(point)
        await #expect(throws: MemoryRows.Crash.self) { try await store.rotateKey() }
        #expect(try file.read()?.ids.count == 2)
        // The same process goes on, and what it stores now is sealed with the new key.
        try await store.set(try SecretID(.global, "B"), Self.value("b"))
        #expect(try await read(store, "A") == "a")
        let again = try await open()
        #expect(again.unfinished == nil)
        let keys = try #require(try file.read())
        #expect(keys.ids.count == 1 && rows.all.allSatisfy { $0.key == keys.current })
        #expect(try await read(again, "A") == "a")
        #expect(try await read(again, "B") == "b")
    }

    @Test func `a damaged secret stops rotation, not the master`() async throws {
        let store = try await open()
        let id = try SecretID(.global, "A")
        try await store.set(id, Self.value("a"))
        try await store.set(try SecretID(.global, "B"), Self.value("b"))
        let row = try #require(try await rows.get(id))
        let damaged = SealedSecret(
            id: id, version: 9, restriction: row.restriction, key: row.key, sealed: row.sealed)
        rows.plant(damaged, as: id)
        await #expect(throws: SecretError.altered(id)) { try await store.rotateKey() }
        let again = try await open()
        #expect(again.unfinished == .altered(id))
        #expect(try await read(again, "B") == "b")
        try await again.set(id, Self.value("mended"))
        try await again.rotateKey()
        #expect(try file.read()?.ids.count == 1)
        #expect(try await read(again, "A") == "mended")
    }

    @Test func `what is stored while the key rotates is readable after`() async throws {
        let store = try await open()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<200 {
                group.addTask {
                    let id = try SecretID(.global, "S\(number % 50)")
                    try await store.set(id, Self.value("v"))
                }
            }
            group.addTask { for _ in 0..<5 { try await store.rotateKey() } }
            try await group.waitForAll()
        }
        let again = try await open()
        for number in 0..<50 { #expect(try await read(again, "S\(number)") == "v") }
    }

    @Test func `a value is in no description and in no row`() async throws {
        let canary = "canary-7391-value"
        let value = Self.value(canary)
        #expect(!"\(value)".contains("7391") && !String(reflecting: value).contains("7391"))
        var dumped = ""
        dump(value, to: &dumped)
        #expect(!dumped.contains("7391"))
        let store = try await open()
        try await store.set(try SecretID(.global, "A"), value)
        for row in rows.all {
            #expect(!String(decoding: row.sealed, as: UTF8.self).contains("7391"))
        }
        #expect(!String(decoding: try folder.read("secret.key"), as: UTF8.self).contains("7391"))
        var keys = ""
        dump(try file.read(), to: &keys)
        let text = String(decoding: try folder.read("secret.key"), as: UTF8.self)
        let digits = try #require(text.split(separator: "\n")[2].split(separator: " ").last)
        #expect(digits.count == 64 && !keys.contains(digits))
    }
}
