package import PipelineIR

/// A template as text in which references cannot be taken for literal text.
///
/// A secret is `\{secret KEY\}`, an operation `\{strip \(TEMPLATE\) 0 -1\}`, with every backslash
/// of literal text doubled: different templates have different texts, and people can read them.
package struct ReferenceText {
    /// The template written out, with every reference marked.
    package private(set) var text = ""

    /// Writes a template. Throws when it refers to the result of a step.
    package init(_ template: Template) throws(ActionError) {
        try append(template)
    }

    private mutating func append(_ template: Template) throws(ActionError) {
        for part in template.parts {
            switch part {
            case .literal(let literal): append(literal)
            case .secret(let key):
                text += "\\{secret "
                append(key)
                text += "\\}"
            case .output(let step), .code(let step): throw .unresolved(step)
            case .operation(let operation):
                text += "\\{\(operation.name.rawValue) \\("
                try append(operation.base)
                text += "\\)"
                for argument in operation.arguments {
                    text += " \\\""
                    append(argument)
                    text += "\\\""
                }
                text += " \(operation.index) \(operation.limit)\\}"
            }
        }
    }

    private mutating func append(_ literal: String) {
        guard literal.utf8.contains(UInt8(ascii: "\\")) else {
            text += literal
            return
        }
        for scalar in literal.unicodeScalars {
            if scalar == "\\" { text += "\\" }
            text.unicodeScalars.append(scalar)
        }
    }
}
