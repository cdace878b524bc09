import Compiler
import PipelineIR

/// Prints plans in the format that was asked for.
struct PlanView: Sendable {
    var format: PlanFormat
    /// Whether the format was given.
    var chosen: Bool
    /// Whether long runs of similar steps are printed in full.
    var all: Bool
    var terminal: Terminal

    /// Prints a compiled plan.
    func show(
        _ plan: Plan, _ compilation: Compilation, _ order: Compilations.Order
    ) throws(Failure) {
        if format == .json { return show(json: compilation.jsonBytes ?? plan.canonicalJSON()) }
        let digest = compilation.digest.map(\.description) ?? ""
        let heading = PlanTable.Heading(
            digest: digest, occasion: Compilations.occasion(order), seconds: compilation.seconds,
            memoised: compilation.memoised)
        try show(plan, heading)
    }

    /// Prints a plan in any format.
    func show(_ plan: Plan, _ heading: PlanTable.Heading) throws(Failure) {
        switch format {
        case .table:

            Output.out(
                terminal.shown(PlanTable.render(plan, heading: heading, layout: layout)))
        case .json:
            show(json: plan.canonicalJSON())
        case .dot: Output.out(PlanDot.render(plan))
        case .mermaid: Output.out(PlanMermaid.render(plan))
        case .markdown: Output.out(PlanMarkdown.render(plan, heading: heading))
        case .sarif: Output.out(Sarif.render([], file: plan.entry))
        case .proto:
            do throws(PlanError) {
                Output.write(try PlanProto.encode(plan), to: 1)
            } catch {
                throw .mistake("the plan cannot be written in protobuf: \(error.message)")
            }
        }
    }

    private func show(json: [UInt8]) {
        Output.write(json, to: 1)
        if terminal.interactive { Output.write([0x0a], to: 1) }
    }

    /// Prints what changed between two plans.
    func show(differenceFrom old: Plan, to new: Plan, revision: String) throws(Failure) {
        let difference = DifferenceText(from: old, to: new)
        switch format {
        case .table:
            Output.out(terminal.shown(difference.text(layout, heading: "since \(revision)")))
        case .json: Output.write(difference.json(), to: 1)
        default:
            throw .mistake(
                "--against prints a table or json, not \(format.rawValue)",
                hint: "Leave --format away.")
        }
    }

    /// The layout of tables here.
    var layout: PlanTable.Layout {
        PlanTable.Layout(
            colour: terminal.colour, columns: terminal.columns, unicode: terminal.unicode,
            collapse: terminal.interactive && !all)
    }
}
