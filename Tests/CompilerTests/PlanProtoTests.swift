import PipelineIR
import Testing

@testable import Compiler

@Suite struct PlanProtoTests {
    @Test func `there are goldens`() { #expect(Goldens.paths.count > 100) }

    @Test(arguments: Goldens.paths)
    func `a golden goes to protobuf and back unchanged`(_ path: String) throws {
        let plan = try Goldens.plan(path)
        let bytes = try PlanProto.encode(plan)
        #expect(PlanProto.isProto(bytes))
        let read = try PlanProto.decode(bytes)
        #expect(read == plan)
        #expect(read.digest == plan.digest)
        #expect(try PlanProto.encode(read) == bytes)
    }

    @Test func `a plan of many pieces goes to protobuf and back`() throws {
        let plan = WireBytes.chain(of: 3001)
        let bytes = try PlanProto.encode(plan)
        var scan = WireScan(bytes.count)
        try scan.check(bytes)
        #expect(scan.stepCount == 3001)
        #expect(try PlanProto.decode(bytes) == plan)
    }

    @Test func `every field of every message is kept`() throws {
        let plan = try Plan.decode(json: Array(WireBytes.everything.utf8))
        let bytes = try PlanProto.encode(plan)
        #expect(try PlanProto.decode(bytes) == plan)
        // The plan has every field there is, so that one which is forgotten is found out.
        let all = WireMessage.allCases.flatMap { message in
            message.list.map { "\(message).\($0.name)" }
        }
        #expect(Set(all).subtracting(WireBytes.fields(in: bytes[...], of: .plan)).isEmpty)
    }

    @Test func `an operation as deep as a plan may have goes to protobuf and back`() throws {
        let plan = WireBytes.nested(PlanLimits.operations)
        #expect(try PlanProto.decode(PlanProto.encode(plan)) == plan)
    }

    @Test func `the schema of the scan is that of the file`() throws {
        let text = String(decoding: try Goldens.file(WireBytes.schema), as: UTF8.self)
        let inFile = WireBytes.messages(inSchema: text)
        #expect(inFile.count == WireMessage.allCases.count)
        for message in WireMessage.allCases {
            let name = "\(message)".prefix(1).uppercased() + "\(message)".dropFirst()
            #expect(inFile[name] == message.list.map(WireBytes.describe), "\(name)")
        }
    }
}
