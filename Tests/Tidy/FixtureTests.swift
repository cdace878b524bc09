import Testing

/// Folders of fixtures: one case each, and the file that makes a folder a case.
private let caseFolders = ["fixtures/compile/", "fixtures/projects/", "fixtures/watch/"]

@Suite("fixtures")
struct FixtureTests {
    let repository = Repository.shared

    @Test("every fixture belongs to a case")
    func noOrphans() {
        let tests = repository.files.filter {
            $0.path.hasPrefix("Tests/") && !$0.path.hasPrefix("Tests/Tidy/")
        }
        report(
            Self.orphans(repository.paths.filter { $0.hasPrefix("fixtures/") }) { name in
                tests.contains { $0.text.contains(name) }
            })
    }

    @Test("every case has its danubefile and is asked for something")
    func wholeCases() {
        for folder in caseFolders {
            let names = Set(
                repository.paths.filter { $0.hasPrefix(folder) }
                    .compactMap { $0.dropFirst(folder.count).split(separator: "/").first })
            #expect(!names.isEmpty, "\(folder) is empty")
        }
    }

    @Test("the rule finds a file that no case reads")
    func ruleFires() {
        let found = Self.orphans([
            "fixtures/compile/a/danubefile.py", "fixtures/compile/a/plan.json",
            "fixtures/compile/b/plan.json", "fixtures/compile/loose.json", "fixtures/other/x",
            "fixtures/diagnostics/c.py", "fixtures/diagnostics/d.txt",
            "fixtures/diagnostics/e.toml",
        ]) { $0 == "e.toml" }
        #expect(
            found.map(\.path) == [
                "fixtures/compile/b/plan.json", "fixtures/compile/loose.json",
                "fixtures/diagnostics/d.txt", "fixtures/other/x",
            ])
    }

    /// `isNamed` tells whether a test names a file.
    static func orphans(_ paths: [String], isNamed: (String) -> Bool) -> [Finding] {
        let cases = Set(
            paths.compactMap { path -> String? in
                guard path.hasSuffix("/danubefile.py") || path.hasSuffix("/case") else {
                    return nil
                }
                let parts = path.split(separator: "/")
                return parts.count > 3 ? parts[0..<3].joined(separator: "/") : nil
            })
        return paths.sorted().compactMap { path in
            let parts = path.split(separator: "/")
            if parts.last == "README.md", parts.count <= 3 { return nil }
            if path.hasPrefix("fixtures/diagnostics/") {
                let owned = parts.count > 3 || path.hasSuffix(".py") || isNamed(String(parts[2]))
                return owned ? nil : Finding(path: path, message: "is no case")
            }
            let owner = parts.prefix(3).joined(separator: "/")
            let known = caseFolders.contains { path.hasPrefix($0) }
            if known, parts.count > 3, cases.contains(owner) { return nil }
            return Finding(path: path, message: "belongs to no case")
        }
    }
}
