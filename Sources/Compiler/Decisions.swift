import PipelineIR

/// Conditions as binary decision diagrams, so that equal conditions are the same number and
/// exclusive ones are known.
///
/// Reduced and ordered after R. E. Bryant, "Graph-Based Algorithms for Boolean Function
/// Manipulation" (1986); variables are ordered as the program first asks them, so a diagram is
/// walked in program order and never asks of a step that did not run.
struct Decisions {
    /// A condition.
    struct Node: Hashable {
        fileprivate(set) var number: Int32
    }

    static let never = Node(number: 0)
    static let always = Node(number: 1)

    /// What a variable asks.
    enum Atom: Hashable {
        case code(StepIndex, [ClosedRange<UInt8>])
        case compare(Condition.Comparison, Template, Template)
        case defined(Template)
    }

    private struct Triple: Hashable {
        var variable: Int32
        var high: Node
        var low: Node
    }

    private var triples: [Triple] = [
        Triple(variable: .max, high: never, low: never),
        Triple(variable: .max, high: always, low: always),
    ]
    private var unique: [Triple: Node] = [:]
    private var computed: [IfThenElse: Node] = [:]
    private(set) var atoms: [Atom] = []
    private var variables: [Atom: Int32] = [:]

    private struct IfThenElse: Hashable {
        var test: Node
        var then: Node
        var otherwise: Node
    }

    /// Variables on one path of a diagram, and nodes in all.
    private static let depthLimit = 4000
    private static let nodeLimit = 600_000
    /// Results that are kept to be found again.
    private static let computedLimit = 500_000
    private var depth = 0
    /// A limit was reached: conditions are not to be trusted.
    private(set) var isTooLarge = false
    private var deadline: Deadline
    /// There was no time left: conditions are not to be trusted.
    private(set) var ranOut = false

    /// No condition yet; everything is to be over by the deadline.
    init(deadline: Deadline) { self.deadline = deadline }

    /// Whether there is no time left.
    mutating func isLate() -> Bool {
        if !ranOut, deadline.hasPassed() { ranOut = true }
        return ranOut
    }

    /// Whether there is no time left, looked up now. For loops whose rounds are long.
    mutating func lookLate() -> Bool {
        if !ranOut, deadline.left <= 0 { ranOut = true }
        return ranOut
    }

    /// The condition that an atom holds.
    mutating func variable(_ atom: Atom) -> Node {
        if case .code(let step, let ranges) = atom, ranges.first?.lowerBound == 0 {
            // "Is 0" and "is not 0" are one variable.
            return not(variable(.code(step, Self.complement(ranges))))
        }
        let number: Int32
        if let known = variables[atom] {
            number = known
        } else {
            number = Int32(atoms.count)
            atoms.append(atom)
            variables[atom] = number
        }
        return make(number, Self.always, Self.never)
    }

    /// Exit codes that are in none of the ranges.
    static func complement(_ ranges: [ClosedRange<UInt8>]) -> [ClosedRange<UInt8>] {
        var found: [ClosedRange<UInt8>] = []
        var next = 0
        for range in ranges {
            if Int(range.lowerBound) > next {
                found.append(UInt8(next)...range.lowerBound - 1)
            }
            next = Int(range.upperBound) + 1
        }
        if next <= 255 { found.append(UInt8(next)...255) }
        return found
    }

    private mutating func make(_ variable: Int32, _ high: Node, _ low: Node) -> Node {
        if high == low { return high }
        let triple = Triple(variable: variable, high: high, low: low)
        if let known = unique[triple] { return known }
        let node = Node(number: Int32(triples.count))
        triples.append(triple)
        unique[triple] = node
        return node
    }

    mutating func not(_ a: Node) -> Node { choose(a, Self.never, Self.always) }
    mutating func and(_ a: Node, _ b: Node) -> Node { choose(a, b, Self.never) }
    mutating func or(_ a: Node, _ b: Node) -> Node { choose(a, Self.always, b) }

    /// Whether two conditions never hold together.
    mutating func exclusive(_ a: Node, _ b: Node) -> Bool {
        if a == Self.always || b == Self.always { return a == Self.never || b == Self.never }
        return and(a, b) == Self.never
    }

    /// `then` where `test` holds, else `otherwise`.
    mutating func choose(_ test: Node, _ then: Node, _ otherwise: Node) -> Node {
        if test == Self.always { return then }
        if test == Self.never { return otherwise }
        if then == otherwise { return then }
        if then == Self.always, otherwise == Self.never { return test }
        let key = IfThenElse(test: test, then: then, otherwise: otherwise)
        if let known = computed[key] { return known }
        let top = min(
            triples[Int(test.number)].variable, triples[Int(then.number)].variable,
            triples[Int(otherwise.number)].variable)
        guard depth < Self.depthLimit, triples.count < Self.nodeLimit else {
            isTooLarge = true
            return Self.never
        }
        if isLate() { return Self.never }
        depth += 1
        defer { depth -= 1 }
        let high = choose(
            branch(test, top, true), branch(then, top, true), branch(otherwise, top, true))
        let low = choose(
            branch(test, top, false), branch(then, top, false), branch(otherwise, top, false))
        let node = make(top, high, low)
        if computed.count >= Self.computedLimit { computed.removeAll(keepingCapacity: true) }
        computed[key] = node
        return node
    }

    private func branch(_ node: Node, _ variable: Int32, _ high: Bool) -> Node {
        let triple = triples[Int(node.number)]
        guard triple.variable == variable else { return node }
        return high ? triple.high : triple.low
    }

    /// The atom that a condition asks first, and what it becomes either way; nil when constant.
    func split(_ node: Node) -> (atom: Int, high: Node, low: Node)? {
        guard node.number > 1 else { return nil }
        let triple = triples[Int(node.number)]
        return (Int(triple.variable), triple.high, triple.low)
    }

    /// The condition with each atom replaced as `rename` says.
    mutating func renamed(
        _ node: Node, memo: inout [Node: Node], _ rename: (Atom) -> Atom
    ) -> Node {
        if node.number < 2 { return node }
        if let known = memo[node] { return known }
        guard depth < Self.depthLimit else {
            isTooLarge = true
            return Self.never
        }
        depth += 1
        defer { depth -= 1 }
        let triple = triples[Int(node.number)]
        let high = renamed(triple.high, memo: &memo, rename)
        let low = renamed(triple.low, memo: &memo, rename)
        let atom = atoms[Int(triple.variable)]
        let changed = rename(atom)
        let test =
            changed == atom ? make(triple.variable, Self.always, Self.never) : variable(changed)
        let found = choose(test, high, low)
        memo[node] = found
        return found
    }

    /// The condition that a recorded predicate means.
    mutating func node(_ predicate: RecordedPredicate) -> Node {
        switch predicate {
        case .code(let step, let ranges):
            if ranges.count == 1, ranges[0] == 0...255 { return Self.always }
            return variable(.code(step, ranges))
        case .compare(let op, let left, let right): return variable(.compare(op, left, right))
        case .defined(let template): return variable(.defined(template))
        case .not(let inner): return not(node(inner))
        case .all(let parts):
            // From the last, whose variables are below: each step then is one node.
            return parts.map { node($0) }.reversed().reduce(Self.always) { and($1, $0) }
        case .any(let parts):
            return parts.map { node($0) }.reversed().reduce(Self.never) { or($1, $0) }
        }
    }
}
