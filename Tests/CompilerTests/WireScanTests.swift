import PipelineIR
import Testing

@testable import Compiler

@Suite struct WireScanTests {
    private func refusal(_ bytes: [UInt8]) -> PlanError? {
        do throws(PlanError) {
            _ = try PlanProto.decode(bytes)
            return nil
        } catch {
            return error
        }
    }

    @Test func `the plan that the others are made of is accepted`() {
        #expect(refusal(WireBytes.plan()) == nil)
    }

    @Test(
        arguments: [
            ("no version", [], .syntax, "$"),
            ("another version", WireBytes.number(1, 2), .version, "$.version"),
            ("a huge version", WireBytes.number(1, .max), .version, "$.version"),
            ("a version that is cut", [0x08, 0xFF], .syntax, "$"),
            ("an unknown field", WireBytes.plan([0x88, 1, 1]), .schema, "$"),
            ("a huge field", WireBytes.plan([0xF8, 0xFF, 0xFF, 0xFF, 0x7F, 1]), .schema, "$"),
            ("field 0", WireBytes.plan([0x00, 1]), .schema, "$"),
            ("in a step", WireBytes.plan(step: WireBytes.number(33, 1)), .schema, "$.steps[0]"),
            ("a group", WireBytes.plan([0x2B, 0x2C]), .schema, "$.steps[0]"),
            ("a wrong type", WireBytes.plan(step: [0x0D, 1, 2, 3, 4]), .schema, "$.steps[0].id"),
            ("a second version", WireBytes.plan(WireBytes.number(1, 1)), .schema, "$.version"),
            ("a second id", WireBytes.plan(step: WireBytes.text(1, "b")), .schema, "$.steps[0].id"),
            (
                "two commands",
                WireBytes.plan(step: WireBytes.bytes(4, []) + WireBytes.bytes(5, [])),
                .schema, "$.steps[0].argv"
            ),
            (
                "a flag that is 2", WireBytes.plan(step: WireBytes.number(10, 2)), .value,
                "$.steps[0].fatal"
            ),
            (
                "an unknown kind", WireBytes.plan(step: WireBytes.number(3, 2)), .value,
                "$.steps[0].kind"
            ),
            (
                "more than 32 bits", WireBytes.plan(step: WireBytes.number(9, 1 << 32)), .value,
                "$.steps[0].condition"
            ),
            (
                "more than 64 bits",
                WireBytes.plan(step: [0x48] + [UInt8](repeating: 0xFF, count: 9) + [2]), .syntax,
                "$.steps[0].condition"
            ),
            (
                "not UTF-8", WireBytes.plan(step: WireBytes.bytes(6, [0xFF])), .syntax, "$"
            ),
            (
                "a string too long",
                WireBytes.plan(
                    step: WireBytes.bytes(6, [UInt8](repeating: 97, count: 1 << 20 + 1))),
                .limit, "$.steps[0].image"
            ),
            (
                "needs without has_needs", WireBytes.plan(step: WireBytes.bytes(25, [0])), .schema,
                "$.steps[0].needs"
            ),
            (
                "half a cleanup", WireBytes.plan(step: [0xF8, 0x01, 0x01]), .schema,
                "$.steps[0].cleanup"
            ),
            (
                "a cleanup after itself",
                WireBytes.plan(step: [0xF8, 0x01, 0x01, 0x80, 0x02, 0x01]),
                .reference, "$.steps[0].cleanup"
            ),
            (
                "an empty part", WireBytes.plan(step: WireBytes.bytes(4, WireBytes.bytes(1, []))),
                .schema, "$.steps[0].script"
            ),
            (
                "an empty condition", WireBytes.plan(WireBytes.bytes(6, [])), .schema,
                "$.conditions[0]"
            ),
            (
                "a frame that is not there", WireBytes.plan(step: WireBytes.number(26, 1)),
                .reference, "$.steps[0].frame"
            ),
            (
                "a huge index", WireBytes.plan(step: WireBytes.number(28, (1 << 32) - 1)),
                .reference,
                "$.steps[0].group"
            ),
            (
                "an edge to itself", WireBytes.plan(step: WireBytes.bytes(22, [0])), .reference,
                "$.steps[0].after[0]"
            ),
            (
                "an operation that is not one",
                WireBytes.plan(
                    step: WireBytes.bytes(
                        4, WireBytes.bytes(1, WireBytes.bytes(5, WireBytes.text(1, "eval"))))),
                .schema, "$.steps[0].script"
            ),
        ] as [(String, [UInt8], PlanError.Reason, String)])
    func `what a plan cannot have is refused with its place`(
        _ what: String, _ bytes: [UInt8], _ reason: PlanError.Reason, _ path: String
    ) {
        let error = refusal(bytes)
        #expect(error?.reason == reason, "\(what): \(String(describing: error))")
        #expect(error?.path.description == path, "\(what): \(String(describing: error))")
    }

    @Test func `edges that are not packed are read as well`() throws {
        let second = WireBytes.bytes(
            5, WireBytes.text(1, "b") + WireBytes.text(2, "b") + WireBytes.number(22, 0))
        #expect(try PlanProto.decode(WireBytes.plan(second)).steps[1].order == [StepIndex(0)])
    }

    @Test func `more steps than a plan may have are refused before they are decoded`() {
        let most = Array(repeating: WireBytes.bytes(5, []), count: PlanLimits.steps)
        let bytes = WireBytes.number(1, 1) + most.joined()
        var scan = WireScan(bytes.count)
        #expect(throws: Never.self) { try scan.check(bytes) }
        #expect(refusal(bytes + WireBytes.bytes(5, []))?.reason == .limit)
    }

    @Test func `more values than a plan may have are refused before they are decoded`() {
        // Each edge is one byte; the plan, its name and its step have a few values of their own.
        let edges = [UInt8](repeating: 0, count: PlanLimits.values)
        let error = refusal(WireBytes.plan(step: WireBytes.bytes(22, edges)))
        #expect(error?.reason == .limit)
        #expect(error?.path.description == "$.steps[0].order")
    }

    @Test func `a plan with more values than its readers take is not written`() {
        var plan = WireBytes.chain(of: 1)
        plan.steps[0].options = Step.Options()
        let service = Service(
            name: "s", image: "i", env: [], ports: [], ready: .empty, readyTimeoutMilliseconds: 0)
        plan.steps[0].options?.services = Array(
            repeating: service, count: PlanLimits.values / WireMessage.service.weight)
        #expect(throws: PlanError.self) { try PlanProto.encode(plan) }
    }

    @Test func `a plan that is too large is refused before it is looked at`() {
        var scan = WireScan(PlanLimits.bytes + 1)
        #expect(throws: PlanError.self) { try scan.check([]) }
    }

    @Test func `templates nest no deeper than a plan may`() {
        let deep = { (levels: Int) -> [UInt8] in
            var template: [UInt8] = []
            for _ in 0..<levels {
                // A limit of -1 is written as 1.
                let operation =
                    WireBytes.text(1, "strip") + WireBytes.bytes(2, template)
                    + WireBytes.number(5, 1)
                template = WireBytes.bytes(1, WireBytes.bytes(5, operation))
            }
            return WireBytes.plan(step: WireBytes.bytes(4, template))
        }
        #expect(refusal(deep(PlanLimits.operations)) == nil)
        #expect(refusal(deep(PlanLimits.operations + 1))?.reason == .limit)
        #expect(refusal(deep(100))?.reason == .limit)
        #expect(refusal(deep(3_000))?.reason == .limit)
        // Nor where nothing has looked inside beforehand.
        #expect(throws: PlanError.self) { try PlanProto.decode(deep(3_000), isKnown: true) }
    }

    @Test func `a plan that is cut anywhere is refused`() throws {
        let bytes = try PlanProto.encode(Plan.decode(json: Array(WireBytes.everything.utf8)))
        var refused = 0
        for count in bytes.indices where refusal(Array(bytes[..<count])) != nil { refused += 1 }
        // A cut between two fields of the plan leaves a plan; most cuts are within one.
        #expect(refused > bytes.count * 9 / 10)
    }

    @Test func `mutated plans are refused or read but never trap`() throws {
        let plan = try PlanProto.encode(Plan.decode(json: Array(WireBytes.everything.utf8)))
        var state: UInt64 = 42
        func next(_ below: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(truncatingIfNeeded: state >> 33) % below
        }
        var read = 0
        for _ in 0..<20_000 {
            var bytes = plan
            for _ in 0...next(3) { bytes[next(bytes.count)] = UInt8(truncatingIfNeeded: next(256)) }
            // Bytes that only claim to be known are no danger either.
            _ = try? PlanProto.decode(bytes, isKnown: true)
            guard let found = try? PlanProto.decode(bytes) else { continue }
            read += 1
            #expect(try PlanProto.decode(PlanProto.encode(found)) == found)
        }
        #expect(read > 100)
    }
}
