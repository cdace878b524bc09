import PipelineIR
import Testing

@testable import Executor

@Suite struct SimulationTests {
    @Test func `every seeded run keeps all invariants and ends`() throws {
        var outcomes: Set<String> = []
        var crashes = 0
        for seed in 1...500 as ClosedRange<UInt64> {
            let plan = RandomPlan.plan(seed)
            try plan.validate()
            var simulation = Simulation(plan, seed: seed)
            simulation.run()
            #expect(simulation.broken.isEmpty, "seed \(seed): \(simulation.broken.prefix(3))")
            crashes += simulation.crashes
            if let outcome = simulation.outcome {
                outcomes.insert(String("\(outcome)".prefix { $0 != "(" }))
            }
        }
        // Seeds that only ever succeed would prove nothing.
        #expect(outcomes.isSuperset(of: ["succeeded", "failed", "failedAtExit", "cancelled"]))
        #expect(crashes > 50)
    }
}
