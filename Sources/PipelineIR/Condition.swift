/// A predicate on results of steps. Operands are conditions that stand before it in the plan.
package enum Condition: Sendable, Hashable {
    /// The step ran and its exit code (0…255) lies in one of the ranges, which ascend.
    case code(StepIndex, [ClosedRange<UInt8>])
    case compare(Comparison, Template, Template)
    case all([ConditionIndex])
    case any([ConditionIndex])
    case not(ConditionIndex)
    /// The step ran and succeeded.
    case ok(StepIndex)
    /// The template's partial operation (`split()[i]`) has a value.
    case defined(Template)

    /// Comparisons of text; the others are their negations.
    package enum Comparison: String, Sendable, CaseIterable {
        case equal = "=="
        case less = "<"
        case lessOrEqual = "<="
        /// Left is contained in right.
        case contained = "in"
        case startsWith = "startswith"
        case endsWith = "endswith"
        /// Of exit codes, as numbers.
        case codeLess = "code<"
        case codeLessOrEqual = "code<="
    }
}
