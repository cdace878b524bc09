import PipelineIR

/// The `parallel` and `sequence` blocks of a plan as a tree.
struct BlockTree: Sendable {
    /// Index of the block around, or -1.
    let parent: [Int32]
    let isParallel: [Bool]
    let failFast: [Bool]
    /// The outermost parallel block around or at it, or -1.
    let outermost: [Int32]
    /// The first step in it, `Int32.max` when there is none.
    let firstStep: [Int32]
    private let firstChild: [Int32]
    private let children: [Int32]

    init(_ plan: Plan, _ groupOfStep: [Int32]) {
        let count = plan.groups.count
        parent = plan.groups.map { $0.parent?.value ?? -1 }
        isParallel = plan.groups.map { $0.kind == .parallel }
        failFast = plan.groups.map { $0.kind == .parallel && $0.failFast }
        var outermost = [Int32](repeating: -1, count: count)
        var firstStep = [Int32](repeating: .max, count: count)
        var next = [Int32](repeating: 0, count: count + 1)
        for index in 0..<count {
            // A parent stands before its children.
            if parent[index] >= 0 {
                outermost[index] = outermost[Int(parent[index])]
                next[Int(parent[index]) + 1] += 1
            }
            if outermost[index] < 0, isParallel[index] { outermost[index] = Int32(index) }
        }
        for (step, group) in groupOfStep.enumerated() where group >= 0 {
            firstStep[Int(group)] = min(firstStep[Int(group)], Int32(step))
        }
        for index in (0..<count).reversed() where parent[index] >= 0 {
            let around = Int(parent[index])
            firstStep[around] = min(firstStep[around], firstStep[index])
        }
        for index in 0..<count { next[index + 1] += next[index] }
        firstChild = next
        var children = [Int32](repeating: 0, count: Int(next[count]))
        for index in 0..<count where parent[index] >= 0 {
            let around = Int(parent[index])
            children[Int(next[around])] = Int32(index)
            next[around] += 1
        }
        self.children = children
        self.outermost = outermost
        self.firstStep = firstStep
    }

    var count: Int { parent.count }

    /// The blocks directly in a block.
    func children(of group: Int32) -> ArraySlice<Int32> {
        children[Int(firstChild[Int(group)])..<Int(firstChild[Int(group) + 1])]
    }
}
