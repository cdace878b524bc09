import PipelineIR

/// What the steps of a plan are called where they are shown, escaped. Found out when first asked
/// for: a run that does nothing shows none.
final class StepNames {
    private let plan: Plan
    private lazy var tables = Tables(plan)

    init(_ plan: Plan) { self.plan = plan }

    /// The name beside others of its group.
    func short(_ step: StepIndex) -> String {
        tables.short.indices.contains(step.int) ? tables.short[step.int] : "?"
    }

    /// The name beside all others.
    func long(_ step: StepIndex) -> String { tables.long[step.int] ?? short(step) }

    /// A word that names the step on a command line: its id where its name is not enough.
    func word(_ step: StepIndex, in plan: Plan) -> String {
        guard plan.steps.indices.contains(step.int) else { return "?" }
        let entry = plan.steps[step.int]
        let isOne = tables.long[step.int] == nil && entry.matrix.isEmpty && !entry.name.isEmpty
        return ShellWord.quoted(DisplayText.escaped(isOne ? entry.name : entry.id))
    }

    /// What a group is called.
    static func name(_ group: Group) -> String {
        let kind = group.kind == .parallel ? "parallel" : "sequence"
        return group.name.isEmpty ? kind : DisplayText.escaped(group.name)
    }
}

/// All names at once, since what sets one apart depends on the others.
private struct Tables {
    /// The name and what sets it apart in a matrix.
    let short: [String]
    /// Groups before the name where several steps have the same.
    private(set) var long: [Int: String] = [:]

    init(_ plan: Plan) {
        short = plan.steps.map { step in
            let coordinates = PlanColumns.coordinates(step)
            let name = step.name.isEmpty ? step.id : step.name
            return DisplayText.escaped(coordinates.isEmpty ? name : "\(name) \(coordinates)")
        }
        var first: [String: Int] = [:]
        var again: Set<String> = []
        for (index, name) in short.enumerated() where first.updateValue(index, forKey: name) != nil
        {
            again.insert(name)
        }
        if again.isEmpty { return }
        for (index, name) in short.enumerated() where again.contains(name) {
            let path = Self.path(plan.steps[index].group, plan)
            if !path.isEmpty { long[index] = "\(path)/\(name)" }
        }
    }

    private static func path(_ group: GroupIndex?, _ plan: Plan) -> String {
        var parts: [String] = []
        var next = group
        while let index = next, plan.groups.indices.contains(index.int), parts.count < 8 {
            let group = plan.groups[index.int]
            if !group.name.isEmpty { parts.append(DisplayText.escaped(group.name)) }
            next = group.parent
        }
        return parts.reversed().joined(separator: "/")
    }
}
