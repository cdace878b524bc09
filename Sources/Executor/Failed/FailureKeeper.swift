internal import PipelineIR

/// Where a step ran that failed, and what it left there.
struct LeftWorkspace {
    /// Absolute path of the folder.
    var folder: String
    /// What is in it; `nil` for the working copy.
    var state: WorkspaceState?
}

/// Collects what is kept of the steps of a job that failed. Nothing is done where all succeed.
final class FailureKeeper {
    private var kept: [(index: Int, step: FailedStep, state: WorkspaceState?)] = []

    /// Whether one more is kept.
    var hasRoom: Bool { kept.count < FailedJobs.mostSteps }

    /// Takes what is kept of a step.
    func add(_ index: StepIndex, _ step: FailedStep, _ left: LeftWorkspace) {
        kept.append((index.int, step, left.state))
    }

    /// Moves everything to where it outlives the job, and makes room for it. Gives the steps that
    /// are kept now.
    func keep(_ configuration: RunConfiguration) throws -> Set<StepIndex> {
        if kept.isEmpty { return [] }
        let jobs = FailedJobs(configuration.cacheFolder)
        defer { kept = [] }
        let steps = Set(kept.map { StepIndex($0.index) })
        try jobs.keep(kept, job: configuration.job)
        _ = jobs.collect(
            budgetBytes: FailedJobs.budget(ofCache: configuration.cacheBudget))
        guard case .held(let held) = try jobs.hold(configuration.job) else { return [] }
        held.release()
        return steps
    }
}

extension Scheduler {
    /// Keeps what a step left that failed for good: the next steps may change it.
    func keepFailure(_ step: StepIndex, _ end: StepEnd) {
        guard failures.hasRoom else { return }
        do {
            guard let left = try host.left(by: step) else { return }
            failures.add(step, try record(of: step, end, left), left)
        } catch {
            observer.told(
                RunMessage(.warning, "Its workspace cannot be kept: \(error)", step: step))
        }
    }

    private func record(
        of step: StepIndex, _ end: StepEnd, _ left: LeftWorkspace
    ) throws -> FailedStep {
        let settings = plan.steps[step.int]
        let resolved = try resolve(step)
        var record = FailedStep()
        record.name = settings.name.isEmpty ? settings.id : settings.name
        record.repository = configuration.root
        record.ending = end.reason ?? end.code.map { "exit code \($0)" } ?? "failed"
        record.isInPlace = configuration.isInPlace
        record.folder = left.folder
        record.workdir = settings.workdir
        switch resolved.publicCommand {
        case .script(let text): record.command = .script(redacted(text, &record))
        case .argv(let words): record.command = .argv(words.map { redacted($0, &record) })
        }
        let isKeyed =
            configuration.usesCache
            && Cacheability.obstacle(settings, isInPlace: configuration.isInPlace) == nil
        let job = isKeyed ? nil : configuration.job
        if runsInImage(step) {
            record.image = plan.image(of: settings)
            record.imageID = containers?.digest(of: record.image) ?? ""
            record.variables = environment.containerVariables(
                workspace: ContainerOrder.workspace, workdir: settings.workdir, job: job)
            let names = Set(resolved.publicEnvironment.map(\.name))
            record.variables.removeAll { names.contains(String($0.prefix { $0 != "=" })) }
            record.variables += resolved.publicEnvironment.map { "\($0.name)=\($0.value)" }
            record.services = resolved.publicServices.map(FailedStep.Service.init)
        } else {
            record.variables = environment.variables(
                resolved.publicEnvironment, workspace: host.view ?? left.folder, job: job)
        }
        // What another step printed may be a secret as well.
        record.hiddenVariables = record.variables.filter(holdsSecret).map { variable in
            String(variable.prefix { $0 != "=" })
        }
        record.variables.removeAll(where: holdsSecret)
        for index in record.services.indices {
            record.services[index].variables.removeAll(where: holdsSecret)
        }
        return record
    }

    private func redacted(_ text: String, _ record: inout FailedStep) -> String {
        guard holdsSecret(text) else { return text }
        record.isCommandHidden = true
        return log.redactor.redact(text)
    }
}
