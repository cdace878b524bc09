extension Template {
    /// The text for people, with `…` where a result or secret goes.
    package var described: String {
        if let literal { return literal }
        return parts.map { part in
            if case .literal(let text) = part { text } else { "…" }
        }.joined()
    }

    /// Keys of the secrets in the text, in order.
    package var secrets: [String] {
        parts.flatMap { part -> [String] in
            switch part {
            case .secret(let key): [key]
            case .operation(let operation): operation.base.secrets
            default: []
            }
        }
    }
}

extension Template.Part {
    /// Whether a literal has a NUL byte, which no program can be given.
    package var hasNUL: Bool {
        if case .literal(let text) = self { text.utf8.contains(0) } else { false }
    }
}

extension Step {
    /// Calls with every template of the step: command, environment, artifact, services.
    package func forEachTemplate(_ body: (Template) -> Void) {
        switch command {
        case .script(let template): body(template)
        case .argv(let arguments): arguments.forEach(body)
        }
        for variable in env { body(variable.value) }
        guard let options else { return }
        if let upload = options.upload { body(upload.path) }
        for service in options.services {
            body(service.ready)
            for variable in service.env { body(variable.value) }
        }
    }
}
