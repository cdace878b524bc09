import Compiler
import PipelineIR

/// A reader of bytes from strangers, and how its inputs are built.
///
/// A new reader is one more entry of `all`; `scripts/fuzz` takes the names from there.
struct Surface: Sendable {
    var name: String
    /// Reads the input to its end or refuses it. Whatever else it does is a finding.
    var read: @Sendable ([UInt8]) -> Void
    /// The input with a few changes that respect its form, and some that do not.
    var mutate: @Sendable ([UInt8], _ others: [[UInt8]], inout Chance) -> [UInt8]

    static let all = [
        Surface(name: "plan-json", read: planJSON) { bytes, others, chance in
            Mutation(bytes, others).changed(JSONForm.self, &chance)
        },
        Surface(name: "plan-proto", read: planProto) { bytes, others, chance in
            Mutation(bytes, others).changed(ProtoForm.self, &chance)
        },
        Surface(name: "bridge", read: bridge) { bytes, others, chance in
            FrameMutation(bytes, others).changed(&chance)
        },
    ]

    /// A plan that is accepted has a canonical form, which is accepted and has itself for a form.
    private static func planJSON(_ bytes: [UInt8]) {
        guard let plan = try? Plan.decode(json: bytes) else { return }
        expectSteady(plan)
    }

    /// The same of the wire form; and a plan that is accepted can be written in it again.
    private static func planProto(_ bytes: [UInt8]) {
        guard let plan = try? PlanProto.decode(bytes) else { return }
        expectSteady(plan)
        do throws(PlanError) {
            if try PlanProto.decode(PlanProto.encode(plan)) != plan {
                fatalError("the wire form is not steady")
            }
        } catch {
            fatalError("an accepted plan is refused in its wire form: \(error)")
        }
    }

    /// What an evaluator says is compiled or refused; a plan made of it is one that is accepted.
    private static func bridge(_ bytes: [UInt8]) {
        let request = CompileRequest(root: "/", file: "danubefile.py")
        let piece = bytes.count > 64 ? 1 + Int(bytes[bytes.count / 2]) * 16 : 1 << 16
        let outcome = Replay.compile(bytes, pieceBytes: piece, request: request)
        if let plan = outcome.compilation?.plan { expectSteady(plan) }
    }

    private static func expectSteady(_ plan: Plan) {
        let json = plan.canonicalJSON()
        do throws(PlanError) {
            let again = try Plan.decode(json: json)
            if again.canonicalJSON() != json { fatalError("the canonical form is not steady") }
        } catch {
            fatalError("an accepted plan is refused in its canonical form: \(error)")
        }
    }
}
