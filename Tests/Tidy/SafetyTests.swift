import Testing

@Suite("safety")
struct SafetyTests {
    let repository = Repository.shared

    @Test("what the compiler cannot check has a SAFETY note that proves it")
    func unprovenCode() {
        for folder in ["Sources/", "Tests/"] {
            report(
                repository.handwritten(folder, ".swift").flatMap {
                    Self.unproven(SwiftText(path: $0.path, text: $0.text))
                })
        }
    }

    @Test("nothing is left to do")
    func leftovers() {
        // This target has to name what it looks for.
        let files = repository.files.filter {
            $0.has(".swift", ".py", ".c", ".h", ".proto", ".md")
                && !$0.path.hasPrefix("Tests/Tidy/")
                && !$0.path.hasPrefix("fixtures/") && $0.path != "CONTRIBUTING.md"
        }
        report(files.flatMap { Self.leftovers($0.path, $0.lines) })
    }

    @Test("no path of one machine is in the repository")
    func machinePaths() {
        let files = repository.files.filter { !$0.path.hasPrefix("Tests/Tidy/") }
        report(files.flatMap { Self.machinePaths($0.path, $0.lines) })
    }

    @Test("the rules find what they look for, and only that")
    func rulesFire() {
        let source = """
            let a = b!
            let c = a != b
            let d = try! e()
            let f = "g! \\(h!)"  // i!
            // SAFETY: It was set two lines above.
            let j = k[0]!
            final class L: @unchecked Sendable {}
            if !m(n) as Bool {}
            let o = p as! Q
            """
        let found = Self.unproven(SwiftText(path: "a.swift", text: source))
        #expect(found.map(\.line) == [1, 3, 4, 7, 9])
        #expect(Self.leftovers("a", ["x", "// TODO: y", "AUTODONE"]).map(\.line) == [2])
        #expect(
            Self.machinePaths("a", ["/home/jane/x", "/home", "see /usr/bin"]).map(\.line) == [1])
    }

    static func unproven(_ text: SwiftText) -> [Finding] {
        var findings: [Finding] = []
        for (index, line) in text.code.enumerated() {
            guard let what = unprovenForm(line), !text.hasSafetyNote(index) else { continue }
            findings.append(
                Finding(path: text.path, line: index + 1, message: "\(what) without SAFETY note"))
        }
        return findings
    }

    private static func unprovenForm(_ line: [UInt8]) -> String? {
        let bang = UInt8(ascii: "!")
        for (column, byte) in line.enumerated() where byte == bang && column > 0 {
            let before = line[column - 1]
            let after = column + 1 < line.count ? line[column + 1] : 0
            let closes =
                SwiftText.isWordByte(before) || before == UInt8(ascii: ")")
                || before == UInt8(ascii: "]") || before == UInt8(ascii: "}")
                || before == UInt8(ascii: "\"")
            if closes, after != UInt8(ascii: "=") { return "`!`" }
        }
        let code = String(decoding: line, as: UTF8.self)
        for form in ["@unchecked Sendable", "nonisolated(unsafe)", "unsafeBitCast("]
        where code.contains(form) {
            return "`\(form)`"
        }
        return nil
    }

    static func leftovers(_ path: String, _ lines: [Substring]) -> [Finding] {
        let marks: Set = ["TODO", "FIXME", "XXX", "HACK"]
        var findings: [Finding] = []
        for (index, line) in lines.enumerated() where marks.contains(where: { line.contains($0) }) {
            let words = SwiftText.words(Array(line.utf8)).map(\.text)
            if words.contains(where: { marks.contains($0) }) {
                findings.append(Finding(path: path, line: index + 1, message: "is not finished"))
            }
        }
        return findings
    }

    static func machinePaths(_ path: String, _ lines: [Substring]) -> [Finding] {
        var findings: [Finding] = []
        for (index, line) in lines.enumerated() where line.contains("/") {
            for root in ["/home/", "/Users/", "/root/", "/work/", "/opt/swift"] {
                let parts = line.split(separator: root, omittingEmptySubsequences: false)
                guard parts.count > 1 else { continue }
                let named =
                    parts[1].first.map { $0.isLetter || $0.isNumber } ?? (root == "/opt/swift")
                if named {
                    let message = "a path of one machine: \(root)"
                    findings.append(Finding(path: path, line: index + 1, message: message))
                }
            }
        }
        return findings
    }
}
