import ArgumentParser
import Compiler
import Glibc
import PipelineIR

/// `danube lint`.
struct LintCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "lint",
        abstract: "Report every problem of every pipeline in a danubefile.")

    /// How diagnostics are printed.
    enum Format: String, ExpressibleByArgument, CaseIterable { case text, json, sarif, github }

    @Argument(
        help: "A repository, or a danubefile in one. (default: .)", completion: .file())
    var path: String?

    @OptionGroup var source: SourceOptions

    @Option(help: ArgumentHelp("text, json, sarif or github.", valueName: "format"))
    var format: Format = .text

    @Option(
        help: ArgumentHelp("Make this diagnostic an error; may be repeated.", valueName: "code"))
    var deny: [String] = []

    @Flag(help: "Make it an error that a part can only be decided live.")
    var requireStatic = false

    @OptionGroup(title: "Limits") var limits: LimitOptions
    @OptionGroup var colour: ColourOptions

    func run() throws {
        var order = try place()
        order.limits = try limits.limits()
        order.audit = !limits.noAudit
        let report = DiagnosticReport(
            denied: try DiagnosticCodes.denied(deny), requireStatic: requireStatic,
            terminal: .of(STDOUT_FILENO, choice: colour.color))
        let found = report.levelled(try diagnose(order))
        switch format {
        case .text:
            if found.isEmpty {
                var buffer = TextBuffer(colour: report.terminal.colour)
                buffer.put("\(DisplayText.escaped(order.file)): no problems", .green)
                buffer.newline()
                Output.out(buffer)
            } else {
                let text = DiagnosticText.render(found, on: report.terminal)
                Output.out(report.terminal.shown(text))
            }
        case .json: Output.out(DiagnosticJSON.render(found))
        case .sarif: Output.out(Sarif.render(found, file: order.file))
        case .github: Output.out(GitHubAnnotations.render(found, file: order.file))
        }
        if found.contains(where: {
            $0.level == .error && DiagnosticCodes.isEnvironment($0.code)
        }) {
            throw Failure.environmentReported
        }
        if found.contains(where: { $0.level == .error }) { throw Failure.reported }
    }

    /// All pipelines of the file; each problem once, in the order of the source.
    private func diagnose(_ order: Compilations.Order) throws -> [Diagnostic] {
        let first = Compilations.compile(order)
        var found: [Diagnostic] = []
        // Several pipelines and none named is a mistake for `plan`, not for `lint`.
        var compilations = [first]
        if first.pipelines.count > 1 {
            compilations = first.pipelines.map { entry in
                var order = order
                order.pipeline = entry.name
                return Compilations.compile(order)
            }
        }
        for compilation in compilations {
            // A parameter without default is given on the command line, not in the file.
            for diagnostic in compilation.diagnostics where diagnostic.code != "DNB602" {
                // What two pipelines have in common is called from both.
                let isKnown = found.contains {
                    $0.code == diagnostic.code && $0.place == diagnostic.place
                        && $0.message == diagnostic.message
                }
                if !isKnown { found.append(diagnostic) }
            }
        }
        return found.enumerated().sorted { a, b in
            let left = (a.element.place?.file ?? "", a.element.place?.line ?? 0, a.offset)
            let right = (b.element.place?.file ?? "", b.element.place?.line ?? 0, b.offset)
            return left < right
        }.map(\.element)
    }

    private func place() throws(Failure) -> Compilations.Order {
        guard let path else { return try source.order() }
        var source = source
        var status = stat()
        guard stat(path, &status) == 0 else {
            throw .mistake("cannot read \(path): \(FileBytes.reason(errno))")
        }
        if status.st_mode & S_IFMT == S_IFDIR {
            source.place.directory = path
        } else if let slash = path.lastIndex(of: "/") {
            source.place.directory = slash == path.startIndex ? "/" : String(path[..<slash])
            source.file = String(path[path.index(after: slash)...])
        } else {
            source.file = path
        }
        return try source.order()
    }
}
