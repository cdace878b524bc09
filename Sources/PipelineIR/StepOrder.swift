extension Plan {
    /// Puts every step behind the steps that it needs or whose results its condition asks for,
    /// and else keeps the order they have (Kahn's algorithm, the first that is ready comes first).
    ///
    /// Gives the former position of each step, or nothing when all stood right already. Throws
    /// when steps wait for each other. Indices that are out of range are left to `validate`.
    mutating func sortSteps() throws(PlanError) -> [Int] {
        var order = StepOrder(self)
        if order.isSorted { return [] }
        let former = order.sorted()
        if former.count < steps.count { throw order.cycle() }
        var place = [Int](repeating: 0, count: steps.count)
        for (position, index) in former.enumerated() { place[index] = position }
        func moved(_ step: StepIndex) -> StepIndex {
            place.indices.contains(step.int) ? StepIndex(place[step.int]) : step
        }
        steps = former.map { steps[$0].mapSteps(moved) }
        conditions = conditions.map { $0.mapSteps(moved) }
        for index in notes.indices { notes[index].text = notes[index].text.mapSteps(moved) }
        return former
    }
}

/// The graph of steps and conditions: a step waits for the steps of its edges and for its
/// condition, a condition for the steps that it mentions and for its operands.
private struct StepOrder {
    private let plan: Plan
    private let stepCount: Int
    /// Nodes that wait for a node; steps first, then conditions.
    private var waiting: [[Int32]]
    private var missing: [Int32]

    init(_ plan: Plan) {
        self.plan = plan
        stepCount = plan.steps.count
        waiting = []
        missing = []
    }

    /// Whether every step stands behind all that it waits for.
    var isSorted: Bool {
        var latest = [Int32](repeating: -1, count: plan.conditions.count)
        for (index, condition) in plan.conditions.enumerated() {
            var last: Int32 = -1
            condition.forEachStep { last = max(last, $0.value) }
            for operand in condition.operands where operand.int < index {
                last = max(last, latest[operand.int])
            }
            latest[index] = last
        }
        for (index, step) in plan.steps.enumerated() {
            var last: Int32 = -1
            step.forEachPredecessor { last = max(last, $0.value) }
            if let condition = step.condition, latest.indices.contains(condition.int) {
                last = max(last, latest[condition.int])
            }
            if last >= index { return false }
        }
        return true
    }

    /// As many steps as can be ordered, by their index.
    mutating func sorted() -> [Int] {
        connect()
        var order: [Int] = []
        order.reserveCapacity(stepCount)
        var ready = MinHeap()
        var conditions: [Int32] = []
        for node in missing.indices.reversed() where missing[node] == 0 {
            if node < stepCount {
                ready.insert(Int32(node))
            } else {
                conditions.append(Int32(node))
            }
        }
        while true {
            let node: Int32
            if let condition = conditions.popLast() {
                node = condition
            } else if let step = ready.removeFirst() {
                node = step
                order.append(Int(step))
            } else {
                return order
            }
            for next in waiting[Int(node)] {
                missing[Int(next)] -= 1
                guard missing[Int(next)] == 0 else { continue }
                if Int(next) < stepCount { ready.insert(next) } else { conditions.append(next) }
            }
        }
    }

    /// The steps of one cycle, after `sorted` left some over.
    func cycle() -> PlanError {
        guard var node = missing.firstIndex(where: { $0 > 0 }) else {
            return PlanError(.cycle, [.key("steps")], "Steps wait for each other.")
        }
        // Every node that is left over waits for another one that is, so the walk comes back.
        var visit = [Int: Int]()
        var walk: [Int] = []
        while visit[node] == nil {
            visit[node] = walk.count
            walk.append(node)
            guard let before = predecessors(of: node).first(where: { missing[$0] > 0 }) else {
                break
            }
            node = before
        }
        let names = walk[(visit[node] ?? 0)...].filter { $0 < stepCount }
        var shown = names.prefix(8).map { "`\(plan.steps[$0].id.prefix(64))`" }
        if names.count > 8 { shown.append("… \(names.count - 8) more") }
        if let first = shown.first { shown.append(first) }
        return PlanError(
            .cycle, [.key("steps"), .index(names.first ?? 0)],
            "Steps wait for each other: " + shown.joined(separator: " waits for ") + ".",
            hint: "Take one of these edges away.")
    }

    private mutating func connect() {
        let count = stepCount + plan.conditions.count
        waiting = Array(repeating: [], count: count)
        missing = Array(repeating: 0, count: count)
        for node in 0..<count {
            for before in predecessors(of: node) {
                waiting[before].append(Int32(node))
                missing[node] += 1
            }
        }
    }

    private func predecessors(of node: Int) -> [Int] {
        var nodes: [Int] = []
        if node < stepCount {
            let step = plan.steps[node]
            step.forEachPredecessor { nodes.append($0.int) }
            if let condition = step.condition { nodes.append(stepCount + condition.int) }
        } else {
            let index = node - stepCount
            plan.conditions[index].forEachStep { nodes.append($0.int) }
            for operand in plan.conditions[index].operands where operand.int < index {
                nodes.append(stepCount + operand.int)
            }
        }
        return nodes.filter { $0 >= 0 && $0 < stepCount + plan.conditions.count }
    }
}

/// A binary heap of numbers, the smallest first.
private struct MinHeap {
    private var nodes: [Int32] = []

    mutating func insert(_ value: Int32) {
        nodes.append(value)
        var index = nodes.count - 1
        while index > 0, nodes[index] < nodes[(index - 1) / 2] {
            nodes.swapAt(index, (index - 1) / 2)
            index = (index - 1) / 2
        }
    }

    mutating func removeFirst() -> Int32? {
        guard let first = nodes.first else { return nil }
        let last = nodes.removeLast()
        guard !nodes.isEmpty else { return first }
        nodes[0] = last
        var index = 0
        while true {
            var child = 2 * index + 1
            guard child < nodes.count else { return first }
            if child + 1 < nodes.count, nodes[child + 1] < nodes[child] { child += 1 }
            guard nodes[child] < nodes[index] else { return first }
            nodes.swapAt(index, child)
            index = child
        }
    }
}
