package import PipelineIR

/// What is to be compiled.
package struct CompileRequest: Sendable {
    /// Folder of the repository.
    package var root: String
    /// The danubefile, relative to the root.
    package var file: String
    /// The pipeline's name; `nil` where there is only one.
    package var pipeline: String?
    /// A commit, branch or tag to read from in place of the working copy.
    package var revision: String?
    /// Parameters as they were given, in that order.
    package var parameters: [(String, String)] = []
    /// Why it runs: what `ctx` says.
    package var trigger = Trigger()
    /// Bounds on its evaluation; what exceeds one is a diagnostic.
    package var limits = Limits()
    /// Whether an earlier plan is taken when everything that it was made of is unchanged.
    package var memo = true
    /// Which forms of the plan are wanted.
    package var form = Form.plan
    /// Whether hooks of the interpreter word refusals; containment does not depend on them.
    package var audit = true

    /// The forms of a plan that a caller can want.
    package enum Form: Sendable {
        /// `Compilation.plan`.
        case plan
        /// `Compilation.protoBytes`; a plan that is remembered is not decoded for it.
        case proto
        /// `Compilation.jsonBytes` beside the plan, unless it is remembered.
        case json
    }

    /// Asks for the only pipeline of a file in a working copy, started by hand.
    package init(root: String, file: String = "danubefile.py") {
        self.root = root
        self.file = file
    }
}

/// What became of a request.
package struct Compilation: Sendable {
    /// The plan; `nil` when a diagnostic of level error says why there is none, or when it was
    /// remembered and only its protobuf form is wanted.
    package var plan: Plan?
    /// The plan in protobuf, where it is wanted or remembered.
    package var protoBytes: [UInt8]?
    /// The plan in canonical JSON, where that was wanted and the plan was not remembered.
    package var jsonBytes: [UInt8]?
    /// Whether a part of the plan can only be decided live.
    package var isLive = false
    /// Everything there is to say of the danubefile, in order of place.
    package var diagnostics: [Diagnostic] = []
    /// Whether an earlier plan was taken.
    package var memoised = false
    /// Name and docstring of the pipelines that the file defines.
    package var pipelines: [(name: String, documentation: String)] = []
    /// Seconds that it took.
    package var seconds = 0.0
    /// Layers of the sandbox that the danubefile was evaluated in; empty when memoised.
    package var sandbox: [SandboxLayer] = []
    /// How many paths were evaluated.
    package var paths = 0

    /// Digest of the plan, where it is known without writing the plan's canonical form.
    package var knownDigest: PlanDigest?

    /// Digest of the plan.
    package var digest: PlanDigest? { knownDigest ?? plan?.digest }
}

/// Compiles danubefiles.
package enum Compiler {
    /// Compiles one pipeline. Blocks for as long as the evaluation takes, at most its limit and
    /// half a second.
    package static func compile(_ request: CompileRequest) -> Compilation {
        let start = ContinuousClock.now
        var compilation = Attempt.run(request)
        let taken = (ContinuousClock.now - start).components
        compilation.seconds = Double(taken.seconds) + Double(taken.attoseconds) / 1e18
        return compilation
    }

    /// Loads and makes what compilations do when they first need it, so that forks of this process
    /// have it.
    package static func warm() {
        _ = try? GitRepository.libraryVersion()
        var plan = Plan(pipeline: "p")
        plan.entry = "danubefile.py:p"
        plan.steps = [Step(id: "p/s", name: "s", command: .script(Template("true")))]
        guard let bytes = try? PlanProto.encode(plan) else { return }
        _ = try? PlanProto.decode(bytes, isKnown: true)
        _ = plan.digest
    }
}
