internal import PipelineIR

internal import struct Executor.Timestamp

/// What a token allows; each level includes the ones before.
enum TokenScope: String, Sendable, CaseIterable, Comparable {
    case read, write, admin

    static func < (a: TokenScope, b: TokenScope) -> Bool {
        switch (a, b) {
        case (.read, .write), (.read, .admin), (.write, .admin): true
        default: false
        }
    }
}

/// A token of the API, without the text that proves it.
struct APIToken: Sendable, Equatable {
    var id: Int64
    /// What people call it.
    var name: String
    var scope: TokenScope
    /// The user whose it is; `nil` for one of the master itself.
    var user: Int64?
    var created: Timestamp
    /// It is of no use then and later.
    var expires: Timestamp?
    /// When it was last used, to a minute.
    var used: Timestamp?
    /// It is of no use then and later.
    var revoked: Timestamp?

    /// Whether it proves anything at a time.
    func isValid(at time: Timestamp) -> Bool {
        revoked == nil && expires.map { time < $0 } ?? true
    }
}

/// The text of a token: `dnb_` and 32 random bytes in small letters and digits (RFC 4648, base 32).
/// It is shown once; the database has its SHA-256 only, which is no weaker for so long a secret.
struct TokenText: Sendable, CustomStringConvertible {
    /// What is shown once.
    let text: String

    private static let digits = Array("abcdefghijklmnopqrstuvwxyz234567".utf8)
    private static let prefix = "dnb_"
    private static let randomBytes = 32
    private static let textBytes = 56

    /// A new one, from the system's source of randomness.
    init() {
        var bytes: [UInt8] = []
        for _ in 0..<Self.randomBytes { bytes.append(.random(in: .min ... .max)) }
        var encoded: [UInt8] = []
        var bits: UInt32 = 0
        var count: UInt32 = 0
        for byte in bytes {
            bits = bits << 8 | UInt32(byte)
            count += 8
            while count >= 5 {
                count -= 5
                encoded.append(Self.digits[Int(bits >> count & 31)])
            }
            bits &= 1 << count - 1
        }
        if count > 0 { encoded.append(Self.digits[Int(bits << (5 - count) & 31)]) }
        text = Self.prefix + String(decoding: encoded, as: UTF8.self)
    }

    /// A text that somebody shows; `nil` when it cannot be a token.
    init?(_ text: String) {
        guard text.utf8.count == Self.textBytes, text.hasPrefix(Self.prefix),
            text.utf8.dropFirst(Self.prefix.utf8.count).allSatisfy(Self.digits.contains)
        else { return nil }
        self.text = text
    }

    /// What is kept of it.
    var digest: Digest { Digest(ofUTF8: text) }

    /// Never the text, which would end up in a log.
    var description: String { Self.prefix + "…" }
}
