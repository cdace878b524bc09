import PipelineIR

/// One compilation: asks the memo, evaluates, merges, lowers.
enum Attempt {
    static func run(_ request: CompileRequest) -> Compilation {
        var compilation = Compilation()
        let repository: any RepositorySource
        do {
            repository = try Repository.open(root: request.root, revision: request.revision)
        } catch {
            compilation.diagnostics = [error.diagnostic]
            return compilation
        }
        let memo = request.memo ? PlanMemo(request) : nil
        if let found = memo?.find(repository, request) { return found }
        let source = RecordedSource(repository)
        let context = RecordedContext(Repository.context(request))
        var evaluation = Evaluation(
            file: request.file, pipeline: request.pipeline,
            parameters: request.parameters.map { (name: $0.0, value: $0.1) },
            time: request.trigger.time, limits: request.limits)
        evaluation.audit = request.audit
        if let problem = FileCheck.problem(request.file, in: repository) {
            compilation.diagnostics = [problem]
            return compilation
        }
        var gathered = Gathered(limits: request.limits)
        let deadline = Deadline(after: request.limits.wallClock)
        var ended: EndedEvaluation?
        defer { ended?.reap() }
        do {
            let evaluated = try BridgeProcess.evaluate(
                evaluation, source: source, context: context
            ) { kind, payload in
                try gathered.take(kind, payload)
            }
            ended = evaluated
            compilation.sandbox = evaluated.report.layers
            try gathered.finish(evaluated.report)
        } catch {
            compilation.diagnostics =
                gathered.diagnostics
                + [EvaluationFailure.diagnostic(gathered.failure ?? error, request)]
            SourceLines.fill(&compilation.diagnostics, from: source)
            return compilation
        }
        conclude(gathered, request, source, context, deadline, &compilation)
        addForms(request, remembered: memo != nil, deadline, &compilation)
        memo?.keep(compilation, reads: source, context: context)
        return compilation
    }

    /// What is done once the evaluator has said everything.
    static func conclude(
        _ gathered: Gathered, _ request: CompileRequest, _ source: RecordedSource,
        _ context: RecordedContext, _ deadline: Deadline, _ compilation: inout Compilation
    ) {
        compilation.pipelines = gathered.evaluated.pipelines.map { ($0.name, $0.documentation) }
        compilation.diagnostics = gathered.diagnostics
        if gathered.evaluated.isWhole, !gathered.evaluated.function.isEmpty {
            lower(gathered, request, source, context, deadline, &compilation)
        }
        SourceLines.fill(&compilation.diagnostics, from: source)
        if compilation.diagnostics.contains(where: { $0.level == .error }) {
            compilation.plan = nil
            compilation.protoBytes = nil
        }
    }

    /// What is wrong with what `@pipeline` was given.
    private static func headProblems(
        _ evaluated: Evaluated, _ file: String, _ source: RecordedSource, _ checks: inout StepChecks
    ) -> [Diagnostic] {
        if !evaluated.image.isEmpty { checks.check(image: evaluated.image, nil) }
        checks.check(name: evaluated.name, "the pipeline", nil)
        var problems: [Diagnostic] = []
        if !checks.diagnostics.isEmpty {
            let image = place(of: "\"\(evaluated.image)\"", in: file, source)
            problems = checks.takeDiagnostics(placedAt: image)
        }
        checks.check(concurrency: evaluated.concurrency, rule: evaluated.concurrencyRule)
        if !checks.diagnostics.isEmpty {
            let group = place(of: "concurrency", in: file, source)
            problems += checks.takeDiagnostics(placedAt: group)
        }
        return problems
    }

    private static func lower(
        _ gathered: Gathered, _ request: CompileRequest, _ source: RecordedSource,
        _ context: RecordedContext, _ deadline: Deadline, _ compilation: inout Compilation
    ) {
        let evaluated = gathered.evaluated
        var plan = Plan(pipeline: evaluated.name)
        plan.entry = "\(request.file):\(evaluated.function)"
        plan.description = Quantity.withoutNUL(evaluated.documentation)
        plan.defaultImage = evaluated.image
        plan.parameters = evaluated.parameters
        plan.concurrency = evaluated.concurrency
        plan.concurrencyRule = evaluated.concurrencyRule
        do {
            let recording = try gathered.reader.finished()
            var checks = StepChecks(frames: recording.frames)
            let headProblems = headProblems(evaluated, request.file, source, &checks)
            var lowering = Lowering(recording, plan: plan, checks: checks, deadline: deadline)
            try lowering.run()
            plan = lowering.plan
            compilation.paths = recording.pathCount
            compilation.diagnostics += headProblems + lowering.checks.diagnostics
        } catch {
            return say(error, request, &compilation)
        }
        if gathered.hasErrors || compilation.diagnostics.contains(where: { $0.level == .error }) {
            return
        }
        if plan.steps.isEmpty, !plan.exits.contains(where: { $0.kind == .live }) {
            compilation.diagnostics.append(
                Diagnostic(
                    code: "DNB504", level: .warning,
                    message: "The pipeline `\(plan.pipeline)` has no steps",
                    place: place(of: "def \(evaluated.function)(", in: request.file, source),
                    hint: "Call step.run(…) in it; for this event nothing would run."))
        }
        plan.context = context.values.map { ContextValue(name: $0.name, valueJSON: $0.json) }
        plan.sources = source.sources
        do {
            try plan.validate(unless: { deadline.left <= 0 })
        } catch {
            if deadline.left <= 0 { return say(.late, request, &compilation) }
            compilation.diagnostics.append(
                Diagnostic(
                    code: "DNB807", level: .error,
                    message: "The evaluation gave a plan that is refused: \(error)",
                    hint: "If the danubefile does nothing strange, report this."))
            return
        }
        compilation.plan = plan
        compilation.isLive = plan.exits.contains { $0.kind == .live }
    }

    /// Writes the plan in the forms that are wanted, as part of what has to be done in time.
    private static func addForms(
        _ request: CompileRequest, remembered: Bool, _ deadline: Deadline,
        _ compilation: inout Compilation
    ) {
        guard let plan = compilation.plan else { return }
        let isKept = request.form == .proto || remembered
        guard isKept || request.form == .json else { return }
        let isOver = { deadline.left <= 0 }
        // A plan that comes too late is not worth its encoding.
        if isKept, !isOver() { addProto(plan, request, &compilation) }
        guard !isOver(), let bytes = plan.canonicalJSON(unless: isOver) else {
            compilation.plan = nil
            compilation.protoBytes = nil
            return say(.late, request, &compilation)
        }
        compilation.knownDigest = PlanDigest(Digest(of: bytes))
        if request.form == .json { compilation.jsonBytes = bytes }
    }

    private static func say(
        _ error: RecordingError, _ request: CompileRequest, _ compilation: inout Compilation
    ) {
        compilation.diagnostics.append(EvaluationFailure.diagnostic(error, request))
    }

    /// A plan that is too large for protobuf is not remembered, and refused where it is asked for.
    private static func addProto(
        _ plan: Plan, _ request: CompileRequest, _ compilation: inout Compilation
    ) {
        do throws(PlanError) {
            compilation.protoBytes = try PlanProto.encode(plan)
        } catch {
            guard request.form == .proto else { return }
            compilation.plan = nil
            compilation.diagnostics.append(
                Diagnostic(
                    code: "DNB804", level: .error,
                    message: "The plan cannot be written in protobuf: \(error)",
                    hint: "Print it with --format json, or split the pipeline."))
        }
    }
}

extension Attempt {
    /// The first line of a file that has a text in it.
    private static func place(
        of text: String, in file: String, _ source: RecordedSource
    ) -> Diagnostic.Place {
        guard case .content(let bytes) = source.peek(file) else {
            return Diagnostic.Place(file: file, line: 1, column: 1)
        }
        let line = SourceLines.line(of: text, in: bytes)
        return Diagnostic.Place(file: file, line: line, column: 1)
    }
}

/// What the evaluator's frames add up to.
struct Gathered {
    private(set) var reader: RecordingReader
    private(set) var diagnostics: [Diagnostic] = []
    private(set) var evaluated = Evaluated()
    /// Why a frame was refused.
    private(set) var failure: (any Error)?

    init(limits: Limits) { reader = RecordingReader(limits: limits) }

    var hasErrors: Bool { diagnostics.contains { $0.level == .error } }

    mutating func take(_ kind: FrameKind, _ payload: [UInt8]) throws {
        do { try read(kind, payload) } catch {
            failure = error
            throw error
        }
    }

    private mutating func read(_ kind: FrameKind, _ payload: [UInt8]) throws {
        switch kind {
        case .pathEnd: try reader.beginPath(payload)
        case .tokens: try reader.tokens(payload)
        case .diagnostics: diagnostics += try EvaluatedDiagnostics.read(payload)
        default: throw RecordingError.schema("an unexpected frame")
        }
    }

    mutating func finish(_ report: BridgeReport) throws {
        evaluated = try Evaluated(done: report.done)
        guard evaluated.isWhole || hasErrors else {
            throw RecordingError.schema("the evaluation stopped and does not say why")
        }
    }
}
