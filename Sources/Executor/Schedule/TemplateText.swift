package import PipelineIR

/// Evaluates templates as Python would have formatted them.
///
/// Texts are compared and cut by code points, never by characters: a Swift `String` takes
/// canonically equal texts for equal, Python does not.
package enum TemplateText {
    /// Why a template has no text.
    package enum Failure: Error, Sendable, Hashable {
        /// `split()[i]` or `splitlines()[i]` has no such element: Python's `IndexError`.
        case undefined(Template.Operation.Name, index: Int64)
        /// An empty separator: Python's `ValueError`.
        case emptySeparator
        /// There is no output of this step.
        case noOutput(StepIndex)
        /// There is no such secret.
        case noSecret(String)
        /// The text would be longer than this many bytes.
        case tooLong(limit: Int)
    }

    /// Bytes that a text may have: what `replace` gives can grow with every operation.
    package static let limit = 64 << 20

    /// The text of a template, with results and secrets from the closures.
    package static func text(
        of template: Template, secrets: (String) throws -> String?,
        output: (StepIndex) -> String?, code: (StepIndex) -> UInt8
    ) throws -> String {
        if let literal = template.literal { return literal }
        var text = ""
        for part in template.parts {
            switch part {
            case .literal(let literal): text += literal
            case .code(let step): text += String(code(step))
            case .output(let step):
                guard let output = output(step) else { throw Failure.noOutput(step) }
                text += output
            case .secret(let key):
                guard let secret = try secrets(key) else { throw Failure.noSecret(key) }
                text += secret
            case .operation(let operation):
                // Operations stand inside each other at most `PlanLimits.operations` deep.
                let base = try self.text(
                    of: operation.base, secrets: secrets, output: output, code: code)
                text += try apply(operation, to: base)
            }
            if text.utf8.count > limit { throw Failure.tooLong(limit: limit) }
        }
        return text
    }

    /// A string operation on a text.
    package static func apply(
        _ operation: Template.Operation, to base: String
    ) throws(Failure) -> String {
        let first = operation.arguments.first
        switch operation.name {
        case .strip: return PythonText.strip(base, first, left: true, right: true)
        case .lstrip: return PythonText.strip(base, first, left: true, right: false)
        case .rstrip: return PythonText.strip(base, first, left: false, right: true)
        case .lower: return PythonCase.lower(base)
        case .upper: return PythonCase.upper(base)
        case .replace:
            let new = operation.arguments.count > 1 ? operation.arguments[1] : ""
            return try PythonText.replace(base, first ?? "", new, count: operation.limit)
        case .removeprefix: return PythonText.removePrefix(base, first ?? "")
        case .removesuffix: return PythonText.removeSuffix(base, first ?? "")
        case .split:
            if first?.isEmpty == true { throw .emptySeparator }
            return try element(
                PythonSplit.split(base, first, limit: operation.limit), of: operation)
        case .splitlines: return try element(PythonSplit.lines(base), of: operation)
        case .json: return PythonText.json(base)
        case .quote: return PythonText.quote(base)
        case .dedent: return PythonDedent.dedent(base)
        }
    }

    /// Whether a comparison of two texts holds.
    package static func holds(
        _ comparison: Condition.Comparison, _ left: String, _ right: String
    ) -> Bool {
        switch comparison {
        case .equal: left.utf8.elementsEqual(right.utf8)
        // The order of UTF-8 is that of code points.
        case .less: left.utf8.lexicographicallyPrecedes(right.utf8)
        case .lessOrEqual: !right.utf8.lexicographicallyPrecedes(left.utf8)
        case .contained: PythonText.find(Array(left.utf8), in: Array(right.utf8), from: 0) != nil
        case .startsWith: left.utf8.starts(with: right.utf8)
        case .endsWith: left.utf8.reversed().starts(with: right.utf8.reversed())
        case .codeLess: number(left, right) { $0 < $1 }
        case .codeLessOrEqual: number(left, right) { $0 <= $1 }
        }
    }

    private static func number(
        _ left: String, _ right: String, _ holds: (Int64, Int64) -> Bool
    ) -> Bool {
        guard let left = Int64(left), let right = Int64(right) else { return false }
        return holds(left, right)
    }

    private static func element(
        _ pieces: [String], of operation: Template.Operation
    ) throws(Failure) -> String {
        let count = Int64(pieces.count)
        // Neither bound overflows: the count is small, and so is -count.
        guard operation.index < count, operation.index >= -count else {
            throw .undefined(operation.name, index: operation.index)
        }
        let index = operation.index < 0 ? operation.index + count : operation.index
        return pieces[Int(index)]
    }
}
