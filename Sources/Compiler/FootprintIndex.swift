/// Footprints of declared steps, found by what they may touch.
///
/// What is read and what is written are kept apart, so that steps which only read the same files
/// cost nothing to each other.
struct FootprintIndex {
    private var read = GlobTree()
    private var written = GlobTree()

    /// Comparisons that one plan is worth.
    static let comparisonLimit = 5_000_000

    /// Steps whose footprint conflicts: one writes what the other reads or writes. `nil` when
    /// `comparisons` is used up: the step then has to be taken for one that touches anything.
    func conflicts(
        with footprint: Footprint, comparisons: inout Int
    ) -> Set<Int32>? {
        var found: Set<Int32> = []
        func look(_ globs: [Glob], _ tree: GlobTree) -> Bool {
            globs.allSatisfy { glob in
                tree.find(glob, limit: Self.comparisonLimit, &comparisons) { found.insert($0) }
            }
        }
        let isDone =
            look(footprint.inputs, written) && look(footprint.outputs, written)
            && look(footprint.outputs, read)
        return isDone ? found : nil
    }

    /// Adds the footprint of a step.
    mutating func insert(_ footprint: Footprint, step: Int32) {
        for glob in footprint.inputs { read.insert(glob, step: step) }
        for glob in footprint.outputs { written.insert(glob, step: step) }
    }
}

/// Globs by their components, as folders hold files: what a glob overlaps is found by walking down
/// along it, so that a thousand steps on a thousand files are not compared with each other.
private struct GlobTree {
    private struct Node {
        /// Children whose component is one name.
        var named: [[UInt8]: Int] = [:]
        /// Children whose component is a pattern.
        var patterns: [Glob.Component: Int] = [:]
        /// Steps whose glob ends here, or is `**` from here on: they overlap whatever comes by.
        var steps: [Int32] = []
    }

    private var nodes = [Node()]

    /// Adds a glob of a step.
    mutating func insert(_ glob: Glob, step: Int32) {
        var node = 0
        for component in glob.components {
            if component.isDeep { break }
            node = child(of: node, component)
        }
        nodes[node].steps.append(step)
    }

    private mutating func child(of node: Int, _ component: Glob.Component) -> Int {
        if component.isWild {
            if let known = nodes[node].patterns[component] { return known }
            nodes[node].patterns[component] = nodes.count
        } else if let known = nodes[node].named[component.head] {
            return known
        } else {
            nodes[node].named[component.head] = nodes.count
        }
        nodes.append(Node())
        return nodes.count - 1
    }

    /// Reports the steps with a glob that may name the same file as this one; a folder covers what
    /// is in it, and so does `**`. False when `comparisons` passes the limit.
    func find(
        _ glob: Glob, limit: Int, _ comparisons: inout Int, _ report: (Int32) -> Void
    ) -> Bool {
        var open: [(node: Int, depth: Int)] = [(0, 0)]
        while let (index, depth) = open.popLast() {
            let node = nodes[index]
            comparisons += 1 + node.steps.count
            if comparisons > limit { return false }
            for step in node.steps { report(step) }
            guard depth < glob.components.count, !glob.components[depth].isDeep else {
                // All that is beneath; the depth is past the end, and stays there.
                comparisons += node.named.count + node.patterns.count
                for child in node.named.values { open.append((child, depth)) }
                for child in node.patterns.values { open.append((child, depth)) }
                continue
            }
            let component = glob.components[depth]
            if !component.isWild {
                if let child = node.named[component.head] { open.append((child, depth + 1)) }
            } else {
                comparisons += node.named.count
                for (name, child) in node.named where component.mayMatch(name: name) {
                    open.append((child, depth + 1))
                }
            }
            comparisons += node.patterns.count
            for (pattern, child) in node.patterns where component.mayMatch(pattern) {
                open.append((child, depth + 1))
            }
        }
        return true
    }
}
