/// Text with references to results and secrets, concatenated.
package struct Template: Sendable, Hashable {
    /// Never has two literals in a row, nor an empty literal.
    package private(set) var parts: [Part]

    /// One piece of a template.
    package indirect enum Part: Sendable, Hashable {
        case literal(String)
        /// Captured standard output of a step.
        case output(StepIndex)
        /// Exit code of a step, in decimal.
        case code(StepIndex)
        /// A secret, by key.
        case secret(String)
        case operation(Operation)
    }

    /// A string operation of Python on a template.
    package struct Operation: Sendable, Hashable {
        /// The operation's name, as in Python.
        package enum Name: String, Sendable, CaseIterable {
            case strip, lstrip, rstrip, lower, upper, replace, removeprefix, removesuffix
            case split, splitlines, json, quote, dedent
        }
        /// Which operation it is.
        package var name: Name
        /// The text that it is applied to.
        package var base: Template
        /// Text arguments in the order of Python; those left away are absent.
        package var arguments: [String]
        /// Element taken from `split` and `splitlines`; may be negative.
        package var index: Int64
        /// `split`: maxsplit, `replace`: count; -1 means all.
        package var limit: Int64
        /// Describes one application.
        package init(
            name: Name, base: Template, arguments: [String] = [], index: Int64 = 0,
            limit: Int64 = -1
        ) {
            self.name = name
            self.base = base
            self.arguments = arguments
            self.index = index
            self.limit = limit
        }
    }

    /// A text of no parts.
    package static let empty = Template(parts: [])

    /// Joins neighbouring literals and drops empty ones.
    package init(parts: [Part]) {
        if parts.count == 1 {
            if case .literal(let text) = parts[0], text.isEmpty {
                self.parts = []
            } else {
                self.parts = parts
            }
            return
        }
        var joined: [Part] = []
        for part in parts {
            if case .literal(let text) = part {
                if text.isEmpty { continue }
                if case .literal(let before)? = joined.last {
                    joined[joined.count - 1] = .literal(before + text)
                    continue
                }
            }
            joined.append(part)
        }
        self.parts = joined
    }

    /// A text without references.
    package init(_ literal: String) {
        parts = literal.isEmpty ? [] : [.literal(literal)]
    }

    /// The text, when it has no reference.
    package var literal: String? {
        if parts.isEmpty { return "" }
        if parts.count == 1, case .literal(let text) = parts[0] { return text }
        return nil
    }
}
