import Compiler
import PipelineIR

/// Which diagnostics count as errors, and how they are said.
struct DiagnosticReport: Sendable {
    /// Codes whose diagnostics are errors whatever their level.
    var denied: Set<String> = []
    /// Whether a part that is only decided live is an error.
    var requireStatic = false
    var terminal: Terminal

    /// The diagnostics with the levels they have under `--deny` and `--require-static`.
    func levelled(_ diagnostics: [Diagnostic]) -> [Diagnostic] {
        diagnostics.map { diagnostic in
            var diagnostic = diagnostic
            let dynamic = requireStatic && diagnostic.code.hasPrefix("DNB2")
            if dynamic || denied.contains(diagnostic.code) { diagnostic.level = .error }
            return diagnostic
        }
    }

    /// Says diagnostics on standard error.
    func say(_ diagnostics: [Diagnostic]) {
        if diagnostics.isEmpty { return }
        Output.err(terminal.shown(DiagnosticText.render(levelled(diagnostics), on: terminal)))
    }

    /// Says all diagnostics on standard error, and throws when one is an error.
    func judge(_ compilation: Compilation, quietly: Bool = false) throws(Failure) {
        let diagnostics = levelled(compilation.diagnostics)
        if !quietly { say(compilation.diagnostics) }
        let errors = diagnostics.filter { $0.level == .error }
        if errors.contains(where: { DiagnosticCodes.isEnvironment($0.code) }) {
            throw .environmentReported
        }
        if !errors.isEmpty { throw .reported }
        if requireStatic, compilation.isLive {
            throw .mistake("a part of the pipeline is only decided live (--require-static)")
        }
        if compilation.plan == nil, compilation.protoBytes == nil {
            throw .bug("there is no plan and no diagnostic says why")
        }
    }
}
