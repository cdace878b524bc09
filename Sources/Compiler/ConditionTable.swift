import PipelineIR

/// Writes conditions into a plan's table, each once, operands first.
struct ConditionTable {
    private(set) var conditions: [Condition] = []
    /// Operands of all of them together.
    private(set) var operandCount = 0
    private var known: [Condition: ConditionIndex] = [:]
    private var nodes: [Decisions.Node: ConditionIndex] = [:]
    private var support: [Decisions.Node: [StepIndex]] = [:]

    /// The index of a condition; nil when it always holds.
    mutating func index(
        _ node: Decisions.Node, decisions: Decisions, _ place: (StepIndex) -> StepIndex
    ) -> ConditionIndex? {
        if node == Decisions.always { return nil }
        if let found = nodes[node] { return found }
        guard let split = decisions.split(node) else { return add(.any([])) }
        let found: ConditionIndex
        if split.high == Decisions.always, split.low == Decisions.never {
            found = atom(split.atom, decisions, place)
        } else if split.low == Decisions.always, split.high == Decisions.never {
            found = add(.not(atom(split.atom, decisions, place)))
        } else if split.high == Decisions.always || split.low == Decisions.always {
            found = add(.any(chain(node, stopsAt: Decisions.always, decisions, place)))
        } else if split.high == Decisions.never || split.low == Decisions.never {
            found = add(.all(chain(node, stopsAt: Decisions.never, decisions, place)))
        } else {
            let test = atom(split.atom, decisions, place)
            let high = index(split.high, decisions: decisions, place) ?? test
            let low = index(split.low, decisions: decisions, place) ?? test
            let other = add(.not(test))
            found = add(.any([add(.all([test, high])), add(.all([other, low]))]))
        }
        nodes[node] = found
        return found
    }

    /// A run of atoms joined by `any` (or `all`): those at which the diagram is decided at once.
    private mutating func chain(
        _ start: Decisions.Node, stopsAt end: Decisions.Node, _ decisions: Decisions,
        _ place: (StepIndex) -> StepIndex
    ) -> [ConditionIndex] {
        var operands: [ConditionIndex] = []
        var node = start
        while let split = decisions.split(node), split.high == end || split.low == end {
            let test = atom(split.atom, decisions, place)
            // `any`: a side that always holds is the operand; `all`: the other side is.
            let positive = (split.high == end) == (end == Decisions.always)
            operands.append(positive ? test : add(.not(test)))
            node = split.high == end ? split.low : split.high
        }
        if node != Decisions.always, node != Decisions.never,
            let rest = index(node, decisions: decisions, place)
        {
            operands.append(rest)
        }
        return operands
    }

    private mutating func atom(
        _ number: Int, _ decisions: Decisions, _ place: (StepIndex) -> StepIndex
    ) -> ConditionIndex {
        switch decisions.atoms[number] {
        case .code(let step, let ranges): add(.code(place(step), ranges))
        case .compare(let op, let left, let right):
            add(.compare(op, left.mapSteps(place), right.mapSteps(place)))
        case .defined(let template): add(.defined(template.mapSteps(place)))
        }
    }

    private mutating func add(_ condition: Condition) -> ConditionIndex {
        if let found = known[condition] { return found }
        let found = ConditionIndex(conditions.count)
        conditions.append(condition)
        operandCount += condition.operands.count
        known[condition] = found
        return found
    }

    /// Steps whose results a condition asks about.
    mutating func steps(
        _ node: Decisions.Node, decisions: Decisions, _ place: (StepIndex) -> StepIndex
    ) -> [StepIndex] {
        if let found = support[node] { return found }
        var steps: Set<StepIndex> = []
        var seen: Set<Decisions.Node> = []
        var todo = [node]
        while let one = todo.popLast() {
            guard seen.insert(one).inserted, let split = decisions.split(one) else { continue }
            todo.append(split.high)
            todo.append(split.low)
            switch decisions.atoms[split.atom] {
            case .code(let step, _): steps.insert(place(step))
            case .compare(_, let left, let right):
                left.forEachStep { steps.insert(place($0)) }
                right.forEachStep { steps.insert(place($0)) }
            case .defined(let template): template.forEachStep { steps.insert(place($0)) }
            }
        }
        let found = Array(steps)
        support[node] = found
        return found
    }
}
