package import PipelineIR

/// What a step executes and on what, without its name: all that its result may depend on.
package struct Action: Sendable, Equatable {
    /// Where the programs come from that a step runs.
    package enum Machine: Sendable, Equatable {
        /// A container image, by its digest.
        case image(String)
        /// This host, by a fingerprint of what is installed on it.
        case host(String)
    }

    /// A name with a value.
    package struct Named: Sendable, Equatable {
        package var name: String
        package var value: String

        /// Pairs a name with its value.
        package init(name: String, value: String) {
            self.name = name
            self.value = value
        }
    }

    /// The script or arguments, with results substituted and secrets as references.
    package var command: Step.Command
    /// What of the step's environment is its own, as `command`.
    package var environment: [EnvVar] = []
    /// Versions of the secrets that are used, by key; never their values.
    package var secretVersions: [Named] = []
    package var machine: Machine
    /// Operating system and processor, as `linux/amd64`.
    package var platform: String
    /// Relative to the workspace; empty for the workspace itself.
    package var workdir = ""
    /// Globs of what is kept of it.
    package var outputs: [String] = []
    /// Whether standard output is captured.
    package var captures = false
    package var services: [Service] = []
    /// What of the network it can reach.
    package var network = ""
    /// Who may trust the result.
    package var scope = ""
    /// What it sees of the workspace.
    package var inputs: FileTree

    /// Creates an action with nothing but what every action has.
    package init(command: Step.Command, machine: Machine, platform: String, inputs: FileTree) {
        self.command = command
        self.machine = machine
        self.platform = platform
        self.inputs = inputs
    }
}

/// The identity of an action: equal keys mean that the result of one is the result of the other.
package struct ActionKey: Sendable, Hashable, CustomStringConvertible {
    /// SHA-256 of the facts of a manifest.
    package var digest: Digest

    /// Creates a key from its digest.
    package init(_ digest: Digest) { self.digest = digest }

    /// 64 hexadecimal digits.
    package var description: String { digest.hex }
}

/// Why an action has no key.
package enum ActionError: Error, Equatable, CustomStringConvertible {
    /// A text still refers to the result of a step, so what would be executed is not known.
    case unresolved(StepIndex)

    /// What the text refers to.
    package var description: String {
        switch self {
        case .unresolved(let step):
            "the action depends on the result of step \(step), which is not known"
        }
    }
}
