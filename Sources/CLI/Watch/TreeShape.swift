import PipelineIR

/// The steps and groups of a plan as a tree that does not change: nodes are steps, then groups.
struct TreeShape: Sendable {
    /// A step or a group.
    typealias Node = Int

    let steps: Int
    let groups: Int
    /// The group that a node is in, or -1.
    private(set) var parent: [Int32]
    /// The place of a node when the tree is written from top to bottom.
    private(set) var rank: [Int32]
    /// Steps of each group, those of groups within it as well.
    private(set) var size: [Int]

    init(_ plan: Plan) {
        let steps = plan.steps.count
        let groups = plan.groups.count
        self.steps = steps
        self.groups = groups
        parent = []
        parent.reserveCapacity(steps + groups)
        for step in plan.steps { parent.append(Self.node(step.group, below: groups, steps)) }
        for (index, group) in plan.groups.enumerated() {
            // A parent stands before its children, so that there is no circle.
            parent.append(Self.node(group.parent, below: index, steps))
        }
        rank = Array(repeating: -1, count: steps + groups)
        size = Array(repeating: 0, count: groups)
        for step in 0..<steps { count(step) }
        order()
    }

    /// The index of a group among the groups; the node must be one.
    func group(_ node: Node) -> Int { node - steps }

    func isGroup(_ node: Node) -> Bool { node >= steps }

    /// The groups around a node, the innermost first.
    func ancestors(_ node: Node) -> [Node] {
        var found: [Node] = []
        var next = Int(parent[node])
        while next >= 0 {
            found.append(next)
            next = Int(parent[next])
        }
        return found
    }

    private static func node(_ group: GroupIndex?, below limit: Int, _ steps: Int) -> Int32 {
        guard let group, group.int >= 0, group.int < limit else { return -1 }
        return Int32(truncatingIfNeeded: steps + group.int)
    }

    private mutating func count(_ step: Int) {
        var next = Int(parent[step])
        while next >= 0 {
            size[next - steps] += 1
            next = Int(parent[next])
        }
    }

    /// Gives each node its place: a group stands where its first step does, and holds all of
    /// its steps, also those that come later in the program.
    private mutating func order() {
        var children: [[Int32]] = Array(repeating: [], count: groups)
        var top: [Int32] = []
        var isListed = Array(repeating: false, count: groups)
        for step in 0..<steps {
            var node = step
            while true {
                let above = Int(parent[node])
                if above < 0 {
                    top.append(Int32(node))
                    break
                }
                children[above - steps].append(Int32(node))
                if isListed[above - steps] { break }
                isListed[above - steps] = true
                node = above
            }
        }
        var next: Int32 = 0
        var pending = Array(top.reversed())
        while let node = pending.popLast() {
            rank[Int(node)] = next
            next += 1
            if Int(node) >= steps { pending += children[Int(node) - steps].reversed() }
        }
    }
}
