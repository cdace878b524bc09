import Compiler
import PipelineIR

/// `danube plan --event A --event B`: which steps run on which event.
struct PlanMatrix {
    var order: Compilations.Order
    var events: [PlanEvent]
    var report: DiagnosticReport
    var view: PlanView

    /// Compiles for every event and prints one matrix.
    func run() throws {
        guard view.format == .table || view.format == .json else {
            throw Failure.mistake(
                "several events are printed as a table or json, not \(view.format.rawValue)",
                hint: "Give --event once.")
        }
        var plans: [(event: String, plan: Plan)] = []
        var said: [Diagnostic] = []
        var failure: Failure?
        for event in events {
            var order = order
            order.event = event.rawValue
            let compilation = Compilations.compile(order)
            let fresh = compilation.diagnostics.filter { !said.contains($0) }
            said += fresh
            report.say(fresh)
            do {
                try report.judge(compilation, quietly: true)
            } catch {
                failure = error
            }
            if let plan = compilation.plan { plans.append((event.rawValue, plan)) }
        }
        if let failure { throw failure }
        let matrix = EventMatrix(plans)
        if view.format == .json {
            Output.write(matrix.json(), to: 1)
        } else {
            Output.out(view.terminal.shown(matrix.table(view.layout)))
        }
    }
}
