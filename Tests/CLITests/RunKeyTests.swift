import Compiler
import PipelineIR
import Testing

@testable import CLI

@Suite("what tells one run from another")
struct RunKeyTests {
    private func plan(_ change: (inout Plan) -> Void = { _ in }) -> Plan {
        var plan = Plan(pipeline: "p")
        plan.steps = [
            Step(id: "a", name: "a", command: .script(Template(parts: [.literal("cat src/a.c")])))
        ]
        plan.exits = [Exit(kind: .success, condition: nil)]
        plan.defaultImage = "debian"
        change(&plan)
        return plan
    }

    private func key(
        _ plan: Plan, root: String = "/r", inPlace: Bool = true, host: Bool = false,
        secrets: String = "none"
    ) throws -> Digest {
        RunKey.of(
            try PlanProto.encode(plan), root: root, isInPlace: inPlace, allowsHost: host,
            secrets: secrets)
    }

    private func sources(_ names: [String]) -> [Source] {
        names.map { Source(path: $0, kind: .listing, digest: String(repeating: "a", count: 64)) }
    }

    @Test func `what was read to make a plan is no part of it`() throws {
        let known = try key(plan())
        for names in [["."], [".", "src"], (0..<300).map { "folder \($0)" }] {
            #expect(try key(plan { $0.sources = sources(names) }) == known)
        }
    }

    @Test func `everything else is`() throws {
        let note = Note(
            text: Template(parts: [.literal("said")]), condition: nil, frame: nil, after: 0)
        let keys = [
            try key(plan()), try key(plan(), root: "/s"), try key(plan(), inPlace: false),
            try key(plan(), host: true), try key(plan(), secrets: "other"),
            try key(plan { $0.pipeline = "q" }), try key(plan { $0.defaultImage = "fedora" }),
            try key(plan { $0.steps[0].name = "b" }),
            try key(plan { $0.steps += $0.steps }),
            try key(plan { $0.notes = [note] }),
        ]
        #expect(Set(keys).count == keys.count)
    }

    @Test func `bytes that are no plan have a key of all of them`() {
        func key(_ bytes: [UInt8]) -> Digest {
            RunKey.of(bytes, root: "/r", isInPlace: true, allowsHost: false, secrets: "none")
        }
        // A source that ends too late, a number that never ends, a wire type that plans have not.
        let torn: [[UInt8]] = [
            [0x4A, 0x7F, 1], [0x4A], Array(repeating: 0xFF, count: 20), [0x4B, 1], [],
            [0x4A, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x01],
        ]
        #expect(Set(torn.map(key)).count == torn.count)
    }
}
