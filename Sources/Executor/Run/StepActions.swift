internal import PipelineIR

/// Puts together what steps of a run execute, and on what: all that their results depend on.
struct StepActions {
    private let configuration: RunConfiguration
    private let salt: [UInt8]
    private let machine: Action.Machine
    private let containers: Containers?

    /// `containers` run the steps that name an image, if there are any. `salt` is what this
    /// machine's secret versions are made with.
    init(_ configuration: RunConfiguration, salt: [UInt8], containers: Containers?) {
        self.containers = containers
        self.configuration = configuration
        self.salt = salt
        machine = .host(HostFingerprint.current())
    }

    /// A secret that a step uses and that was not given.
    func missingSecret(_ resolved: ResolvedStep) -> String? {
        resolved.secrets.first { configuration.secrets[$0] == nil }
    }

    /// An image whose digest the step's key would need, and that is not here.
    func missingImage(_ step: StepIndex) -> String? {
        guard let containers else { return nil }
        let plan = configuration.plan
        let settings = plan.steps[step.int]
        let images = [plan.image(of: settings)] + (settings.options?.services ?? []).map(\.image)
        return images.first { !$0.isEmpty && containers.digest(of: $0) == nil }
    }

    /// The action of a step on some inputs.
    func action(
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
        let settings = configuration.plan.steps[step.int]
        action.workdir = settings.workdir
        action.outputs = settings.options?.keyedOutputs ?? []
        action.captures = settings.capture
        let image = containers?.digest(of: configuration.plan.image(of: settings))
        if let image { action.machine = .image(image) }
        action.services = resolved.publicServices.map { service in
            var service = service
            service.image = containers?.digest(of: service.image) ?? service.image
            return service
        }
        action.scope = configuration.isInPlace ? "in-place" : "isolated"
        return action
    }
}
