import Testing

/// Words that say nothing about what a thing is.
private let bannedWords: Set = [
    "Util", "Utils", "Utilities", "Helper", "Helpers", "Common", "Manager", "Base", "Impl", "Misc",
    "Extras",
]

@Suite("names")
struct NameTests {
    let repository = Repository.shared

    @Test("no file or folder has a name that says nothing")
    func paths() {
        let ours = repository.paths.filter { !$0.hasPrefix("fixtures/") }
        report(ours.compactMap(Self.emptyPath))
    }

    @Test("no type has a name that says nothing")
    func types() {
        var findings: [Finding] = []
        for folder in ["Sources/", "Tests/"] {
            for file in repository.handwritten(folder, ".swift") {
                findings += Self.emptyTypes(SwiftText(path: file.path, text: file.text))
            }
            for file in repository.handwritten(folder, ".py") {
                findings += PythonText(path: file.path, text: file.text).classes()
                    .filter { Self.isEmpty($0.name) }
                    .map { Finding(path: file.path, line: $0.line, message: "type \($0.name)") }
            }
        }
        report(findings)
    }

    @Test("`package` is the widest access inside the repository")
    func nothingIsPublic() {
        var findings: [Finding] = []
        for file in repository.handwritten("Sources/", ".swift") {
            let text = SwiftText(path: file.path, text: file.text)
            for (index, line) in text.code.enumerated() {
                guard Self.isPublic(SwiftText.words(line).map(\.text)) else { continue }
                findings.append(
                    Finding(
                        path: file.path, line: index + 1, message: "`package` is the widest access")
                )
            }
        }
        report(findings)
    }

    @Test("the rules find empty names and spare those that hold a banned word by chance")
    func rulesFire() {
        #expect(Self.emptyPath("Sources/CLI/Plan+Extras.swift") != nil)
        #expect(Self.emptyPath("Sources/utils/Plan.swift") != nil)
        #expect(Self.emptyPath("Sources/CLI/Base64.swift") == nil)
        let source = "package final class LockManager {}\nstruct Base64 {}\nlet helper = 1\n"
        #expect(Self.isPublic(["public", "static", "let"]) && !Self.isPublic(["open", "count"]))
        #expect(Self.emptyTypes(SwiftText(path: "a", text: source)).map(\.line) == [1])
    }

    static func isPublic(_ words: [String]) -> Bool {
        let declares: Set = [
            "struct", "class", "enum", "actor", "protocol", "typealias", "func", "var", "let",
            "init", "subscript", "static", "final", "mutating", "override", "import",
        ]
        guard let first = words.first, first == "public" || first == "open", words.count > 1 else {
            return false
        }
        return declares.contains(words[1])
    }

    static func emptyPath(_ path: String) -> Finding? {
        for part in path.split(separator: "/") {
            let stem = part.prefix { $0 != "." }
            if isEmpty(String(stem)) { return Finding(path: path, message: "an empty name") }
        }
        return nil
    }

    static func emptyTypes(_ text: SwiftText) -> [Finding] {
        text.types().filter { isEmpty($0.name) }.map {
            Finding(path: text.path, line: $0.first + 1, message: "type \($0.name) says nothing")
        }
    }

    /// Whether one of the words of a name, in any of the usual spellings, is banned.
    static func isEmpty(_ name: String) -> Bool {
        words(name).contains { word in
            bannedWords.contains(word.prefix(1).uppercased() + word.dropFirst())
        }
    }

    private static func words(_ name: String) -> [String] {
        var words: [String] = []
        var word = ""
        for character in name {
            if character.isUppercase, let last = word.last, !last.isUppercase {
                words.append(word)
                word = ""
            }
            if character == "_" || character == "-" || character == "+" {
                words.append(word)
                word = ""
            } else {
                word.append(character)
            }
        }
        return words + [word]
    }
}
