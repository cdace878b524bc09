import Compiler
import PipelineIR

/// The only place where the program calls the compiler.
enum Compilations {
    /// What is compiled, as given on the command line.
    struct Order: Sendable {
        var root = "."
        var file = "danubefile.py"
        var pipeline: String?
        var revision: String?
        var parameters: [(String, String)] = []
        var event = "manual"
        var branch: String?
        var tag: String?
        var limits = Limits()
        var memo = true
        var form = CompileRequest.Form.plan
        var audit = true
    }

    /// Compiles.
    static func compile(_ order: Order) -> Compilation {
        var request = CompileRequest(root: order.root, file: order.file)
        request.pipeline = order.pipeline
        request.revision = order.revision
        request.parameters = order.parameters
        request.limits = order.limits
        request.memo = order.memo
        request.form = order.form
        request.audit = order.audit
        request.trigger.event = order.event
        request.trigger.branch = order.branch
        request.trigger.tag = order.tag
        return Compiler.compile(request)
    }

    /// Why it is compiled, for a heading: `push on main`.
    static func occasion(_ order: Order) -> String {
        var words = order.event
        if let tag = order.tag { words += order.event == "tag" ? " \(tag)" : " of tag \(tag)" }
        if let branch = order.branch { words += " on \(branch)" }
        if let revision = order.revision { words += " at \(revision)" }
        return words
    }
}
