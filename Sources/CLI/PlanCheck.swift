import Compiler
import PipelineIR

/// `danube plan --check`: reads a plan that somebody else wrote.
struct PlanCheck {
    var path: String
    var view: PlanView

    /// Prints the digest, or the plan in the format that was asked for.
    func run() throws {
        let bytes = try FileBytes.read(path, limit: PlanLimits.bytes)
        let plan: Plan
        do throws(PlanError) {
            plan = try PlanProto.isProto(bytes) ? PlanProto.decode(bytes) : Plan.decode(json: bytes)
        } catch {
            let position = error.position.map { ":\($0.line):\($0.column)" } ?? ""
            let name = path == "-" ? "standard input" : path
            throw Failure.mistake(
                "\(name)\(position): \(error.path): \(error.message)", hint: error.hint)
        }
        let digest = plan.digest.description
        if view.chosen { return try view.show(plan, PlanTable.Heading(digest: digest)) }
        var buffer = TextBuffer()
        buffer.put(digest + "\n")
        Output.out(buffer)
    }
}
