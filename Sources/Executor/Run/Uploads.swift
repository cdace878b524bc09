internal import PipelineIR

/// Keeping what a danubefile uploads, at the point of the program where it does.
extension Scheduler {
    /// Keeps the files of an upload.
    func upload(_ step: StepIndex) {
        if settled.contains(step), let earlier = configuration.earlier {
            return takeOver(step, from: earlier)
        }
        let failure = keepFiles(of: step)
        host.pass(step)
        observer.keep(.uploaded(step, failure: failure))
        apply(.uploaded(step, failure: failure))
    }

    /// Takes over what an earlier job has kept. Its files may be gone: they are kept for a while.
    private func takeOver(_ step: StepIndex, from earlier: EarlierJob) {
        trace[step] = nil
        explain(step, .hit(key: "", job: earlier.job.text))
        if let folder = earlier.artifacts, let upload = plan.steps[step.int].options?.upload,
            let path = try? schedule.text(of: upload.path, secrets: { _ in nil })
        {
            let name = upload.name.isEmpty ? path : upload.name
            do {
                try artifacts.takeOver(name, isReport: upload.junit, from: folder)
            } catch {
                observer.told(
                    RunMessage(
                        .warning, "The artifact of job \(earlier.job) cannot be had: \(error)",
                        step: step))
            }
        }
        host.pass(step)
        observer.keep(.uploaded(step, failure: nil))
        apply(.uploaded(step, failure: nil))
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
