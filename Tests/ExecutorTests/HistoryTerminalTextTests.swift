import Testing

@testable import Executor

@Suite("text for a terminal")
struct HistoryTerminalTextTests {
    private func shown(_ text: String, colours: Bool = true) -> String {
        shown(Array(text.utf8), colours: colours)
    }

    private func shown(_ bytes: [UInt8], colours: Bool = true) -> String {
        String(decoding: TerminalText.harmless(bytes, keepsColours: colours), as: UTF8.self)
    }

    @Test(
        "colours stay, and nothing else that a terminal obeys",
        arguments: [
            ("plain\ttext\n", "plain\ttext\n"),
            ("\u{1b}[1;31mred\u{1b}[0m", "\u{1b}[1;31mred\u{1b}[0m"),
            ("\u{1b}[38;2;1;2;3mred", "\u{1b}[38;2;1;2;3mred\u{1b}[0m"),
            ("\u{1b}[38:5:1mred\u{1b}[m", "\u{1b}[38:5:1mred\u{1b}[m"),
            ("a\u{1b}[2Jb\u{1b}[H\u{1b}[?25lc\u{1b}[1;1Hd", "abcd"),
            ("\u{1b}[>4;1m\u{1b}[?1m", ""),  // keyboard modes, not colours
            ("\u{1b}]0;title\u{7}x\u{1b}]8;;http://e\u{1b}\\link\u{1b}]8;;\u{1b}\\", "xlink"),
            ("\u{1b}Pq#0\u{1b}\\x\u{1b}_a\u{1b}\\y\u{1b}^b\u{1b}\\z\u{1b}Xc\u{1b}\\", "xyz"),
            ("\u{1b}c\u{1b}7\u{1b}(0\u{1b}#8x", "x"),
            ("\u{9b}31mx", "\\x9b31mx"),  // CSI as one character
            ("a\u{0}b\u{7}c\u{8}d\u{7f}", "a\\x00b\\x07c\\x08d\\x7f"),
            ("10%\r20%\r\nend\r", "10%\n20%\nend\n"),
            (
                "\u{202e}evil\u{2066}\u{feff}\u{200b}\u{e0041}",
                "\\u202eevil\\u2066\\ufeff\\u200b\\U000e0041"
            ),
            ("é日本👩‍💻", "é日本👩‍💻"),
            ("\u{1b}]never ends\nnext line", "\nnext line"),
            ("\u{1b}[12\nx", "\nx"), ("\u{1b}", ""),
            ("\u{1b}\u{1b}[1mx\u{1b}[0m", "\u{1b}[1mx\u{1b}[0m"),
        ])
    func table(_ printed: String, _ expected: String) {
        #expect(shown(printed) == expected)
    }

    @Test("without colours they go too")
    func colourless() {
        #expect(shown("\u{1b}[1;31mred\u{1b}[0m", colours: false) == "red")
    }

    @Test("bytes that are no UTF-8 become replacements, and the text after them stays")
    func invalid() {
        #expect(shown([0xff, 97, 0xc3, 98, 0xe2, 0x82, 99]) == "\u{fffd}a\u{fffd}b\u{fffd}c")
        #expect(shown([0xc0, 0x80]) == "\u{fffd}\u{fffd}")
        #expect(shown([0xed, 0xa0, 0x80, 97]).hasSuffix("a"))
        #expect(shown([0xf4, 0x90, 0x80, 0x80, 97]).hasSuffix("a"))
        #expect(shown([0xc3]) == "\u{fffd}")
    }

    @Test("sequences that never end do not swallow the rest")
    func unended() {
        let long = String(repeating: "x", count: 10_000)
        #expect(shown("\u{1b}]" + long).count > 5000)
        #expect(shown("\u{1b}[" + String(repeating: "1", count: 10_000)).count > 9000)
    }

    @Test("the result is the same wherever the text is cut, and holds no other control")
    func everyCut() {
        var numbers = SplitMix(state: 11)
        let parts: [[UInt8]] = [
            Array("\u{1b}[1;31m".utf8), Array("\u{1b}]0;t\u{7}".utf8), Array("é日👩‍💻".utf8), [0x1b],
            [0x1b, 0x5b], [0x9b], [13], [10], [0], [0xff], Array("text".utf8), [0xe2, 0x80],
            Array("\u{202e}".utf8), Array("\u{1b}P".utf8), Array("\u{1b}\\".utf8), Array("m".utf8),
        ]
        for seed in 0..<300 {
            let text = (0..<12).flatMap { _ in parts.randomElement(using: &numbers) ?? [] }
            let whole = TerminalText.harmless(text, keepsColours: true)
            for cut in 0...text.count {
                var stream = TerminalText(keepsColours: true)
                var out: [UInt8] = []
                stream.append(text[..<cut], into: &out)
                stream.append(text[cut...], into: &out)
                stream.finish(into: &out)
                #expect(out == whole, "round \(seed), cut at \(cut)")
            }
            #expect(String(validating: whole, as: UTF8.self) != nil)
            let left = String(decoding: whole, as: UTF8.self).unicodeScalars.filter {
                $0.properties.generalCategory == .control && $0 != "\n" && $0 != "\u{1b}"
            }
            #expect(left.isEmpty)
            for (place, byte) in whole.enumerated() where byte == 0x1b {
                let end = whole[place...].firstIndex { (0x40...0x5a).contains($0) || $0 > 0x5f }
                #expect(end.map { whole[$0] } == UInt8(ascii: "m"))
            }
        }
    }
}
