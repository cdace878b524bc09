package import PipelineIR

/// A step with the results of others filled in, ready to start.
package struct ResolvedStep {
    /// What it runs.
    package enum Command: Equatable {
        case script(String)
        case argv([String])
    }

    /// What it runs, with secrets.
    package var command: Command
    /// The variables of the danubefile, with secrets.
    package var environment: [(name: String, value: String)]
    /// What it runs, with a mark in place of each secret: for keys and explanations.
    package var publicCommand: Command
    /// The variables with a mark in place of each secret.
    package var publicEnvironment: [(name: String, value: String)]
    /// A service with everything filled in.
    struct Service {
        var name: String
        var image: String
        var environment: [(name: String, value: String, isSecret: Bool)]
        var ports: [UInt32]
        var ready: String
        var readyTimeoutMilliseconds: UInt64
    }

    /// The containers that run beside it, with secrets.
    var services: [Service] = []
    /// The same with a mark in place of each secret.
    var publicServices: [PipelineIR.Service] = []
    /// Keys of the secrets it uses, ascending.
    package var secrets: [String]
    /// Whether text that came from a result or a secret is in the command: it is then handed over
    /// in memory, not as an argument that everybody can read.
    package var isPrivate: Bool
    /// Keys of the secrets that are in arguments of a program, ascending.
    package var argumentSecrets: [String] = []

    /// Fills a step's templates in. Throws `TemplateText.Failure`.
    package init(
        _ step: Step, secrets values: SecretValues,
        text: (Template, (String) -> String?) throws -> String
    ) throws {
        var used: Set<String> = []
        let mark: (String) -> String? = { key in
            used.insert(key)
            return SecretMarks.mark(key)
        }
        // Whoever starts the step says which one was not given.
        let value: (String) -> String? = { values[$0] ?? "" }
        switch step.command {
        case .script(let script):
            publicCommand = .script(try text(script, mark))
            isPrivate = script.literal == nil
        case .argv(let words):
            publicCommand = .argv(try words.map { try text($0, mark) })
            argumentSecrets = used.sorted()
            isPrivate = false
        }
        publicEnvironment = try step.env.map { ($0.name, try text($0.value, mark)) }
        for service in step.options?.services ?? [] {
            let shown = try service.env.map { try text($0.value, mark) }
            let ready = try text(service.ready, mark)
            var known = service
            known.env = zip(service.env, shown).map {
                EnvVar(name: $0.name, value: Template($1))
            }
            known.ready = Template(ready)
            publicServices.append(known)
            services.append(
                Service(
                    name: service.name, image: service.image,
                    environment: try zip(service.env, shown).map { variable, shown in
                        let filled = try text(variable.value, value)
                        return (variable.name, filled, filled != shown)
                    },
                    ports: service.ports, ready: try text(service.ready, value),
                    readyTimeoutMilliseconds: service.readyTimeoutMilliseconds))
        }
        if used.isEmpty {
            command = publicCommand
            environment = publicEnvironment
        } else {
            command =
                switch step.command {
                case .script(let script): .script(try text(script, value))
                case .argv(let words): .argv(try words.map { try text($0, value) })
                }
            environment = try step.env.map { ($0.name, try text($0.value, value)) }
        }
        secrets = used.sorted()
    }
}
