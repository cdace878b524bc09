import PipelineIR

/// Values of a plan's fields as text, for differences. Empty where nothing is given.
struct FieldText {
    let plan: Plan
    let words: ConditionWords

    /// A field of a step.
    func text(_ field: PlanDifference.Field, _ step: Step) -> String {
        let settings = step.settings
        switch field {
        case .id: return step.id
        case .name: return step.name
        case .kind: return step.kind.word
        case .command: return words.templates.text(step.command)
        case .image: return plan.image(of: step)
        case .env(let name):
            guard let variable = step.env.first(where: { $0.name == name }) else { return "" }
            return words.templates.operand(variable.value)
        case .workdir: return step.workdir
        case .condition: return step.condition.map { "if " + words.text($0) } ?? "always"
        case .check: return "check=\(step.check ? "True" : "False")"
        case .fatal: return step.fatal ? "a failure ends the job" : "a failure is handled"
        case .capture: return step.capture ? "output is used" : "output is not used"
        case .matrix: return step.matrix.map { "\($0.key)=\($0.value)" }.joined(separator: " ")
        case .group: return groups(step.group)
        case .timeout:
            let time = settings.timeoutMilliseconds
            return time == 0 ? "" : StepDetails.duration(time)
        case .retry: return settings.retry.map(text) ?? ""
        case .resources: return settings.resources.map(StepDetails.words) ?? ""
        case .inputs: return settings.inputs.map { $0.joined(separator: ", ") } ?? ""
        case .outputs: return settings.outputs.map { $0.joined(separator: ", ") } ?? ""
        case .cache: return "\(settings.cache)"
        case .services: return settings.services.map(text).joined(separator: ", ")
        case .cleanup: return settings.cleanup == nil ? "" : "cleans up when cancelled"
        case .upload:
            guard let upload = settings.upload else { return "" }
            let kind = upload.junit ? " as a test report" : ""
            return "\(words.templates.text(upload.path)) as \(upload.name)\(kind)"
        }
    }

    /// A field of the plan.
    func text(_ field: PlanDifference.PlanField) -> String {
        switch field {
        case .pipeline: return plan.pipeline
        case .image: return plan.defaultImage
        case .concurrency:
            let rule = plan.concurrencyRule.isEmpty ? "" : " (\(plan.concurrencyRule))"
            return plan.concurrency + rule
        case .parameters:
            return plan.parameters.map { "\($0.name)=\($0.valueJSON)" }.joined(separator: " ")
        case .notes:
            return plan.notes.map { words.templates.text($0.text) }.joined(separator: " / ")
        case .exits:
            return plan.exits.map { exit in
                let condition = exit.condition.map { " if " + words.text($0) } ?? ""
                let message = exit.message.isEmpty ? "" : " (\(exit.message))"
                return exit.kind.word + message + condition
            }.joined(separator: "; ")
        }
    }

    private func groups(_ group: GroupIndex?) -> String {
        var names: [String] = []
        var next = group
        while let index = next, plan.groups.indices.contains(index.int), names.count < 64 {
            let group = plan.groups[index.int]
            let finish = group.kind == .parallel && !group.failFast ? " (all finish)" : ""
            names.append(
                group.kind.word + (group.name.isEmpty ? "" : " \(group.name)") + finish)
            next = group.parent
        }
        return names.reversed().joined(separator: " / ")
    }

    private func text(_ retry: Retry) -> String {
        var text = "\(retry.attempts) after \(StepDetails.duration(retry.delayMilliseconds))"
        text += " × \(retry.backoff)"
        if !retry.onCodes.isEmpty {
            text += " on \(retry.onCodes.map(String.init).joined(separator: ", "))"
        }
        return text
    }

    private func text(_ service: Service) -> String {
        var text = "\(service.name) (\(service.image))"
        if !service.ports.isEmpty {
            text += " ports \(service.ports.map(String.init).joined(separator: ","))"
        }
        for variable in service.env {
            text += " \(variable.name)=\(words.templates.operand(variable.value))"
        }
        let ready = words.templates.text(service.ready)
        return ready.isEmpty ? text : text + " ready when \(ready)"
    }
}
