internal import PipelineIR

/// Keeping what a danubefile uploads, at the point of the program where it does.
extension Scheduler {
    /// Keeps the files of an upload.
    func upload(_ step: StepIndex) {
        let failure = keepFiles(of: step)
        host.pass(step)
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
            return "\(error)"
        }
    }
}
