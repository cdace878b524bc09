import PipelineIR

/// Identity of entries while paths are merged: call stack and content, with references to other
/// steps by their identity.
extension Merger {
    mutating func key(_ entry: Entry) -> Int {
        var hasher = Hasher()
        switch entry.kind {
        case .step(let number): return key(number)
        case .upload(let number):
            let upload = recording.uploads[Int(number)]
            hasher.combine(1)
            hasher.combine(upload.frame)
            hasher.combine(upload.name)
            hash(upload.path, &hasher)
        case .note(let text, let frame):
            hasher.combine(2)
            hasher.combine(frame)
            hash(text, &hasher)
        case .group(let group):
            hasher.combine(3)
            hasher.combine(group.kind)
            hasher.combine(group.frame)
            hasher.combine(group.name)
        }
        return hasher.finalize()
    }

    mutating func key(_ number: Int32) -> Int {
        if let known = keys[Int(number)] { return known }
        let step = recording.steps[Int(number)]
        var hasher = Hasher()
        hasher.combine(step.frame)
        hasher.combine(step.name)
        switch step.command {
        case .script(let template): hash(template, &hasher)
        case .argv(let arguments):
            hasher.combine(arguments.count)
            for one in arguments { hash(one, &hasher) }
        }
        if let options = step.options {
            hasher.combine(options.image)
            hasher.combine(options.matrix)
            for variable in options.env {
                hasher.combine(variable.name)
                hash(variable.value, &hasher)
            }
            // A step only refers to steps before it, whose keys are known.
            for need in options.needs ?? [] { hasher.combine(key(need)) }
        }
        let found = hasher.finalize()
        keys[Int(number)] = found
        return found
    }

    private mutating func hash(_ template: Template, _ hasher: inout Hasher) {
        for part in template.parts {
            switch part {
            case .literal(let text): hasher.combine(text)
            case .secret(let key):
                hasher.combine(7)
                hasher.combine(key)
            case .output(let step):
                hasher.combine(8)
                hasher.combine(key(step.value))
            case .code(let step):
                hasher.combine(9)
                hasher.combine(key(step.value))
            case .operation(let operation):
                hasher.combine(operation.name)
                hasher.combine(operation.arguments)
                hasher.combine(operation.index)
                hash(operation.base, &hasher)
            }
        }
    }

    /// Whether two steps do the same, references being to the same steps.
    func same(_ a: RecordedStep, _ b: RecordedStep) -> Bool {
        guard a.frame == b.frame, a.name == b.name, a.check == b.check, a.capture == b.capture,
            a.handled == b.handled
        else { return false }
        switch (a.command, b.command) {
        case (.script(let x), .script(let y)):
            guard same(x, y) else { return false }
        case (.argv(let x), .argv(let y)):
            guard x.count == y.count, zip(x, y).allSatisfy({ same($0, $1) }) else { return false }
        default: return false
        }
        switch (a.options, b.options) {
        case (nil, nil): return true
        case (let x?, let y?): return same(x, y)
        default: return false
        }
    }

    private func same(_ a: RecordedOptions, _ b: RecordedOptions) -> Bool {
        a.image == b.image && a.timeout == b.timeout && a.inputs == b.inputs
            && a.outputs == b.outputs && a.cache == b.cache && a.workdir == b.workdir
            && a.matrix == b.matrix && same(a.env, b.env)
            && a.needs.map { $0.map(resolved) } == b.needs.map { $0.map(resolved) }
            && a.resources.map(\.name) == b.resources.map(\.name)
            && a.resources.map(\.value) == b.resources.map(\.value)
            && a.retries.map(describe) == b.retries.map(describe)
            && a.services.count == b.services.count
            && zip(a.services, b.services).allSatisfy { x, y in
                x.name == y.name && x.image == y.image && same(x.env, y.env) && x.ports == y.ports
                    && x.readyTimeout == y.readyTimeout
                    && same(x.ready ?? .empty, y.ready ?? .empty)
            }
    }

    private func describe(_ retries: RecordedRetry) -> String { "\(retries)" }

    private func same(_ a: [EnvVar], _ b: [EnvVar]) -> Bool {
        a.count == b.count
            && zip(a, b).allSatisfy { $0.name == $1.name && same($0.value, $1.value) }
    }

    func same(_ a: Template, _ b: Template) -> Bool {
        if a == b { return true }
        let root: (StepIndex) -> StepIndex = { StepIndex(Int(resolved($0.value))) }
        return a.mapSteps(root) == b.mapSteps(root)
    }
}
