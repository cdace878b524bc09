import GRDB
import Testing

import struct Executor.Timestamp

@testable import Master

@Suite struct TokenTableTests {
    let scratch: DatabaseScratch
    let database: MasterDatabase

    init() throws {
        scratch = try DatabaseScratch()
        database = try scratch.open()
    }

    @Test func `a token proves what it was made for`() async throws {
        let (token, text) = try await database.createToken(name: "ci", scope: .write)
        #expect(text.text.hasPrefix("dnb_") && text.text.utf8.count == 56)
        #expect(try await database.authenticate(text.text) == token)
        #expect(token.scope == .write && token.name == "ci")
        #expect(try await database.tokens() == [token])
        let other = try await database.createToken(name: "ci", scope: .read)
        #expect(other.text.text != text.text)
        #expect(try await database.authenticate(other.text.text)?.id == other.token.id)
    }

    @Test func `what is no token proves nothing`() async throws {
        let text = try await database.createToken(name: "ci", scope: .admin).text.text
        var wrong = Array(text.utf8)
        wrong[30] = wrong[30] == UInt8(ascii: "a") ? UInt8(ascii: "b") : UInt8(ascii: "a")
        for guess in [
            "", "dnb_", String(text.dropLast()), text + "a", text.uppercased(), " " + text,
            String(decoding: wrong, as: UTF8.self), String(text.dropFirst(4)), "dnb_%",
            String(repeating: "a", count: 1 << 20), text.replacing("dnb_", with: "dnb\0"),
        ] {
            #expect(try await database.authenticate(guess) == nil, "\(guess.prefix(60))")
        }
        #expect(try await database.authenticate(text) != nil)
    }

    @Test func `an expired token proves nothing, from that moment on`() async throws {
        let (token, text) = try await database.createToken(
            name: "short", scope: .read, expires: milliseconds(2000), at: milliseconds(1000))
        let proof = text.text
        #expect(try await database.authenticate(proof, at: milliseconds(1999)) == token)
        #expect(try await database.authenticate(proof, at: milliseconds(2000)) == nil)
        #expect(try await database.authenticate(proof, at: Timestamp(microseconds: .max)) == nil)
    }

    @Test func `a revoked token proves nothing, and is revoked once`() async throws {
        let (token, text) = try await database.createToken(name: "ci", scope: .read)
        #expect(try await database.revokeToken(token.id, at: milliseconds(5)))
        #expect(try await !database.revokeToken(token.id))
        #expect(try await !database.revokeToken(99))
        #expect(try await database.authenticate(text.text) == nil)
        #expect(try await database.tokens().map(\.revoked) == [milliseconds(5)])
    }

    @Test func `the last use is known to a minute`() async throws {
        let (token, _) = try await database.createToken(name: "ci", scope: .read)
        try await database.noteUse(of: token, at: milliseconds(100_000))
        var known = try #require(try await database.tokens().first)
        #expect(known.used == milliseconds(100_000))
        try await database.noteUse(of: known, at: milliseconds(159_999))
        #expect(try await database.tokens().first?.used == milliseconds(100_000))
        try await database.noteUse(of: known, at: milliseconds(160_000))
        known = try #require(try await database.tokens().first)
        #expect(known.used == milliseconds(160_000))
        // The clock went back.
        try await database.noteUse(of: token, at: milliseconds(5))
        #expect(try await database.tokens().first?.used == milliseconds(160_000))
    }

    @Test func `the text is in no file and in no description`() async throws {
        let (token, text) = try await database.createToken(name: "ci", scope: .read)
        let secret = Array(text.text.dropFirst(4).utf8)
        #expect(!"\(text) \(token)".contains(text.text.dropFirst(4)))
        for name in scratch.names() {
            let bytes = scratch.bytes(name)
            #expect(bytes.firstRange(of: secret) == nil, "\(name)")
        }
        database.close()
        #expect(scratch.bytes(MasterDatabase.fileName).firstRange(of: secret) == nil)
    }

    @Test func `levels include those below`() {
        #expect(TokenScope.allCases.sorted() == [.read, .write, .admin])
        #expect(TokenScope.admin >= .read && !(TokenScope.read >= .write))
    }

    @Test func `names of tokens are bounded`() async throws {
        await #expect(throws: MasterDatabaseError.self) {
            try await database.createToken(name: "", scope: .read)
        }
        await #expect(throws: MasterDatabaseError.self) {
            try await database.createToken(name: String(repeating: "n", count: 257), scope: .read)
        }
        #expect(try await database.tokens().isEmpty)
    }

    @Test func `bytes are compared whole`() {
        #expect(TokenTable.areEqual([1, 2, 3], [1, 2, 3]))
        #expect(!TokenTable.areEqual([1, 2, 3], [1, 2, 4]))
        #expect(!TokenTable.areEqual([9, 2, 3], [1, 2, 3]))
        #expect(!TokenTable.areEqual([1, 2], [1, 2, 3]))
    }
}
