import Testing

@Suite("documents")
struct DocsTests {
    let repository = Repository.shared

    @Test("every link leads somewhere")
    func links() {
        var findings: [Finding] = []
        let pages = repository.files.filter {
            $0.has(".md") && !$0.path.hasPrefix("fixtures/")
        }
        for page in pages {
            for link in Markdown(page.text).links where !link.target.contains("://") {
                if let problem = problem(of: link.target, from: page) {
                    findings.append(
                        Finding(path: page.path, line: link.line, message: problem))
                }
            }
        }
        report(findings)
    }

    @Test("every page of docs can be reached from the README")
    func reachable() {
        var todo = ["README.md"]
        var seen: Set<String> = []
        while let path = todo.popLast() {
            guard seen.insert(path).inserted, let page = repository.file(path) else { continue }
            for link in Markdown(page.text).links where !link.target.contains("://") {
                let target = String(link.target.prefix { $0 != "#" })
                if !target.isEmpty { todo.append(Self.resolve(target, from: path)) }
            }
        }
        let pages = repository.paths.filter { $0.hasPrefix("docs/") && $0.hasSuffix(".md") }
        report(
            pages.filter { !seen.contains($0) }.map {
                Finding(path: $0, message: "no page links to it")
            })
    }

    @Test("every diagnostic code of the sources is documented, and no other")
    func diagnosticCodes() throws {
        let page = try #require(repository.file("docs/diagnostics.md"))
        let documented = Self.codes(page.text)
        var used: [String: String] = [:]
        for file in repository.files
        where file.path.hasPrefix("Sources/") && file.has(".swift", ".py") && !file.isGenerated
            && file.path != "Sources/CLI/DiagnosticCodes.swift"
        {
            for code in Self.codes(file.text) { used[code] = file.path }
        }
        report(
            used.filter { !documented.contains($0.key) }.map {
                Finding(path: $0.value, message: "\($0.key) is not in docs/diagnostics.md")
            })
        report(
            documented.subtracting(used.keys).sorted().map {
                Finding(path: page.path, message: "\($0) is used nowhere")
            })
    }

    @Test("the rules read links, headings and codes as a reader does")
    func rulesFire() {
        let page = Markdown(
            """
            # The `plan`, in short
            See [one](a.md#b), ![two](c.svg) and `[no](x)`.
            ```sh
            [no](y)
            ```
            ## Twice
            ## Twice
            """)
        #expect(page.links.map(\.target) == ["a.md#b", "c.svg"])
        #expect(page.anchors == ["the-plan-in-short", "twice", "twice-1"])
        #expect(Self.codes("DNB101, DNB99, DNB2020 xDNB303") == ["DNB101"])
        #expect(Self.resolve("../a/./b.md", from: "docs/adr/0001.md") == "docs/a/b.md")
    }

    private func problem(of target: String, from page: Repository.File) -> String? {
        if target.hasPrefix("mailto:") { return nil }
        let path = String(target.prefix { $0 != "#" })
        let anchor = target.dropFirst(path.count).dropFirst()
        let resolved = path.isEmpty ? page.path : Self.resolve(path, from: page.path)
        guard repository.exists(resolved) else { return "\(target) does not exist" }
        if !anchor.isEmpty, let file = repository.file(resolved), file.has(".md"),
            !Markdown(file.text).anchors.contains(String(anchor))
        {
            return "\(resolved) has no heading #\(anchor)"
        }
        return nil
    }

    static func resolve(_ target: String, from page: String) -> String {
        var parts = page.split(separator: "/").dropLast().map(String.init)
        for part in target.split(separator: "/") {
            if part == ".." {
                _ = parts.popLast()
            } else if part != "." {
                parts.append(String(part))
            }
        }
        return parts.joined(separator: "/")
    }

    /// Whole words of the form `DNB` and three digits.
    static func codes(_ text: String) -> Set<String> {
        Set(
            SwiftText.words(Array(text.utf8)).map(\.text).filter {
                $0.utf8.count == 6 && $0.hasPrefix("DNB") && $0.dropFirst(3).allSatisfy(\.isNumber)
            })
    }
}
