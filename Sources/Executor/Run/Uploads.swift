internal import PipelineIR

/// Keeping what a danubefile uploads, at the point of the program where it does.
extension Scheduler {
    /// Keeps the files of an upload.
    func upload(_ step: StepIndex) {
        let failure = keepFiles(of: step)
        host.pass(step)
        observer.keep(.uploaded(step, failure: failure))
        apply(.uploaded(step, failure: failure))
    }

    private func keepFiles(of step: StepIndex) -> String? {
        guard let upload = plan.steps[step.int].options?.upload else { return nil }
        do {
            let path = try schedule.text(of: upload.path, secrets: { _ in nil })
            let name = upload.name.isEmpty ? path : upload.name
            let copied = try host.viewing(step) { folder in
                try artifacts.keep(path, name: name, isReport: upload.junit, from: folder)
            }
            trace[step] = copied
            return nil
        } catch {
            return "\(error)" + (isBranch(step) ? Self.branchHint : "")
        }
    }

    private static let branchHint =
        "; in parallel() it is a branch of its own: put it into a sequence() with what makes it"

    /// Whether a step stands in `parallel()` by itself, and so sees nothing of what stands beside.
    private func isBranch(_ step: StepIndex) -> Bool {
        guard let group = plan.steps[step.int].group else { return false }
        return plan.groups[group.int].kind == .parallel
    }
}
