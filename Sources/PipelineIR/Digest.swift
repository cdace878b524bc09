import Crypto

/// A SHA-256 digest (FIPS 180-4).
package struct Digest: Sendable, Hashable, Comparable, CustomStringConvertible {
    /// The 32 bytes as four big-endian words, so that a digest is a plain value.
    private let words: (UInt64, UInt64, UInt64, UInt64)

    /// Bytes in a digest.
    package static let byteCount = 32

    /// Hashes a whole byte array.
    package init(of bytes: [UInt8]) {
        var hasher = DigestHasher()
        hasher.update(bytes)
        self = hasher.finalize()
    }

    /// Hashes the UTF-8 form of a text.
    package init(ofUTF8 text: String) {
        var hasher = DigestHasher()
        hasher.update(text)
        self = hasher.finalize()
    }

    /// Takes 32 raw bytes; `nil` for any other count.
    package init?(bytes: some Collection<UInt8>) {
        guard bytes.count == Self.byteCount else { return nil }
        var words: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)
        for (position, byte) in bytes.enumerated() {
            switch position >> 3 {
            case 0: words.0 = words.0 << 8 | UInt64(byte)
            case 1: words.1 = words.1 << 8 | UInt64(byte)
            case 2: words.2 = words.2 << 8 | UInt64(byte)
            default: words.3 = words.3 << 8 | UInt64(byte)
            }
        }
        self.words = words
    }

    /// Takes 32 raw bytes as they stand in memory, at any alignment; `nil` for any other count.
    package init?(memory bytes: UnsafeRawBufferPointer) {
        guard bytes.count == Self.byteCount else { return nil }
        func word(_ position: Int) -> UInt64 {
            let offset = position * 8
            return UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
        }
        words = (word(0), word(1), word(2), word(3))
    }

    /// Parses 64 lower-case hexadecimal digits; `nil` for anything else.
    package init?(hex: String) {
        guard hex.utf8.count == 2 * Self.byteCount else { return nil }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(Self.byteCount)
        var high: UInt8?
        for digit in hex.utf8 {
            let value: UInt8
            switch digit {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): value = digit - UInt8(ascii: "0")
            case UInt8(ascii: "a")...UInt8(ascii: "f"): value = digit - UInt8(ascii: "a") + 10
            default: return nil
            }
            if let first = high {
                bytes.append(first << 4 | value)
                high = nil
            } else {
                high = value
            }
        }
        self.init(bytes: bytes)
    }

    /// The 32 raw bytes.
    package var bytes: [UInt8] {
        [words.0, words.1, words.2, words.3].flatMap { word in
            (0..<8).map { UInt8(truncatingIfNeeded: word >> (56 - 8 * UInt64($0))) }
        }
    }

    /// 64 lower-case hexadecimal digits.
    package var hex: String {
        String(unsafeUninitializedCapacity: 2 * Self.byteCount) { buffer in
            var position = 0
            for word in [words.0, words.1, words.2, words.3] {
                for shift in stride(from: 60, through: 0, by: -4) {
                    let digit = UInt8(truncatingIfNeeded: word >> UInt64(shift)) & 15
                    buffer[position] = digit + UInt8(ascii: digit < 10 ? "0" : "W")
                    position += 1
                }
            }
            return position
        }
    }

    /// The description.
    package var description: String { "sha256:" + hex }

    /// The .
    package static func == (a: Digest, b: Digest) -> Bool { a.words == b.words }
    /// The .
    package static func < (a: Digest, b: Digest) -> Bool { a.words < b.words }
    /// The hash.
    package func hash(into hasher: inout Hasher) { hasher.combine(words.0) }
}

/// Hashes bytes as they come.
package struct DigestHasher: Sendable {
    private var state = SHA256()

    /// Starts with no bytes.
    package init() {}

    /// Adds bytes.
    package mutating func update(_ bytes: UnsafeRawBufferPointer) {
        state.update(bufferPointer: bytes)
    }

    /// Adds bytes.
    package mutating func update(_ bytes: [UInt8]) {
        bytes.withUnsafeBytes { state.update(bufferPointer: $0) }
    }

    /// Adds the UTF-8 form of a text, without its length: callers frame what they join.
    package mutating func update(_ text: String) {
        var text = text
        text.withUTF8 { state.update(bufferPointer: UnsafeRawBufferPointer($0)) }
    }

    /// The digest of everything added so far; more may be added afterwards.
    package func finalize() -> Digest {
        var words: [UInt64] = [0, 0, 0, 0]
        state.finalize().withUnsafeBytes { bytes in
            for position in 0..<4 {
                words[position] = UInt64(
                    bigEndian: bytes.loadUnaligned(fromByteOffset: position * 8, as: UInt64.self))
            }
        }
        return Digest(words: (words[0], words[1], words[2], words[3]))
    }
}

extension Digest {
    fileprivate init(words: (UInt64, UInt64, UInt64, UInt64)) { self.words = words }
}

/// The identity of a plan: SHA-256 of its canonical JSON.
package struct PlanDigest: Sendable, Hashable, CustomStringConvertible {
    /// The digest.
    package var digest: Digest
    /// Creates one from its parts.
    package init(_ digest: Digest) { self.digest = digest }

    /// `sha256:` and 64 hexadecimal digits.
    package var description: String { digest.description }
}

extension Plan {
    /// The plan's identity. It writes the whole canonical form, so callers keep the result.
    package var digest: PlanDigest { PlanDigest(Digest(of: canonicalJSON())) }
}
