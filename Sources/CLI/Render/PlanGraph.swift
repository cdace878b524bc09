import PipelineIR

/// A plan as a drawing: boxes for steps, diamonds for decisions with both ways out, ends.
struct PlanGraph {
    /// A shape.
    struct Node {
        enum Kind { case step, upload, decision, success, failure, live }
        var kind: Kind
        /// Not escaped.
        var label: String
        var group: GroupIndex?
        /// Whether a condition decides if it is reached.
        var conditional = false
    }

    /// An arrow.
    struct Edge: Hashable {
        enum Kind { case order, data, yes, no }
        var from: Int
        var to: Int
        var kind: Kind
    }

    /// The steps, in the plan's order, then decisions and ends.
    private(set) var nodes: [Node] = []
    private(set) var edges: [Edge] = []

    private let plan: Plan
    private let words: ConditionWords
    private let facts: ConditionFacts
    private var decisions: [Condition: Int] = [:]
    /// What the diamonds ask, by node.
    private var atoms: [Int: Condition] = [:]
    private var drawn: Set<Edge> = []
    /// Indices of the literals of each condition that was met, memoised.
    private var literals: [ConditionIndex: [Literal]] = [:]

    /// A decision and the way out of it.
    private struct Literal: Hashable {
        var decision: Int
        var holds: Bool
    }

    init(_ plan: Plan) {
        self.plan = plan
        words = ConditionWords(plan)
        facts = ConditionFacts(plan: plan)
        nodes = plan.steps.map { step in
            let coordinates = PlanColumns.coordinates(step)
            return Node(
                kind: step.kind == .upload ? .upload : .step,
                label: coordinates.isEmpty ? step.name : "\(step.name) (\(coordinates))",
                group: step.group, conditional: step.condition != nil)
        }
        for index in plan.steps.indices { connect(index) }
        connectEnds()
        completeDecisions()
    }

    // MARK: Steps

    private mutating func connect(_ index: Int) {
        let step = plan.steps[index]
        let required = step.condition.map { decide($0, for: step.group) } ?? []
        let sources = Set(required.flatMap { self.sources(of: $0.decision) })
        let before = Predecessors.of(step)
        let data = Set(step.data)
        var covered = false
        for other in before where plan.steps.indices.contains(other.int) {
            if let condition = plan.steps[other.int].condition, !required.isEmpty {
                let held = decide(condition, for: step.group)
                if Set(held).isSuperset(of: required), step.order.contains(other) {
                    covered = true
                }
            }
        }
        if !covered { enter(index, required) }
        for other in before {
            let implied = !covered && sources.contains(other) && !data.contains(other)
            let onlyConditional =
                step.conditional.contains(other) && !step.order.contains(other)
                && !data.contains(other) && !(step.needs ?? []).contains(other)
            if implied || (onlyConditional && !required.isEmpty) { continue }
            add(Edge(from: other.int, to: index, kind: data.contains(other) ? .data : .order))
        }
    }

    /// Draws the way through the decisions to a node.
    private mutating func enter(_ node: Int, _ required: [Literal]) {
        guard let last = required.last else { return }
        add(Edge(from: last.decision, to: node, kind: last.holds ? .yes : .no))
    }

    private mutating func add(_ edge: Edge) {
        if drawn.insert(edge).inserted { edges.append(edge) }
    }

    // MARK: Decisions

    /// The decisions that a condition stands for, outermost first, drawn and chained.
    private mutating func decide(_ index: ConditionIndex, for group: GroupIndex?) -> [Literal] {
        if let known = literals[index] { return known }
        guard plan.conditions.indices.contains(index.int) else { return [] }
        var atoms: [(Condition, Bool)] = []
        for part in facts.essential(index) {
            flatten(plan.conditions[part.int], holds: true, into: &atoms, depth: 0)
        }
        if atoms.count > 12 { atoms = [(plan.conditions[index.int], true)] }
        var result: [Literal] = []
        for (atom, holds) in atoms {
            let node = decision(atom, group)
            if let before = result.last, before.decision != node {
                add(
                    Edge(from: before.decision, to: node, kind: before.holds ? .yes : .no))
            }
            let literal = Literal(decision: node, holds: holds)
            if !result.contains(literal) { result.append(literal) }
        }
        literals[index] = result
        return result
    }

    /// Takes conjunctions and negations apart; what remains is asked in one diamond.
    private func flatten(
        _ condition: Condition, holds: Bool, into atoms: inout [(Condition, Bool)], depth: Int
    ) {
        func operands(_ indices: [ConditionIndex]) {
            for index in indices where plan.conditions.indices.contains(index.int) {
                if atoms.count > 12 { return }
                flatten(plan.conditions[index.int], holds: holds, into: &atoms, depth: depth + 1)
            }
        }
        switch condition {
        case .not(let index) where depth < 24 && plan.conditions.indices.contains(index.int):
            flatten(plan.conditions[index.int], holds: !holds, into: &atoms, depth: depth + 1)
        case .all(let indices) where holds && depth < 24: operands(indices)
        case .any(let indices) where !holds && depth < 24: operands(indices)
        case .code(let step, let ranges) where ranges.reduce(0) { $0 + $1.count } > 128:
            // One diamond asks for both answers, and for the fewer codes: "exited 0?".
            atoms.append((.code(step, ConditionWords.complement(ranges)), !holds))
        default: atoms.append((condition, holds))
        }
    }

    private mutating func decision(_ atom: Condition, _ group: GroupIndex?) -> Int {
        if let known = decisions[atom] { return known }
        let index = nodes.count
        decisions[atom] = index
        nodes.append(Node(kind: .decision, label: words.text(atom) + "?", group: group))
        atoms[index] = atom
        for source in stepsNamed(by: atom) where plan.steps.indices.contains(source.int) {
            add(Edge(from: source.int, to: index, kind: .order))
        }
        return index
    }

    private func sources(of node: Int) -> [StepIndex] {
        stepsNamed(by: atoms[node])
    }

    /// The steps whose results an atom looks at.
    private func stepsNamed(by atom: Condition?) -> [StepIndex] {
        var found: [StepIndex] = []
        var pending = atom.map { [$0] } ?? []
        var visited = 0
        while let next = pending.popLast(), visited < 256 {
            visited += 1
            switch next {
            case .code(let step, _), .ok(let step): found.append(step)
            case .compare(_, let left, let right):
                Self.collect(left, into: &found, depth: 0)
                Self.collect(right, into: &found, depth: 0)
            case .defined(let template): Self.collect(template, into: &found, depth: 0)
            case .not(let index):
                if plan.conditions.indices.contains(index.int) {
                    pending.append(plan.conditions[index.int])
                }
            case .all(let indices), .any(let indices):
                for index in indices where plan.conditions.indices.contains(index.int) {
                    pending.append(plan.conditions[index.int])
                }
            }
        }
        return found
    }

    private static func collect(
        _ template: Template, into found: inout [StepIndex], depth: Int
    ) {
        for part in template.parts {
            switch part {
            case .output(let step), .code(let step): found.append(step)
            case .operation(let operation) where depth < 24:
                collect(operation.base, into: &found, depth: depth + 1)
            default: break
            }
        }
    }

    // MARK: Ends

    /// Draws where the job ends, when there is more than one way or one is not a success.
    private mutating func connectEnds() {
        let plain = plan.exits.allSatisfy { $0.kind == .success }
        if plan.exits.isEmpty || (plain && plan.exits.count == 1) { return }
        var leaves = [Bool](repeating: true, count: plan.steps.count)
        for edge in edges where edge.from < plan.steps.count && edge.to < plan.steps.count {
            leaves[edge.from] = false
        }
        var free = plan.steps.indices.filter { leaves[$0] }
        for exit in plan.exits.prefix(64) {
            let required = exit.condition.map { decide($0, for: nil) } ?? []
            let node = end(exit, conditional: !required.isEmpty)
            let lasts = free.filter { index in
                guard let condition = plan.steps[index].condition else { return required.isEmpty }
                return Set(literals[condition] ?? []).isSuperset(of: required)
            }
            for last in lasts { add(Edge(from: last, to: node, kind: .order)) }
            if lasts.isEmpty || required.isEmpty {
                enter(node, required)
            } else {
                free.removeAll { lasts.contains($0) }
            }
        }
    }

    /// Draws the other way out of decisions that so far have one: to the first steps that follow
    /// whatever was decided, else to the end. Where that is not certain it draws nothing.
    private mutating func completeDecisions() {
        var next: [Int: [Edge]] = [:]
        for edge in edges { next[edge.from, default: []].append(edge) }
        var ending: [Edge] = []
        for node in nodes.indices where nodes[node].kind == .decision {
            let ways = Set((next[node] ?? []).map(\.kind))
            guard ways.count == 1, let way = ways.first else { continue }
            let other: Edge.Kind = way == .yes ? .no : .yes
            guard let joins = joins(of: Literal(decision: node, holds: way == .yes), next) else {
                continue
            }
            for join in joins { add(Edge(from: node, to: join, kind: other)) }
            if joins.isEmpty { ending.append(Edge(from: node, to: 0, kind: other)) }
        }
        guard !ending.isEmpty, plan.exits.allSatisfy({ $0.kind == .success }) else { return }
        let end = end(Exit(kind: .success, condition: nil), conditional: false)
        for step in plan.steps.indices where next[step] == nil {
            add(Edge(from: step, to: end, kind: .order))
        }
        for edge in ending { add(Edge(from: edge.from, to: end, kind: edge.kind)) }
    }

    /// The first nodes behind a way out of a decision that the other way surely leads to as well;
    /// empty when nothing follows but what needs this way, `nil` when it is not certain.
    private func joins(of way: Literal, _ next: [Int: [Edge]]) -> [Int]? {
        // What holds wherever the question is asked.
        let given = stepsNamed(by: atoms[way.decision]).reduce(into: Set<Literal>()) {
            $0.formUnion(requirements(of: $1))
        }
        var found: [Int] = []
        var pending = (next[way.decision] ?? []).map(\.to)
        var seen: Set<Int> = []
        while let node = pending.popLast() {
            guard seen.count < Self.mostFollowed else { return nil }
            guard seen.insert(node).inserted else { continue }
            let required: Set<Literal>
            if node < plan.steps.count {
                required = requirements(of: StepIndex(node))
            } else if nodes[node].kind == .decision {
                required = stepsNamed(by: atoms[node]).reduce(into: [way]) {
                    $0.formUnion(requirements(of: $1))
                }
            } else if plan.exits.count == 1 || plan.exits.allSatisfy({ $0.kind == .success }) {
                required = []
            } else {
                return nil
            }
            if required.contains(way) {
                pending += (next[node] ?? []).map(\.to)
            } else if required.isSubset(of: given) {
                found.append(node)
            } else {
                return nil
            }
        }
        return found.sorted()
    }

    /// The answers without which a step does not run, those to questions about steps that did not
    /// run for want of others among them.
    private func requirements(of step: StepIndex) -> Set<Literal> {
        var required: Set<Literal> = []
        var pending = [step]
        var seen: Set<StepIndex> = []
        while let next = pending.popLast(), seen.count < Self.mostFollowed {
            guard seen.insert(next).inserted, plan.steps.indices.contains(next.int),
                let condition = plan.steps[next.int].condition,
                plan.conditions.indices.contains(condition.int)
            else { continue }
            var found: [(Condition, Bool)] = []
            flatten(plan.conditions[condition.int], holds: true, into: &found, depth: 0)
            for (atom, holds) in found {
                if let decision = decisions[atom] {
                    required.insert(Literal(decision: decision, holds: holds))
                } else {
                    // It is drawn as a part of another question, so that nothing is known of it.
                    required.insert(Literal(decision: -1, holds: holds))
                }
                pending += stepsNamed(by: atom)
            }
            required.formUnion(literals[condition] ?? [])
        }
        return required
    }

    private static let mostFollowed = 4096

    /// The node of an end; ends that say the same are one.
    private mutating func end(_ exit: Exit, conditional: Bool) -> Int {
        let (kind, label) = (Self.kind(exit), label(exit))
        let known = nodes.indices.dropFirst(plan.steps.count).first {
            nodes[$0].kind == kind && nodes[$0].label == label
        }
        if let known { return known }
        nodes.append(Node(kind: kind, label: label, conditional: conditional))
        return nodes.count - 1
    }

    private static func kind(_ exit: Exit) -> Node.Kind {
        switch exit.kind {
        case .success: .success
        case .failure: .failure
        case .live: .live
        }
    }

    private func label(_ exit: Exit) -> String {
        switch exit.kind {
        case .success: return "success"
        case .failure: return exit.message.isEmpty ? "failure" : "failure: " + exit.message
        case .live:
            guard let frame = exit.frame, plan.frames.indices.contains(frame.int) else {
                return "live"
            }
            return "live from line \(plan.frames[frame.int].line)"
        }
    }
}
