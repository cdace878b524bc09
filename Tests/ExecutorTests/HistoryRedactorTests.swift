import Testing

@testable import Executor

@Suite("redactor")
struct HistoryRedactorTests {
    static func redactor(_ values: String...) throws -> Redactor {
        try Redactor(secrets: values.enumerated().map { ("S\($0)", Array($1.utf8)) })
    }

    /// What should be shown, found the slow way: every place of every pattern is hidden.
    static func expected(_ text: [UInt8], _ patterns: some Collection<[UInt8]>) -> [UInt8] {
        var hidden = [Bool](repeating: false, count: text.count)
        for pattern in patterns where pattern.count <= text.count {
            for start in 0...text.count - pattern.count
            where text[start..<start + pattern.count].elementsEqual(pattern) {
                for place in start..<start + pattern.count { hidden[place] = true }
            }
        }
        var out: [UInt8] = []
        for (place, byte) in text.enumerated() {
            if !hidden[place] {
                out.append(byte)
            } else if place == 0 || !hidden[place - 1] {
                out += Array("***".utf8)
            }
        }
        return out
    }

    /// The output when the text comes in these pieces.
    static func pieces(_ redactor: Redactor, _ parts: [ArraySlice<UInt8>]) -> [UInt8] {
        var stream = Redactor.Stream(redactor)
        var out: [UInt8] = []
        for part in parts { Array(part).withUnsafeBytes { stream.append($0, into: &out) } }
        stream.finish(into: &out)
        return out
    }

    @Test(
        "a secret is hidden in every form in which programs print it",
        arguments: [
            ("tok/en+1 x\"y", "tok/en+1 x\"y"),  // echo
            ("tok/en+1 x\"y", "tok/en+1 x\\\"y"),  // json.dumps
            ("tok/en+1 x\"y", "tok\\/en+1 x\\\"y"),  // json_encode
            ("a<b>&c", "a\\u003cb\\u003e\\u0026c"),  // Go's encoding/json
            ("pässwörd", "p\\u00e4ssw\\u00f6rd"),  // json.dumps
            ("a😀bcd", "a\\ud83d\\ude00bcd"),
            ("tok/en+1 x\"y", "tok%2Fen%2B1%20x%22y"),  // encodeURIComponent
            ("tok/en+1 x\"y", "tok%2fen%2b1%20x%22y"),
            ("tok/en+1 x\"y", "tok/en%2B1%20x%22y"),  // urllib.parse.quote
            ("tok/en+1 x\"y", "tok%2Fen%2B1+x%22y"),  // a form
            ("swordfish", "73776f726466697368"),  // xxd -p
            ("swordfish", "73776F726466697368"),
            ("swordfish", "c3dvcmRmaXNo"),  // base64
            ("password1", "cGFzc3dvcmQx"),
            ("sword-fish", "c3dvcmQtZmlzaA=="),
            ("sword-fish", "c3dvcmQtZmlzaA"),  // without padding
            ("??>>??>>", "Pz8+Pj8/Pj4="),
            ("??>>??>>", "Pz8-Pj8_Pj4="),  // the URL's alphabet
            ("don't tell", "don'\\''t tell"),  // a shell's quotes
        ])
    func forms(_ secret: String, _ printed: String) throws {
        let redactor = try Self.redactor(secret)
        #expect(redactor.redact("<\(printed)>") == "<***>")
    }

    @Test("base64 of a secret within other text shows at most a part of its first and last byte")
    func alignment() throws {
        let letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
        let redactor = try Self.redactor("swordfish!")
        for alphabet in [Array((letters + "+/").utf8), Array((letters + "-_").utf8)] {
            for before in ["", "u", "u:", "us:", "use:"] {
                for after in ["", "\n", "ab", "abc"] {
                    let text = Array((before + "swordfish!" + after).utf8)
                    let shown = redactor.redact(SecretForms.base64(text, alphabet))
                    #expect(shown.count <= (before.count + after.count) * 2 + 3 + 6)
                    #expect(String(decoding: shown, as: UTF8.self).contains("***"))
                }
            }
        }
    }

    @Test("base64 and hexadecimal that were wrapped into lines are hidden line by line")
    func wrapped() throws {
        let secret = String((0..<200).map { Character(Unicode.Scalar(UInt8(33 + $0 * 7 % 90))) })
        let redactor = try Self.redactor(secret)
        let letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
        let encoded = SecretForms.base64(Array((secret + "\n").utf8), Array(letters.utf8))
        for width in [64, 76] {
            let lines = stride(from: 0, to: encoded.count, by: width).map {
                encoded[$0..<min($0 + width, encoded.count)]
            }
            let shown = redactor.redact(Array(lines.joined(separator: [10])))
            let left = String(decoding: shown, as: UTF8.self).split(separator: "\n")
            #expect(left.count == lines.count)
            #expect(left.allSatisfy { $0.hasPrefix("***") && $0.count < 12 })
        }
    }

    @Test("each line of a secret of several lines is hidden alone")
    func lines() throws {
        let key = "-----BEGIN KEY-----\r\nabcdef\r\nx\n  ghijkl  \n-----END KEY-----\n"
        let redactor = try Self.redactor(key)
        #expect(redactor.redact("abcdef ghijkl x") == "*** *** x")
        #expect(redactor.redact("[\(key)]") == "[***]")
        #expect(try Self.redactor("token1\n").redact("token1") == "***")
    }

    @Test("values that are too short are named, not looked for")
    func short() throws {
        let redactor = try Redactor(
            secrets: [
                ("A", Array("abc".utf8)), ("B", Array(" abc\n".utf8)), ("C", []),
                ("D", Array("abcd".utf8)),
            ])
        #expect(redactor.ignored == ["A", "B"])
        #expect(redactor.redact("abc abcd") == "abc ***")
        #expect(try Self.redactor("abc").isEmpty)
    }

    @Test("secrets above the bound are refused with their size")
    func tooLarge() throws {
        // At the bound it is accepted; values that are not looked for count too, and are quick.
        let count = Redactor.mostBytes / 2
        let many = [(name: String, value: [UInt8])](repeating: ("A", [97, 98]), count: count)
        #expect(try Redactor(secrets: many).ignored.count == count)
        let error = LogError.secretsTooLarge(bytes: 2 * count + 1, most: Redactor.mostBytes)
        #expect(throws: error) { try Redactor(secrets: many + [("A", [97])]) }
    }

    @Test("the result is the same wherever the output is cut")
    func everyCut() throws {
        let secrets = ["abcabcabd", "bcab", "cabdxyz", "aaaa", "swordfish"]
        let redactor = try Redactor(secrets: secrets.map { ("S", Array($0.utf8)) })
        let patterns = secrets.flatMap { SecretForms(Array($0.utf8)).patterns }
        let encoded = "c3dvcmRmaXNo 73776f7264666973687377"
        let text = Array(
            ("abcabcabcabdxyzbcabcabaaaaaaaaaa abca bcaabcabcabswordfishswordfish swordfis "
                + encoded).utf8)
        let whole = Self.expected(text, patterns)
        #expect(whole.count < text.count / 2)
        for first in 0...text.count {
            for second in first...text.count {
                let parts = [text[..<first], text[first..<second], text[second...]]
                #expect(Self.pieces(redactor, parts) == whole, "cut at \(first), \(second)")
            }
        }
        #expect(Self.pieces(redactor, text.indices.map { text[$0...$0] }) == whole)
    }

    @Test("random patterns in random text are found as the slow way finds them")
    func random() throws {
        for seed in UInt64(1)...300 {
            var numbers = SplitMix(state: seed)
            let secrets = (0..<Int.random(in: 1...12, using: &numbers)).map { _ in
                (0..<Int.random(in: 4...9, using: &numbers)).map { _ in
                    UInt8.random(in: 97...99, using: &numbers)
                }
            }
            let redactor = try Redactor(secrets: secrets.map { ("S", $0) })
            let patterns = Set(secrets.flatMap { SecretForms($0).patterns })
            let text = (0..<400).map { _ in UInt8.random(in: 97...99, using: &numbers) }
            var parts: [ArraySlice<UInt8>] = []
            var start = 0
            while start < text.count {
                let end = min(text.count, start + Int.random(in: 0...20, using: &numbers))
                parts.append(text[start..<end])
                start = end
            }
            #expect(
                Self.pieces(redactor, parts) == Self.expected(text, patterns), "seed \(seed)")
        }
    }

    @Test("no more is held back than the longest beginning of a secret")
    func bounded() throws {
        let redactor = try Self.redactor(String(repeating: "a", count: 100) + "b")
        var stream = Redactor.Stream(redactor)
        var out: [UInt8] = []
        let chunk = [UInt8](repeating: 97, count: 1000)
        for _ in 0..<100 {
            chunk.withUnsafeBytes { stream.append($0, into: &out) }
            #expect(stream.heldCount <= 100)
        }
        stream.finish(into: &out)
        #expect(out.count == 100_000)
    }
}

/// Random numbers from a seed (Steele and others, 2014).
struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z >> 31)
    }
}
