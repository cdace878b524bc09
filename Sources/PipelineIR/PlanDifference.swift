/// What differs between two plans in meaning: places in the source, and what was read, do not.
package struct PlanDifference: Sendable, Equatable {
    /// What of a step may differ.
    package enum Field: Sendable, Hashable {
        case id, name, kind, command, image, workdir, condition, check, fatal, capture, timeout
        case retry, resources, inputs, outputs, cache, services, upload, matrix, group
        /// Whether it cleans up after a `try`; which steps that has shows at those steps.
        case cleanup
        case env(String)

        /// The word in reports: that of the plan's JSON.
        package var word: String {
            switch self {
            case .command: "run"
            case .condition: "when"
            case .env(let name): "env.\(name)"
            default: "\(self)"
            }
        }
    }

    /// What of the whole plan may differ.
    package enum PlanField: String, Sendable, CaseIterable {
        case pipeline, image, concurrency, parameters, exits, notes
    }

    /// A step that stands in both plans and is not the same.
    package struct Change: Sendable, Equatable {
        package var old: StepIndex
        package var new: StepIndex
        /// Empty when only the edges differ.
        package var fields: [Field]
        /// Whether it waits for other steps than before.
        package var rewired: Bool
    }

    /// Steps of the new plan that the old one does not have.
    package private(set) var added: [StepIndex] = []
    /// Steps of the old plan that the new one does not have.
    package private(set) var removed: [StepIndex] = []
    /// In the order of the new plan.
    package private(set) var changed: [Change] = []
    package private(set) var plan: [PlanField] = []

    /// Whether the plans mean the same.
    package var isEmpty: Bool {
        added.isEmpty && removed.isEmpty && changed.isEmpty && plan.isEmpty
    }

    /// Compares. Steps are the same by id, else by what they run when that is unambiguous.
    package init(from old: Plan, to new: Plan) {
        var comparison = PlanComparison(old, new)
        comparison.match()
        for index in new.steps.indices {
            guard let before = comparison.former[index] else {
                added.append(StepIndex(index))
                continue
            }
            let fields = comparison.fields(before, index)
            let rewired = comparison.isRewired(before, index)
            if !fields.isEmpty || rewired {
                changed.append(
                    Change(
                        old: StepIndex(before), new: StepIndex(index), fields: fields,
                        rewired: rewired))
            }
        }
        let kept = Set(comparison.former.compactMap { $0 })
        removed = old.steps.indices.filter { !kept.contains($0) }.map { StepIndex($0) }
        plan = comparison.planFields()
    }
}

/// Two plans whose steps and conditions have numbers that can be compared.
private struct PlanComparison {
    let old: Plan
    let new: Plan
    /// The old step of each new one.
    private(set) var former: [Int?]
    private var conditions = ConditionClasses()
    private var oldClasses: [Int] = []
    private var newClasses: [Int] = []

    init(_ old: Plan, _ new: Plan) {
        self.old = old
        self.new = new
        former = Array(repeating: nil, count: new.steps.count)
    }

    mutating func match() {
        var places: [String: Int] = [:]
        for (index, step) in old.steps.enumerated() { places[step.id] = index }
        for (index, step) in new.steps.enumerated() {
            former[index] = places.removeValue(forKey: step.id)
        }
        matchMoved(places)
        oldClasses = conditions.number(old.conditions) { $0 }
        let (former, offset) = (former, old.steps.count)
        newClasses = conditions.number(new.conditions) { Self.place($0, former, offset) }
    }

    /// A helper that got another name changes the ids of its steps, and nothing that they do.
    private mutating func matchMoved(_ places: [String: Int]) {
        struct Content: Hashable {
            var name: String
            var command: String
            var matrix: [Coordinate]
        }
        func content(_ step: Step, _ steps: [Step]) -> Content {
            Content(
                name: step.name, command: Self.text(step.command, steps), matrix: step.matrix)
        }
        var left: [Content: [Int]] = [:]
        for index in places.values {
            left[content(old.steps[index], old.steps), default: []].append(index)
        }
        var right: [Content: [Int]] = [:]
        for index in new.steps.indices where former[index] == nil {
            right[content(new.steps[index], new.steps), default: []].append(index)
        }
        for (content, indices) in right where indices.count == 1 {
            if let places = left[content], places.count == 1 { former[indices[0]] = places[0] }
        }
    }

    /// The command with names in place of steps: ids may be what differs.
    private static func text(_ command: Step.Command, _ steps: [Step]) -> String {
        func text(_ template: Template) -> String {
            var text = ""
            for part in template.parts {
                switch part {
                case .literal(let literal): text += literal
                case .secret(let key): text += "\0secret \(key)"
                case .output, .code, .operation: text += "\0result"
                }
            }
            return text
        }
        switch command {
        case .script(let script): return text(script)
        case .argv(let arguments): return arguments.map(text).joined(separator: "\0")
        }
    }

    /// The number of a new step among the old ones; one behind them when it is new.
    private static func place(_ step: StepIndex, _ former: [Int?], _ offset: Int) -> StepIndex {
        guard former.indices.contains(step.int) else { return step }
        return StepIndex(former[step.int] ?? offset + step.int)
    }

    private func place(_ step: StepIndex) -> StepIndex {
        Self.place(step, former, old.steps.count)
    }

    // MARK: Steps

    func isRewired(_ before: Int, _ after: Int) -> Bool {
        func edges(_ step: Step, _ map: (StepIndex) -> StepIndex) -> Set<StepIndex> {
            var all: Set<StepIndex> = []
            step.forEachPredecessor { all.insert(map($0)) }
            return all
        }
        return edges(old.steps[before], { $0 }) != edges(new.steps[after], place)
    }

    func fields(_ before: Int, _ after: Int) -> [PlanDifference.Field] {
        let a = old.steps[before]
        let b = new.steps[after].mapSteps(place)
        var fields: [PlanDifference.Field] = []
        func compare<Value: Equatable>(
            _ field: PlanDifference.Field, _ left: Value, _ right: Value
        ) {
            if left != right { fields.append(field) }
        }
        compare(.id, a.id, b.id)
        compare(.name, a.name, b.name)
        compare(.kind, a.kind, b.kind)
        compare(.command, a.command, b.command)
        compare(.image, old.image(of: a), new.image(of: b))
        for name in Set(a.env.map(\.name)).union(b.env.map(\.name)).sorted() {
            compare(
                .env(name), a.env.first { $0.name == name }?.value,
                b.env.first { $0.name == name }?.value)
        }
        compare(.workdir, a.workdir, b.workdir)
        compare(
            .condition, a.condition.flatMap { oldClasses[at: $0.int] },
            b.condition.flatMap { newClasses[at: $0.int] })
        compare(.check, a.check, b.check)
        if a.check == b.check { compare(.fatal, a.fatal, b.fatal) }
        compare(.capture, a.capture, b.capture)
        compare(.matrix, a.matrix, b.matrix)
        compare(.group, old.path(of: a.group), new.path(of: b.group))
        let (left, right) = (a.settings, b.settings)
        compare(.timeout, left.timeoutMilliseconds, right.timeoutMilliseconds)
        compare(.retry, left.retry, right.retry)
        compare(.resources, left.resources, right.resources)
        compare(.inputs, left.inputs, right.inputs)
        compare(.outputs, left.outputs, right.outputs)
        compare(.cache, left.cache, right.cache)
        compare(.services, left.services, right.services)
        compare(.upload, left.upload, right.upload)
        compare(.cleanup, left.cleanup == nil, right.cleanup == nil)
        return fields
    }

    // MARK: The whole

    func planFields() -> [PlanDifference.PlanField] {
        PlanDifference.PlanField.allCases.filter { field in
            switch field {
            case .pipeline: old.pipeline != new.pipeline
            // The default image shows at the steps that use it.
            case .image:
                old.steps.isEmpty && new.steps.isEmpty && old.defaultImage != new.defaultImage
            case .concurrency:
                old.concurrency != new.concurrency || old.concurrencyRule != new.concurrencyRule
            case .parameters: old.parameters != new.parameters
            case .exits: exits(old, oldClasses) != exits(new, newClasses)
            case .notes: old.notes.map(\.text) != new.notes.map { $0.text.mapSteps(place) }
            }
        }
    }

    private struct End: Equatable {
        var kind: Exit.Kind
        var condition: Int?
        var message: String
        var expression: String
    }

    private func exits(_ plan: Plan, _ classes: [Int]) -> [End] {
        plan.exits.map { exit in
            End(
                kind: exit.kind, condition: exit.condition.flatMap { classes[at: $0.int] },
                message: exit.message, expression: exit.expression)
        }
    }
}

/// Numbers for conditions: equal numbers, equal meaning of their trees, also across plans.
private struct ConditionClasses {
    private var numbers: [Condition: Int] = [:]

    mutating func number(
        _ conditions: [Condition], _ place: (StepIndex) -> StepIndex
    ) -> [Int] {
        var classes: [Int] = []
        classes.reserveCapacity(conditions.count)
        func known(_ index: ConditionIndex) -> Int { classes[at: index.int] ?? -1 }
        for condition in conditions {
            // Operands by class, in a fixed order: `a and b` is `b and a`.
            func sorted(_ operands: [ConditionIndex]) -> [ConditionIndex] {
                operands.map(known).sorted().map { ConditionIndex($0) }
            }
            let key: Condition =
                switch condition {
                case .all(let operands): .all(sorted(operands))
                case .any(let operands): .any(sorted(operands))
                case .not(let operand): .not(ConditionIndex(known(operand)))
                default: condition.mapSteps(place)
                }
            let number = numbers[key] ?? numbers.count
            numbers[key] = number
            classes.append(number)
        }
        return classes
    }
}

extension Plan {
    /// The blocks around a step, as text.
    fileprivate func path(of group: GroupIndex?) -> [String] {
        var path: [String] = []
        var next = group
        while let index = next, groups.indices.contains(index.int), path.count < 64 {
            let group = groups[index.int]
            path.append("\(group.kind.word) \(group.name) \(group.failFast)")
            next = group.parent
        }
        return path
    }
}

extension Array {
    fileprivate subscript(at index: Int) -> Element? {
        indices.contains(index) ? self[index] : nil
    }
}
