import Testing

@Suite("documentation of declarations")
struct DocumentationTests {
    let repository = Repository.shared

    @Test("every `package` declaration has a doc comment that starts with a sentence")
    func packageDeclarations() {
        let texts = repository.handwritten("Sources/", ".swift").map {
            SwiftText(path: $0.path, text: $0.text)
        }
        let requirements = texts.reduce(into: Set<String>()) { $0.formUnion(Self.requirements($1)) }
        report(texts.flatMap { Self.undocumented($0, besides: requirements) })
    }

    @Test("every public name of the Python package has a docstring")
    func pythonPackage() {
        let folder = "Sources/PyBridge/python/danube/"
        report(
            repository.handwritten(folder, ".py").flatMap {
                PythonText(path: $0.path, text: $0.text).undocumented()
            })
    }

    @Test("a doc comment says more than the name of what it documents")
    func docCommentsSaySomething() {
        report(
            repository.handwritten("Sources/", ".swift").flatMap {
                Self.empty(SwiftText(path: $0.path, text: $0.text))
            })
    }

    @Test("the rule finds a doc comment that repeats a name")
    func emptyRuleFires() {
        let source = """
            /// The end line.
            package var endLine: Int32
            /// The .
            package static func < (a: A, b: A) -> Bool { true }
            /// Creates one from its parts.
            package init() {}
            /// The line, from 1.
            package var line: Int32
            /// The value as JSON.
            package var value: String
            """
        let found = Self.empty(SwiftText(path: "a.swift", text: source))
        #expect(found.map(\.line) == [1, 3, 5])
    }

    @Test("the rule finds a declaration without a doc comment")
    func ruleFires() {
        let source = """
            /// A thing.
            package struct A {
                package var b: Int
                package var b2: Int

                package var b3: Int
                /// Runs.
                @inlinable
                package func run() {}
                package init(b: Int) {}
                package static func < (a: A, b: A) -> Bool { true }
                /// Where it stands.
                package var line: Int
                package var column: Int

                package let c: Int
                package func read() {}
                package func write() {}
            }
            package protocol Source {
                func read()
            }
            """
        let text = SwiftText(path: "a.swift", text: source)
        #expect(Self.requirements(text) == ["read"])
        let found = Self.undocumented(text, besides: ["read"])
        #expect(found.map(\.line) == [6, 16, 18, 20])
    }

    /// Says nothing of initialisers that only store their arguments, of operators, and of what a
    /// protocol requires, which is documented there. One comment serves a run of properties; that
    /// of a type serves the run it begins with.
    static func undocumented(_ text: SwiftText, besides requirements: Set<String>) -> [Finding] {
        let silent = requirements.union(["init", "hash", "description", "debugDescription", "id"])
        var findings: [Finding] = []
        for index in text.code.indices {
            guard let (keyword, name) = declaration(text.code[index]) else { continue }
            if silent.contains(keyword) || silent.contains(name) { continue }
            if keyword == "func", isOperator(text.codeText(index)) { continue }
            if !isDocumented(text, index, isProperty: keyword == "var" || keyword == "let") {
                let message = "`\(keyword) \(name)` has no `///`"
                findings.append(Finding(path: text.path, line: index + 1, message: message))
            }
        }
        return findings
    }

    /// Doc comments that say `The name.` of a declaration called `name`, or that fit any.
    static func empty(_ text: SwiftText) -> [Finding] {
        var findings: [Finding] = []
        for index in text.lines.indices.dropLast() {
            let line = text.lines[index].drop { $0 == " " }
            guard line.hasPrefix("/// "), line.hasSuffix(".") else { continue }
            let said = line.dropFirst(4).dropLast().lowercased()
            let next = SwiftText.words(text.code[index + 1]).map { $0.text.lowercased() }
            let subject = said.hasPrefix("the ") ? said.dropFirst(4).filter(\.isLetter) : nil
            let repeats = subject.map { $0.isEmpty || next.contains($0) } ?? false
            if repeats || said == "creates one from its parts" {
                let message = "`\(line)` says nothing"
                findings.append(Finding(path: text.path, line: index + 1, message: message))
            }
        }
        return findings
    }

    /// The keyword and the name of a `package` declaration that begins on the line.
    private static func declaration(_ line: [UInt8]) -> (keyword: String, name: String)? {
        let words = SwiftText.words(line).map(\.text)
        let first = words.first == "inlinable" ? words.dropFirst().first : words.first
        guard first == "package", let keyword = words.firstIndex(where: declares) else {
            return nil
        }
        return (words[keyword], words.count > keyword + 1 ? words[keyword + 1] : "")
    }

    /// What the protocols of a file require.
    static func requirements(_ text: SwiftText) -> Set<String> {
        var names: Set<String> = []
        var inside = false
        for line in text.code {
            let words = SwiftText.words(line).map(\.text)
            if line.first == UInt8(ascii: "}") { inside = false }
            if words.prefix(3).contains("protocol") { inside = true }
            if inside, let keyword = words.firstIndex(where: { $0 == "func" || $0 == "var" }),
                words.count > keyword + 1
            {
                names.insert(words[keyword + 1])
            }
        }
        return names
    }

    private static func declares(_ word: String) -> Bool {
        let keywords: Set = [
            "struct", "enum", "class", "actor", "protocol", "typealias", "func", "var", "let",
            "init",
            "subscript", "case",
        ]
        return keywords.contains(word)
    }

    private static func isOperator(_ line: String) -> Bool {
        guard let name = line.split(separator: "func ").last?.first else { return false }
        return !name.isLetter && name != "_" && name != "`"
    }

    /// Whether a doc comment stands above the line, over attributes and, of a property, over the
    /// properties of its run.
    private static func isDocumented(_ text: SwiftText, _ index: Int, isProperty: Bool) -> Bool {
        var above = index - 1
        while above >= 0 {
            let line = text.lines[above].drop { $0 == " " }
            if line.hasPrefix("///") { return true }
            let keyword = declaration(text.code[above])?.keyword
            if isProperty, ["struct", "class", "enum", "actor"].contains(keyword) { return true }
            let inRun = isProperty && (keyword == "var" || keyword == "let")
            guard inRun || line.hasPrefix("@") || line.hasPrefix("//") else { return false }
            above -= 1
        }
        return false
    }
}
