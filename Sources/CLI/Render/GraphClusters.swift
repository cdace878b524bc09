import PipelineIR

/// The nodes of a graph under the blocks they stand in, as a walk.
struct GraphClusters {
    enum Event {
        case node(Int, depth: Int)
        case open(Int, depth: Int)
        case close(depth: Int)
    }

    private var members: [[Int]]
    private var children: [[Int]]
    private var outside: [Int] = []
    private var roots: [Int] = []

    init(_ graph: PlanGraph, _ groups: [Group]) {
        members = Array(repeating: [], count: groups.count)
        children = Array(repeating: [], count: groups.count)
        for (index, node) in graph.nodes.enumerated() {
            if let group = node.group, groups.indices.contains(group.int) {
                members[group.int].append(index)
            } else {
                outside.append(index)
            }
        }
        var used = members.map { !$0.isEmpty }
        for index in groups.indices.reversed() where used[index] {
            if let parent = groups[index].parent, parent.int < index { used[parent.int] = true }
        }
        for index in groups.indices where used[index] {
            if let parent = groups[index].parent, parent.int < index {
                children[parent.int].append(index)
            } else {
                roots.append(index)
            }
        }
    }

    /// Visits what stands outside all blocks first, then the blocks, each with its content.
    func walk(_ visit: (Event) -> Void) {
        for node in outside { visit(.node(node, depth: 0)) }
        var pending: [(group: Int, depth: Int, closes: Bool)] = []
        for root in roots.reversed() { pending.append((root, 0, false)) }
        while let next = pending.popLast() {
            if next.closes {
                visit(.close(depth: next.depth))
                continue
            }
            visit(.open(next.group, depth: next.depth))
            for node in members[next.group] { visit(.node(node, depth: next.depth + 1)) }
            pending.append((next.group, next.depth, true))
            for child in children[next.group].reversed() {
                pending.append((child, next.depth + 1, false))
            }
        }
    }
}
