import Testing

@Suite("sizes")
struct SizeTests {
    let repository = Repository.shared

    @Test("a file of Sources has at most 400 lines")
    func fileLength() {
        let files = repository.handwritten("Sources/", ".swift", ".c", ".h", ".py")
        report(
            files.compactMap { file in
                // The newline at the end is not a line of its own.
                let count = file.lines.count - 1
                return count <= 400 ? nil : Finding(path: file.path, message: "has \(count) lines")
            })
    }

    @Test("a function of Sources has at most 60 lines")
    func functionLength() {
        report(
            repository.handwritten("Sources/", ".swift").flatMap {
                Self.longFunctions(SwiftText(path: $0.path, text: $0.text))
            })
        report(
            repository.handwritten("Sources/", ".py").flatMap {
                PythonText(path: $0.path, text: $0.text).longFunctions()
            })
    }

    @Test("a line has at most 100 columns")
    func lineLength() {
        var files: [Repository.File] = []
        for folder in ["Sources/", "Tests/", "Benchmarks/", "scripts/"] {
            files += repository.handwritten(folder, ".swift", ".c", ".h", ".py", ".sh")
        }
        files += repository.handwritten("scripts/", "")
        report(files.flatMap { Self.longLines($0.path, $0.lines) })
    }

    @Test("a text file ends with a newline and has no trailing blanks")
    func whitespace() {
        var findings: [Finding] = []
        for file in repository.files where file.has(".swift", ".py", ".c", ".h", ".md", ".proto") {
            if file.path.hasPrefix("fixtures/") { continue }
            if !file.text.isEmpty, !file.text.hasSuffix("\n") {
                findings.append(Finding(path: file.path, message: "does not end with a newline"))
            }
            if file.isGenerated || file.has(".md") { continue }
            for (index, line) in file.lines.enumerated()
            where line.hasSuffix(" ") || line.contains("\t") {
                findings.append(
                    Finding(path: file.path, line: index + 1, message: "trailing blank or tab"))
            }
        }
        report(findings)
    }

    @Test("the rules find a long function and a long line")
    func rulesFire() {
        let body = String(repeating: "    work()\n", count: 59)
        let text =
            "protocol P {\n    func f() -> Array<Int>\n    func g()\n}\nfunc h(\n    a: Int\n)"
            + " throws\n    -> Int\n{\n\(body)}\n"
        let found = Self.longFunctions(SwiftText(path: "a.swift", text: text))
        #expect(found.map(\.line) == [5])
        let short = SwiftText(path: "a.swift", text: "func h() {\n\(body)}\n")
        #expect(short.functions().map(\.lineCount) == [61])
        let wide = String(repeating: "é", count: 101)
        #expect(Self.longLines("a.py", ["ok", Substring(wide)]).map(\.line) == [2])
    }

    static func longFunctions(_ text: SwiftText) -> [Finding] {
        text.functions().filter { $0.lineCount > 60 }.map {
            Finding(
                path: text.path, line: $0.first + 1, message: "\($0.name) has \($0.lineCount) lines"
            )
        }
    }

    static func longLines(_ path: String, _ lines: [Substring]) -> [Finding] {
        lines.enumerated().compactMap { index, line in
            let columns = line.unicodeScalars.count
            // An address can't be broken.
            if columns <= 100 || line.contains("https://") { return nil }
            return Finding(path: path, line: index + 1, message: "has \(columns) columns")
        }
    }
}
