extension Template {
    /// Calls with every step that the template mentions, also inside operations.
    package func forEachStep(_ visit: (StepIndex) -> Void) {
        for part in parts {
            switch part {
            case .literal, .secret: continue
            case .output(let step), .code(let step): visit(step)
            case .operation:
                // A chain of operations is as deep as the danubefile made it, so no recursion.
                var next: [Part] = [part]
                while let part = next.popLast() {
                    switch part {
                    case .literal, .secret: continue
                    case .output(let step), .code(let step): visit(step)
                    case .operation(let operation): next += operation.base.parts
                    }
                }
            }
        }
    }

    /// How many operations stand inside each other.
    var operationDepth: Int {
        var deepest = 0
        var next = parts.map { (part: $0, depth: 0) }
        while let (part, depth) = next.popLast() {
            guard case .operation(let operation) = part else { continue }
            deepest = max(deepest, depth + 1)
            next += operation.base.parts.map { ($0, depth + 1) }
        }
        return deepest
    }

    /// The template with other step indices. Call it on templates within `PlanLimits.operations`.
    package func mapSteps(_ map: (StepIndex) -> StepIndex) -> Template {
        Template(
            parts: parts.map { part in
                switch part {
                case .literal, .secret: return part
                case .output(let step): return .output(map(step))
                case .code(let step): return .code(map(step))
                case .operation(var operation):
                    operation.base = operation.base.mapSteps(map)
                    return .operation(operation)
                }
            })
    }
}

extension Condition {
    /// Calls with every step that the condition mentions itself, not through its operands.
    package func forEachStep(_ visit: (StepIndex) -> Void) {
        switch self {
        case .code(let step, _), .ok(let step): visit(step)
        case .compare(_, let left, let right):
            left.forEachStep(visit)
            right.forEachStep(visit)
        case .defined(let template): template.forEachStep(visit)
        case .all, .any, .not: break
        }
    }

    /// The conditions that it combines.
    package var operands: [ConditionIndex] {
        switch self {
        case .all(let operands), .any(let operands): operands
        case .not(let operand): [operand]
        case .code, .ok, .compare, .defined: []
        }
    }

    /// The condition with other step indices.
    package func mapSteps(_ map: (StepIndex) -> StepIndex) -> Condition {
        switch self {
        case .code(let step, let ranges): .code(map(step), ranges)
        case .ok(let step): .ok(map(step))
        case .compare(let comparison, let left, let right):
            .compare(comparison, left.mapSteps(map), right.mapSteps(map))
        case .defined(let template): .defined(template.mapSteps(map))
        case .all, .any, .not: self
        }
    }
}

extension Step {
    /// Calls with every template of the step and the key under which it stands.
    func forEachTemplate(_ visit: (Template, StaticString) -> Void) {
        switch command {
        case .script(let script): visit(script, "run")
        case .argv(let arguments): for argument in arguments { visit(argument, "run") }
        }
        for variable in env { visit(variable.value, "env") }
        guard let options else { return }
        if let upload = options.upload { visit(upload.path, "upload") }
        for service in options.services {
            for variable in service.env { visit(variable.value, "services") }
            visit(service.ready, "services")
        }
    }

    /// The step with other step indices; edges ascend afterwards.
    func mapSteps(_ map: (StepIndex) -> StepIndex) -> Step {
        func mapped(_ variables: [EnvVar]) -> [EnvVar] {
            variables.map { EnvVar(name: $0.name, value: $0.value.mapSteps(map)) }
        }
        var step = self
        switch command {
        case .script(let script): step.command = .script(script.mapSteps(map))
        case .argv(let arguments): step.command = .argv(arguments.map { $0.mapSteps(map) })
        }
        step.env = mapped(env)
        step.order = order.map(map).sorted()
        step.data = data.map(map).sorted()
        step.conditional = conditional.map(map).sorted()
        step.needs = needs?.map(map).sorted()
        if let cleanup = options?.cleanup {
            step.options?.cleanup = Cleanup(first: map(cleanup.first), last: map(cleanup.last))
        }
        if let upload = options?.upload {
            step.options?.upload?.path = upload.path.mapSteps(map)
        }
        for index in (options?.services ?? []).indices {
            guard let service = options?.services[index] else { continue }
            step.options?.services[index].env = mapped(service.env)
            step.options?.services[index].ready = service.ready.mapSteps(map)
        }
        return step
    }

    /// Calls with every step that must have ended before, once per edge.
    package func forEachPredecessor(_ visit: (StepIndex) -> Void) {
        for target in order { visit(target) }
        for target in data { visit(target) }
        for target in conditional { visit(target) }
        if let needs { for target in needs { visit(target) } }
    }
}
