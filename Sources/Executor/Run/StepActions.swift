internal import PipelineIR

/// Puts together what steps of a run execute, and on what: all that their results depend on.
struct StepActions {
    private let configuration: RunConfiguration
    private let salt: [UInt8]
    private let machine: Action.Machine

    /// `salt` is what this machine's secret versions are made with.
    init(_ configuration: RunConfiguration, salt: [UInt8]) {
        self.configuration = configuration
        self.salt = salt
        machine = .host(HostFingerprint.current())
    }

    /// A secret that a step uses and that was not given.
    func missingSecret(_ resolved: ResolvedStep) -> String? {
        resolved.secrets.first { configuration.secrets[$0] == nil }
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
        action.outputs = settings.options?.outputs ?? []
        action.captures = settings.capture
        action.services = settings.options?.services ?? []
        action.scope = configuration.isInPlace ? "in-place" : "isolated"
        return action
    }
}
