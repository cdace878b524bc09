import PipelineIR
import Testing

@testable import Executor

@Suite struct CacheKeyTests {
    private let tree = FileTree(sorted: [
        FileTree.Entry(
            path: TreePath(unchecked: Array("src/x.c".utf8)),
            node: .file(Digest(of: [1]), size: 1, isExecutable: false))
    ])

    private func action() -> Action {
        var action = Action(
            command: .script(Template("make")), machine: .host("debian 12"),
            platform: "linux/amd64", inputs: tree)
        action.environment = [
            EnvVar(name: "B", value: Template("2")),
            EnvVar(name: "TOKEN", value: Template(parts: [.literal("x"), .secret("NPM")])),
        ]
        action.secretVersions = [.init(name: "NPM", value: "v7")]
        action.workdir = "sub"
        action.outputs = ["out/", "*.log"]
        action.services = [
            Service(
                name: "db", image: "postgres@sha256:1", env: [], ports: [5432], ready: .empty,
                readyTimeoutMilliseconds: 1)
        ]
        action.scope = "branch"
        return action
    }

    private static let changes: [(String, @Sendable (inout Action) -> Void, Manifest.Kind)] = [
        ("script", { $0.command = .script(Template("make all")) }, .script),
        ("no shell", { $0.command = .argv([Template("make")]) }, .script),
        ("variable", { $0.environment[0].value = Template("3") }, .variable),
        ("variable added", { $0.environment.append(EnvVar(name: "A", value: .empty)) }, .variable),
        ("variable removed", { $0.environment.removeLast() }, .variable),
        ("secret's version", { $0.secretVersions[0].value = "v8" }, .secret),
        ("host", { $0.machine = .host("debian 13") }, .host),
        ("image", { $0.machine = .image("debian 12") }, .image),
        ("platform", { $0.platform = "linux/arm64" }, .platform),
        ("workdir", { $0.workdir = "" }, .workdir),
        ("outputs", { $0.outputs.removeLast() }, .output),
        ("capture", { $0.captures = true }, .capture),
        ("service's image", { $0.services[0].image = "postgres@sha256:2" }, .service),
        ("service's ports", { $0.services[0].ports = [54, 32] }, .service),
        ("network", { $0.network = "none" }, .network),
        ("scope", { $0.scope = "main" }, .scope),
    ]

    @Test(arguments: changes.indices)
    func `what an action is changes its key, and the manifests say so`(index: Int) throws {
        let (what, change, kind) = Self.changes[index]
        var other = action()
        change(&other)
        let before = try Manifest(action())
        let after = try Manifest(other)
        #expect(before.key != after.key, "\(what)")
        let kinds = Manifest.difference(before, after).map { change -> Manifest.Kind? in
            if case .fact(let kind, _, _, _) = change { kind } else { nil }
        }
        #expect(kinds.contains(kind), "\(what)")
        #expect(!kinds.contains(nil))
    }

    @Test func `the order of what has no order is no part of a key`() throws {
        var other = action()
        other.environment.reverse()
        other.outputs.reverse()
        other.outputs.append("out/")
        #expect(try Manifest(other).key == Manifest(action()).key)
        // How long to wait for a service does not change what it is.
        other.services[0].readyTimeoutMilliseconds = 2
        #expect(try Manifest(other).key == Manifest(action()).key)
        #expect(try Manifest.difference(Manifest(other), Manifest(action())).isEmpty)
    }

    @Test func `changed, added and removed files are named with their digests`() throws {
        func file(_ path: String, _ byte: UInt8) -> FileTree.Entry {
            FileTree.Entry(
                path: TreePath(unchecked: Array(path.utf8)),
                node: .file(Digest(of: [byte]), size: 1, isExecutable: false))
        }
        var old = action()
        old.inputs = FileTree(sorted: [file("a", 1), file("b", 2), file("c", 3), file("e", 5)])
        var new = action()
        new.inputs = FileTree(sorted: [file("a", 1), file("b", 9), file("d", 4), file("e", 5)])
        let changes = try Manifest.difference(Manifest(old), Manifest(new))
        #expect(
            changes == [
                .input(file("b", 2).path, old: file("b", 2).node, new: file("b", 9).node),
                .input(file("c", 3).path, old: file("c", 3).node, new: nil),
                .input(file("d", 4).path, old: nil, new: file("d", 4).node),
            ])
        #expect(try Manifest.difference(Manifest(old), Manifest(new), most: 2).count == 2)
        #expect(
            FileTree.difference(.empty, new.inputs).count == 4
                && FileTree.difference(new.inputs, .empty).count == 4)
    }

    @Test func `a manifest is read back as it was written, and never from damaged bytes`() throws {
        let manifest = try Manifest(action())
        let bytes = manifest.encoded()
        #expect(Manifest(encoded: bytes) == manifest)
        #expect(Manifest(encoded: bytes)?.key == manifest.key)
        for count in 0..<bytes.count {
            #expect(Manifest(encoded: Array(bytes[..<count])) != manifest)
        }
    }

    @Test func `texts that look alike have different keys`() throws {
        var composed = action()
        composed.command = .script(Template("caf\u{E9}"))
        var decomposed = action()
        decomposed.command = .script(Template("cafe\u{301}"))
        let a = try Manifest(composed)
        let b = try Manifest(decomposed)
        #expect(a.key != b.key)
        #expect(Manifest.difference(a, b).count == 1)
    }

    @Test func `literal text cannot pass for a reference`() throws {
        func operation(_ base: Template, _ arguments: [String], _ limit: Int64 = -1) -> Template {
            Template(parts: [
                .operation(.init(name: .replace, base: base, arguments: arguments, limit: limit))
            ])
        }
        let templates = [
            Template(parts: [.secret("K")]), Template("\\{secret K\\}"),
            Template("{secret K}"), Template(parts: [.secret("K\\}")]),
            Template(parts: [.secret("K"), .literal("\\}")]), Template("\\\\{secret K\\\\}"),
            Template(parts: [.secret("K}")]), Template(parts: [.secret("K"), .literal("}")]),
            operation(Template("a"), ["b", "c"]), operation(Template("a"), ["b\\\" \\\"c"]),
            operation(Template("a"), ["b", "c"], 1), operation(Template("a\\) \\\"b"), ["c"]),
            operation(operation(Template("a"), ["b"]), ["c"]), Template(""), Template("\\"),
        ]
        let texts = try Set(templates.map { try ReferenceText($0).text })
        #expect(texts.count == templates.count)
        #expect(try ReferenceText(Template(parts: [.secret("K")])).text == "\\{secret K\\}")
    }

    @Test func `an action that depends on an unknown result has no key`() {
        var action = action()
        action.command = .script(
            Template(parts: [
                .operation(.init(name: .strip, base: Template(parts: [.output(StepIndex(3))])))
            ]))
        #expect(throws: ActionError.unresolved(StepIndex(3))) { try Manifest(action) }
    }
}
