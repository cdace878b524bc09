import Testing

/// Imports point down only: what each module may import of the project and of its dependencies.
private let mayImport: [String: Set<String>] = [
    "PipelineIR": ["Crypto"],
    "Wire": ["SwiftProtobuf"],
    "CSandbox": [],
    "CPython": ["LibPython"],
    "CGit": [],
    "CCurl": [],
    "CSQLite": [],
    "CSchema": [],
    "CZlib": [],
    "PyBridge": ["CPython", "CSandbox"],
    "Compiler": ["PipelineIR", "Wire", "CSandbox", "CGit", "SwiftProtobuf"],
    "CFiles": [],
    "Executor": ["PipelineIR", "CSandbox", "CFiles", "CSQLite"],
    "CLI": [
        "PipelineIR", "Compiler", "Executor", "CSandbox", "CSchema", "CCurl", "ArgumentParser",
    ],
    "Master": [
        "PipelineIR", "Compiler", "Executor", "CSandbox", "CCurl", "CFiles", "CSQLite", "CZlib",
        "Crypto",
        "FoundationEssentials", "GRDB", "HTTPTypes", "Hummingbird", "HummingbirdCore", "Logging",
        "NIOCore", "NIOHTTPTypes", "NIOPosix", "ServiceLifecycle", "UnixSignals",
    ],
    "MasterProgram": ["Master"],
]

/// Modules of the platform. Foundation is not among them: it costs ten milliseconds of start-up.
private let platform: Set<String> = ["Glibc", "Synchronization", "Swift"]

/// Dependencies that one file of a module hides from the rest.
private let hiddenInOneFile: [String: Set<String>] = [
    "PipelineIR": ["Crypto"], "Compiler": ["SwiftProtobuf"],
]

@Suite("modules")
struct ModuleTests {
    let repository = Repository.shared

    @Test("every folder of Sources is a module with a place in the order")
    func modulesAreKnown() {
        let folders = Set(
            repository.paths.filter { $0.hasPrefix("Sources/") }
                .compactMap { $0.split(separator: "/").dropFirst().first.map(String.init) })
        #expect(folders == Set(mayImport.keys))
    }

    @Test("imports point down only")
    func importsPointDown() {
        report(
            repository.handwritten("Sources/", ".swift").flatMap { file in
                Self.forbiddenImports(file.path, file.text)
            })
    }

    @Test("Package.swift grants a module no more than its imports")
    func packageMatches() throws {
        let manifest = try #require(repository.file("Package.swift"))
        let targets = Self.dependencies(ofTargetsIn: manifest.text)
        #expect(Set(targets.keys).isSuperset(of: mayImport.keys))
        for (target, dependencies) in targets {
            guard let allowed = mayImport[target] else { continue }
            let extra = dependencies.subtracting(allowed)
            #expect(extra.isEmpty, "\(target) may not depend on \(extra.sorted())")
        }
    }

    @Test("a dependency that one file hides is imported in one file")
    func hiddenDependencies() {
        for (module, hidden) in hiddenInOneFile {
            for dependency in hidden {
                let users = repository.handwritten("Sources/\(module)/", ".swift").filter {
                    Self.imports($0.text).contains { $0.module == dependency }
                }
                #expect(users.count <= 1, "\(dependency) is imported by \(users.map(\.path))")
            }
        }
    }

    @Test("only CPython sees Python's headers, and only its own header sees libgit2's")
    func headersStayInside() {
        var findings: [Finding] = []
        for file in repository.handwritten("Sources/", ".c", ".h") {
            for (index, line) in file.lines.enumerated() where line.hasPrefix("#include") {
                let python = line.contains("Python.h") && !file.path.hasPrefix("Sources/CPython/")
                let git = line.contains("git2") && !file.path.hasPrefix("Sources/CGit/")
                if python || git {
                    findings.append(
                        Finding(
                            path: file.path, line: index + 1, message: "foreign header: \(line)"))
                }
            }
        }
        report(findings)
    }

    @Test("the rule finds an import that points up")
    func ruleFires() {
        let source =
            "import Glibc\nprivate import CLI\nimport struct Compiler.Plan\nimport Foundation"
        let found = Self.forbiddenImports("Sources/PipelineIR/X.swift", source)
        #expect(found.map(\.line) == [2, 3, 4])
        #expect(Self.forbiddenImports("Sources/CLI/X.swift", "import Compiler").isEmpty)
    }

    static func forbiddenImports(_ path: String, _ text: String) -> [Finding] {
        guard let module = path.split(separator: "/").dropFirst().first,
            let allowed = mayImport[String(module)]
        else { return [] }
        return imports(text).compactMap { entry in
            guard !allowed.contains(entry.module), !platform.contains(entry.module) else {
                return nil
            }
            return Finding(
                path: path, line: entry.line, message: "\(module) may not import \(entry.module)")
        }
    }

    static func imports(_ text: String) -> [(module: String, line: Int)] {
        let kinds: Set<Substring> = [
            "struct", "class", "enum", "protocol", "func", "let", "var", "typealias",
        ]
        var found: [(module: String, line: Int)] = []
        for (index, line) in text.split(separator: "\n", omittingEmptySubsequences: false)
            .enumerated()
        {
            let words = line.split(separator: " ")
            guard let position = words.firstIndex(of: "import"), position < 3,
                words[..<position].allSatisfy({ modifier($0) })
            else { continue }
            var rest = words[(position + 1)...]
            if let kind = rest.first, kinds.contains(kind) { rest = rest.dropFirst() }
            guard let path = rest.first else { continue }
            found.append((String(path.prefix { $0 != "." }), index + 1))
        }
        return found
    }

    private static func modifier(_ word: Substring) -> Bool {
        word.hasPrefix("@")
            || ["public", "package", "internal", "fileprivate", "private"]
                .contains(word)
    }

    /// The dependencies that the manifest names for each target.
    static func dependencies(ofTargetsIn manifest: String) -> [String: Set<String>] {
        var found: [String: Set<String>] = [:]
        let starts = [".target(", ".executableTarget(", ".testTarget(", ".systemLibrary("]
        var target: String?
        var inside = false
        for line in manifest.split(separator: "\n") {
            if starts.contains(where: { line.contains($0) }) {
                target = nil
                inside = false
            }
            if line.contains(".package(") { continue }
            if target == nil, let name = quoted(line, after: "name: \"") {
                target = name
                found[name] = []
            }
            if line.contains("dependencies:") { inside = true }
            guard inside, let target else { continue }
            // On the line that closes the list, other arguments may follow.
            let list = (line.split(separator: "dependencies:").last ?? line).prefix { $0 != "]" }
            for part in list.split(separator: ",") {
                if let product = quoted(part, after: "name: \"") {
                    if product != target { found[target]?.insert(product) }
                } else if !part.contains("package:"), let name = quoted(part, after: "\"") {
                    found[target]?.insert(name)
                }
            }
            if line.contains("]") { inside = false }
        }
        return found
    }

    private static func quoted(_ text: some StringProtocol, after opening: String) -> String? {
        let parts = String(text).split(separator: opening, omittingEmptySubsequences: false)
        guard parts.count > 1 else { return nil }
        return String(parts[1].prefix { $0 != "\"" })
    }
}
