internal import Glibc
internal import PipelineIR

/// Looks results up in the cache of this machine, and keeps them there.
final class CachedResults: ResultKeeper {
    /// What a key was made of, until the result is there.
    private final class Ticket: KeyTicket {
        let action: ActionKey
        let manifest: Manifest

        init(step: StepIndex, manifest: Manifest) {
            action = manifest.key
            self.manifest = manifest
            super.init(step: step, key: action.description, inputs: manifest.inputs)
        }
    }

    private let configuration: RunConfiguration
    private let plan: Plan
    private let cache: ActionCache
    private let salt: [UInt8]
    private let machine: Action.Machine
    private let containers: Containers?
    private let trace: RunTrace
    /// Gives reasons for a miss, where somebody wants to hear them.
    var explain: ((StepIndex, Manifest) -> [String])?

    /// Uses a cache for one run. `salt` is what this machine's secret versions are made with.
    init(
        _ configuration: RunConfiguration, cache: ActionCache, salt: [UInt8], trace: RunTrace,
        containers: Containers?
    ) {
        self.containers = containers
        self.trace = trace
        self.configuration = configuration
        plan = configuration.plan
        self.cache = cache
        self.salt = salt
        machine = .host(
            HostFingerprint.current(path: StepEnvironment(temporary: "").path))
    }

    func look(_ step: StepIndex, _ resolved: ResolvedStep, host: any StepHost) -> Lookup {
        guard let inputs = plan.steps[step.int].options?.inputs,
            plan.steps[step.int].options?.outputs != nil
        else { return .uncacheable("it does not declare its inputs and outputs") }
        let missing = resolved.secrets.filter { configuration.secrets[$0] == nil }
        if let first = missing.first { return .uncacheable("secret `\(first)` was not given") }
        if let image = missingImage(step) {
            return .uncacheable("the image `\(image)` is not on this machine")
        }
        do {
            let tree = try host.inputs(of: step, inputs.map { try Glob($0) })
            let manifest = try Manifest(action(step, resolved, tree))
            let ticket = Ticket(step: step, manifest: manifest)
            guard let found = try cache.lookup(ticket.action) else {
                return .miss(ticket, reasons: explain?(step, manifest) ?? [])
            }
            trace[step] = .cached(inputs: tree, outputs: found.outputs)
            return .hit(
                KnownResult(
                    key: ticket.key, job: found.job, outputs: found.outputs,
                    captured: found.captured,
                    nanoseconds: found.durationMilliseconds &* 1_000_000))
        } catch {
            return .failed("\(error)")
        }
    }

    /// An image whose digest the step's key would need, and that is not here.
    private func missingImage(_ step: StepIndex) -> String? {
        guard let containers else { return nil }
        let settings = plan.steps[step.int]
        let images = [plan.image(of: settings)] + (settings.options?.services ?? []).map(\.image)
        return images.first { !$0.isEmpty && containers.digest(of: $0) == nil }
    }

    private func action(
        _ step: StepIndex, _ resolved: ResolvedStep, _ inputs: FileTree
    ) -> Action {
        let command: Step.Command =
            switch resolved.publicCommand {
            case .script(let text): .script(Template(text))
            case .argv(let words): .argv(words.map { Template($0) })
            }
        var action = Action(
            command: command, machine: machine, platform: HostFingerprint.platform, inputs: inputs)
        action.environment = resolved.publicEnvironment.map {
            EnvVar(name: $0.name, value: Template($0.value))
        }
        action.secretVersions = resolved.secrets.map {
            Action.Named(name: $0, value: configuration.secrets.version(of: $0, salt: salt) ?? "")
        }
        let settings = plan.steps[step.int]
        action.workdir = settings.workdir
        action.outputs = settings.options?.outputs ?? []
        action.captures = settings.capture
        let image = containers?.digest(of: plan.image(of: settings))
        if let image { action.machine = .image(image) }
        action.services = resolved.publicServices.map { service in
            var service = service
            service.image = containers?.digest(of: service.image) ?? service.image
            return service
        }
        action.scope = configuration.isInPlace ? "in-place" : "isolated"
        return action
    }

    func keep(_ result: NewResult, host: any StepHost) throws -> FileTree? {
        guard let ticket = result.ticket as? Ticket,
            let globs = plan.steps[ticket.step.int].options?.outputs
        else { return nil }
        let outputs = try host.outputs(of: ticket.step, globs.map { try Glob($0) })
        // Whoever changed an input meanwhile made the result one of neither content.
        if configuration.isInPlace,
            let inputs = plan.steps[ticket.step.int].options?.inputs,
            try host.inputs(of: ticket.step, inputs.map { try Glob($0) }) != ticket.inputs
        {
            return outputs
        }
        let log = try result.log.flatMap { $0.isEmpty ? nil : try cache.store.insert($0) }
        try cache.enqueue(
            ActionResult(
                key: ticket.action, outputs: outputs, log: log, captured: result.captured,
                durationMilliseconds: result.nanoseconds / 1_000_000, job: configuration.job,
                step: plan.steps[ticket.step.int].id, created: Int64(time(nil))),
            manifest: ticket.manifest.encoded())
        trace[ticket.step] = .cached(inputs: ticket.inputs, outputs: outputs)
        return outputs
    }
}
