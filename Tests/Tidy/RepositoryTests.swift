import Testing

@Suite("repository")
struct RepositoryTests {
    let repository = Repository.shared

    @Test(
        "a file that people look for exists",
        arguments: [
            "README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md", "LICENSE",
            "Makefile",
            ".ci/run", ".editorconfig", ".swift-format", ".gitignore", "Benchmarks/README.md",
            "docs/danubefile.md", "docs/cli.md", "docs/plan.md", "docs/diagnostics.md",
            "docs/glossary.md", "docs/security-model.md", "docs/operations.md",
            "docs/request-lifecycle.md", "proto/danube/plan/v1/plan.proto",
            "Sources/PyBridge/python/danube/py.typed",
        ])
    func required(path: String) {
        #expect(repository.exists(path))
    }

    @Test("the licence is Apache 2.0, whole")
    func licence() throws {
        let licence = try #require(repository.file("LICENSE"))
        #expect(licence.text.contains("Version 2.0, January 2004"))
        #expect(licence.text.contains("9. Accepting Warranty or Additional Liability."))
        #expect(licence.text.contains("END OF TERMS AND CONDITIONS"))
    }

    @Test("the changelog tells of what is not released")
    func changelog() throws {
        let changelog = try #require(repository.file("CHANGELOG.md"))
        #expect(changelog.text.contains("## [Unreleased]"))
    }

    @Test("decision records are numbered without gaps and have their four parts")
    func decisions() {
        let records = repository.files.filter { $0.path.hasPrefix("docs/adr/") }
        #expect(!records.isEmpty)
        for (index, record) in records.enumerated() {
            let number = String(index + 1)
            let padded = String(repeating: "0", count: 4 - number.count) + number
            #expect(record.name.hasPrefix(padded + "-"), "\(record.path)")
            for part in ["## Context", "## Decision", "## Consequences", "## Alternatives"] {
                #expect(record.text.contains(part), "\(record.path) has no \(part)")
            }
        }
    }

    @Test("scripts are executable and say what they do")
    func scripts() {
        for file in repository.files where file.path.hasPrefix("scripts/") {
            #expect(file.text.hasPrefix("#!"), "\(file.path) has no interpreter")
            let said = file.lines.dropFirst().first ?? ""
            #expect(said.hasPrefix("#") || said.hasPrefix("\"\"\""), "\(file.path) says nothing")
        }
    }
}
