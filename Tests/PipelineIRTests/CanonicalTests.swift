import Testing

@testable import PipelineIR

@Suite struct CanonicalTests {
    private func json(_ text: String) throws -> Plan { try Plan.decode(json: Array(text.utf8)) }

    @Test func `a plan read from its canonical form is the same plan`() throws {
        let text =
            #"{"pipeline":"p","steps":[{"id":"a","name":"a","run":"echo a"},"#
            + #"{"id":"b","name":"b","needs":["a"],"run":"echo b"}],"version":1}"#
        let plan = try json(text)
        #expect(String(decoding: plan.canonicalJSON(), as: UTF8.self) == text)
        #expect(try Plan.decode(json: plan.canonicalJSON()) == plan)
    }

    @Test(
        arguments: [
            "", "null", "[]", #"{"version":999,"pipeline":"p","steps":[]}"#,
            #"{"version":1,"pipeline":"p","steps":[],"steps":[]}"#,
            #"{"version":1,"pipeline":"p","steps":[{"id":"a","needs":["a"]}]}"#,
            #"{"version":1,"pipeline":"p","steps":[{"id":"a","needs":["b"]}]}"#,
            #"{"version":1,"pipeline":"p","steps":[{"id":"../a"}]}"#,
            #"{"version":1,"pipeline":"p","steps":[{"id":"a"},{"id":"a"}]}"#,
            #"{"version":1,"pipeline":"p","steps":[{"id":"a","hostPath":"/"}]}"#,
            #"{"version":1,"pipeline":"p","steps":[{"id":"a","env":{"A=B":"x"}}]}"#,
        ])
    func `a plan that is not one is refused`(_ text: String) {
        #expect(throws: PlanError.self) { try json(text) }
    }

    @Test func `mutated plans are refused or read but never trap`() throws {
        let text = Array(
            (#"{"conditions":[{"code":{"in":[[1,255]],"step":"a"}}],"pipeline":"p","steps":"#
                + #"[{"id":"a","name":"a","run":"x"},{"conditional":["a"],"id":"b","name":"b","#
                + #""run":["y ",{"code":"a"}],"data":["a"],"when":0}],"version":1}"#).utf8)
        var state: UInt64 = 42
        func next(_ below: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(truncatingIfNeeded: state >> 33) % below
        }
        var read = 0
        for _ in 0..<20_000 {
            var bytes = text
            for _ in 0...next(3) { bytes[next(bytes.count)] = UInt8(truncatingIfNeeded: next(256)) }
            if (try? Plan.decode(json: bytes)) != nil { read += 1 }
        }
        #expect(read > 0)
    }
}
