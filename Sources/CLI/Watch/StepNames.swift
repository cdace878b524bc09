import PipelineIR

/// What the steps of a plan are called where they are shown, escaped.
struct StepNames {
    /// The name and what sets it apart in a matrix.
    private let short: [String]
    /// Groups before the name where several steps have the same.
    private var long: [Int: String] = [:]

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

    /// The name beside others of its group.
    func short(_ step: StepIndex) -> String {
        short.indices.contains(step.int) ? short[step.int] : "?"
    }

    /// The name beside all others.
    func long(_ step: StepIndex) -> String { long[step.int] ?? short(step) }

    /// A word that names the step on a command line: its id where its name is not enough.
    func word(_ step: StepIndex, in plan: Plan) -> String {
        guard plan.steps.indices.contains(step.int) else { return "?" }
        let entry = plan.steps[step.int]
        let isOne = long[step.int] == nil && entry.matrix.isEmpty && !entry.name.isEmpty
        return ShellWord.quoted(DisplayText.escaped(isOne ? entry.name : entry.id))
    }

    /// What a group is called.
    static func name(_ group: Group) -> String {
        let kind = group.kind == .parallel ? "parallel" : "sequence"
        return group.name.isEmpty ? kind : DisplayText.escaped(group.name)
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
