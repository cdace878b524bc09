import PipelineIR

/// Texts with references as a person reads them: `v{Version.strip()}`, `{secrets.NPM_TOKEN}`.
struct TemplateWords {
    let steps: [Step]
    /// Where a text is cut with `…`, in bytes, so that a hostile plan cannot make a page of one.
    var limit = 4096

    /// The text of a template.
    func text(_ template: Template) -> String {
        if let literal = template.literal { return literal }
        var result = ""
        append(template, to: &result, depth: 0)
        return result
    }

    /// The text of a command: a script as it is, an argv as Python would show the list.
    func text(_ command: Step.Command) -> String {
        switch command {
        case .script(let script): return text(script)
        case .argv(let arguments):
            var words: [String] = []
            for argument in arguments {
                words.append(Self.quoted(text(argument)))
                if words.count == 64, arguments.count > 64 {
                    words.append("…")
                    break
                }
            }
            return "[" + words.joined(separator: ", ") + "]"
        }
    }

    /// A template as an operand: a literal in quotes, one reference bare.
    func operand(_ template: Template) -> String {
        if let literal = template.literal { return Self.quoted(literal) }
        if template.parts.count == 1 {
            var result = ""
            reference(template.parts[0], to: &result, depth: 0)
            return result
        }
        return "f" + Self.quoted(text(template))
    }

    /// The name of a step, however wrong the index.
    func name(_ step: StepIndex) -> String {
        steps.indices.contains(step.int) ? steps[step.int].name : "?"
    }

    static func quoted(_ text: String) -> String { "\"" + text + "\"" }

    private func append(_ template: Template, to result: inout String, depth: Int) {
        for part in template.parts {
            if result.utf8.count > limit {
                result += "…"
                return
            }
            if case .literal(let text) = part {
                result += text
            } else {
                result += "{"
                reference(part, to: &result, depth: depth)
                result += "}"
            }
        }
    }

    private func reference(_ part: Template.Part, to result: inout String, depth: Int) {
        guard depth < 16 else {
            result += "…"
            return
        }
        switch part {
        case .literal(let text): result += Self.quoted(text)
        case .output(let step): result += name(step)
        case .code(let step): result += name(step) + ".code"
        case .secret(let key): result += "secrets." + key
        case .operation(let operation):
            if operation.base.parts.count == 1 {
                reference(operation.base.parts[0], to: &result, depth: depth + 1)
            } else {
                result += "f\""
                append(operation.base, to: &result, depth: depth + 1)
                result += "\""
            }
            result += Self.call(operation)
        }
    }

    private static func call(_ operation: Template.Operation) -> String {
        var arguments = operation.arguments.map(quoted)
        if operation.limit >= 0 { arguments.append(String(operation.limit)) }
        var call = ".\(operation.name.rawValue)(\(arguments.joined(separator: ", ")))"
        if operation.name == .split || operation.name == .splitlines {
            call += "[\(operation.index)]"
        }
        return call
    }
}
