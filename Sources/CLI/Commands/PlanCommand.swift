import ArgumentParser
import Compiler
import Glibc
import PipelineIR

/// `danube plan`.
struct PlanCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "plan",
        abstract: "Compile a danubefile and show its plan.",
        discussion: """
            Nothing is executed: the file is evaluated in a sandbox with results left open, so \
            the plan shows every step that may run, and when. What cannot be decided before \
            running is marked `live from line N`.
            """)

    @Argument(help: "The pipeline, when the file has several.")
    var pipeline: String?

    @OptionGroup var source: SourceOptions

    @Option(help: ArgumentHelp("Show what changed since this commit.", valueName: "rev"))
    var against: String?

    @OptionGroup var target: PipelineOptions

    @Option(
        name: .customLong("event"),
        help: ArgumentHelp(
            "Why it runs: push, pull_request, tag, cron, manual. Several give one matrix.",
            valueName: "event"))
    var events: [PlanEvent] = []

    @Option(
        help: ArgumentHelp(
            "table, json, proto, dot, mermaid, markdown or sarif. (default: table)",
            valueName: "format"))
    var format: PlanFormat?

    @Flag(help: "The same as --format json.")
    var json = false

    @Flag(help: "Show every step, also of long runs of similar ones.")
    var all = false

    @Flag(help: "Make it an error that a part can only be decided live.")
    var requireStatic = false

    @Option(
        help: ArgumentHelp("Make this diagnostic an error; may be repeated.", valueName: "code"))
    var deny: [String] = []

    @Flag(help: "Evaluate even when nothing changed.")
    var noMemo = false

    @Option(
        name: .customLong("check"),
        help: ArgumentHelp(
            "Validate a plan in JSON or protobuf from a file or, with -, a pipe.", valueName: "file"
        ),
        completion: .file(extensions: ["json"]))
    var checked: String?

    @OptionGroup(title: "Limits") var limits: LimitOptions
    @OptionGroup var colour: ColourOptions

    func validate() throws {
        if json, let format, format != .json {
            throw ValidationError("--json and --format \(format.rawValue) exclude each other.")
        }
        if events.count > 1, against != nil {
            throw ValidationError("--against compares one event: give --event once.")
        }
        if checked != nil, against != nil || pipeline != nil || !events.isEmpty {
            throw ValidationError("--check reads a plan; it takes no pipeline, event or revision.")
        }
    }

    func run() throws {
        let report = try report()
        if let checked { return try PlanCheck(path: checked, view: view).run() }
        let order = try order()
        if events.count > 1 {
            return try PlanMatrix(order: order, events: events, report: report, view: view).run()
        }
        if view.format == .proto, against == nil { return try writeProto(order) }
        let compilation = Compilations.compile(order)
        if view.format == .sarif {
            Output.out(Sarif.render(report.levelled(compilation.diagnostics), file: order.file))
            return try report.judge(compilation, quietly: true)
        }
        try report.judge(compilation)
        guard let plan = compilation.plan else {
            throw Failure.bug("the compiler gave neither a plan nor an error")
        }
        if let against { return try showDifference(plan, against: against, order, report) }
        try view.show(plan, compilation, order)
    }

    /// A plan that is remembered is written as it is, without being decoded.
    private func writeProto(_ order: Compilations.Order) throws {
        var order = order
        order.form = .proto
        let compilation = Compilations.compile(order)
        try report().judge(compilation)
        guard let bytes = compilation.protoBytes else {
            throw Failure.bug("the compiler gave no protobuf form of the plan")
        }
        Output.write(bytes, to: STDOUT_FILENO)
    }

    private func showDifference(
        _ plan: Plan, against revision: String, _ order: Compilations.Order,
        _ report: DiagnosticReport
    ) throws {
        var older = order
        older.revision = revision
        let before = Compilations.compile(older)
        guard let old = before.plan else {
            try report.judge(before)
            throw Failure.bug("the compiler gave neither a plan nor an error")
        }
        try view.show(differenceFrom: old, to: plan, revision: revision)
    }

    private func order() throws(Failure) -> Compilations.Order {
        var order = try source.order()
        order.pipeline = pipeline
        target.fill(&order, event: events.first)
        order.limits = try limits.limits()
        order.audit = !limits.noAudit
        order.memo = !noMemo
        if view.format == .json, against == nil { order.form = .json }
        return order
    }

    private func report() throws(Failure) -> DiagnosticReport {
        DiagnosticReport(
            denied: try DiagnosticCodes.denied(deny), requireStatic: requireStatic,
            terminal: .of(STDERR_FILENO, choice: colour.color))
    }

    private var view: PlanView {
        PlanView(
            format: json ? .json : format ?? .table, chosen: json || format != nil, all: all,
            terminal: .of(STDOUT_FILENO, choice: colour.color))
    }
}

/// How a plan is printed.
enum PlanFormat: String, ExpressibleByArgument, CaseIterable, Sendable {
    case table, json, proto, dot, mermaid, markdown, sarif
}
