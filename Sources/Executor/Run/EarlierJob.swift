internal import PipelineIR

/// What became of the steps of an earlier job, for one that runs only what failed in it.
package struct EarlierJob: Sendable {
    /// Name of the job.
    package var job: JobID
    /// Where its artifacts are by name, when this job needs them in a folder of its own.
    package var artifacts: String?
    private let states: [String: StepRecord.State]

    /// Takes what is recorded of a job: ids of its steps with what became of them.
    package init(job: JobID, steps: [(id: String, record: StepRecord)]) {
        self.job = job
        states = Dictionary(
            steps.map { ($0.id, $0.record.state) }, uniquingKeysWith: { first, _ in first })
    }

    /// Steps that are not run again, since they succeeded and nobody needs what they do.
    ///
    /// A step that failed, and everything that depends on it, runs. In the working copy what other
    /// steps did is still there. In a workspace of its own it is not, so those that come before one
    /// that runs do run as well, unless their results are in the cache.
    func settled(_ plan: Plan, isInPlace: Bool) -> Set<StepIndex> {
        let graph = ScheduleGraph(plan, priority: nil)
        var runs = plan.steps.map { step in
            switch states[step.id] {
            case .succeeded, .cached, .skipped: false
            default: true
            }
        }
        // Edges lead from earlier steps to later ones.
        for step in plan.steps.indices where runs[step] {
            for follower in Self.followers(of: step, graph) { runs[follower] = true }
        }
        if !isInPlace {
            for step in plan.steps.indices.reversed() {
                if Self.followers(of: step, graph).contains(where: { runs[$0] }) {
                    runs[step] = true
                }
            }
        }
        return Set(
            plan.steps.indices.filter { index in
                let step = plan.steps[index]
                let hasSucceeded = states[step.id] == .succeeded || states[step.id] == .cached
                return !runs[index] && hasSucceeded && !step.capture
            }.map { StepIndex($0) })
    }

    private static func followers(of step: Int, _ graph: ScheduleGraph) -> [Int] {
        graph.edges[Int(graph.firstEdge[step])..<Int(graph.firstEdge[step + 1])].map {
            Int($0 >> 1)
        }
    }
}
