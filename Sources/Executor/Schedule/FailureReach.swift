import PipelineIR

/// How far failures reach: which steps do not start any more, and which blocks are cancelled.
struct FailureReach: Sendable, Equatable {
    /// The first fatal failure outside of all parallel blocks.
    private var first = Int32.max
    /// The first failures in two different outermost parallel blocks.
    private var inBlock: (block: Int32, step: Int32) = (-1, .max)
    private var inOther: (block: Int32, step: Int32) = (-1, .max)
    /// Per block: its first fatal failure.
    private var fatal: [Int32]
    /// Per block: it is cancelled with all in it, or with all steps directly in it but one.
    private var isCancelled: [Bool]
    private var spared: [Int32]
    /// Per block: what a failure in it cancels around it was cancelled.
    private var isHandled: [Bool]
    private(set) var hasFailures = false

    init(_ blocks: BlockTree) {
        fatal = Array(repeating: .max, count: blocks.count)
        isCancelled = Array(repeating: false, count: blocks.count)
        spared = Array(repeating: .max, count: blocks.count)
        isHandled = isCancelled
    }

    /// No failure was spared: all that is directly in the block is cancelled.
    private static let none: Int32 = -1

    /// Notes a failure that nothing catches. True when it keeps more steps from starting than
    /// those in its own block.
    mutating func add(fatal step: Int32, in group: Int32, _ blocks: BlockTree) -> Bool {
        hasFailures = true
        let block = group < 0 ? -1 : blocks.outermost[Int(group)]
        guard block >= 0 else {
            if step >= first { return false }
            first = step
            return true
        }
        var around = group
        // What is around a block with an earlier failure has one that is not later.
        while around >= 0, step < fatal[Int(around)] {
            fatal[Int(around)] = step
            around = blocks.parent[Int(around)]
        }
        return note(step, block)
    }

    private mutating func note(_ step: Int32, _ block: Int32) -> Bool {
        if block == inBlock.block {
            inBlock.step = min(inBlock.step, step)
            return false
        }
        if step < inBlock.step {
            inOther = inBlock
            inBlock = (block, step)
            return true
        }
        if block == inOther.block || step < inOther.step {
            let isNew = block != inOther.block
            inOther = (block, min(step, inOther.block == block ? inOther.step : step))
            return isNew
        }
        return false
    }

    /// Whether the job has ended for a step: an earlier one failed, and not in the same outermost
    /// parallel block, where the failure is raised only at the end.
    func hasEnded(before step: Int32, in group: Int32, _ blocks: BlockTree) -> Bool {
        if first < step { return true }
        let block = group < 0 ? -1 : blocks.outermost[Int(group)]
        let other = block >= 0 && block == inBlock.block ? inOther.step : inBlock.step
        return other < step
    }

    /// Whether a fatal failure keeps a step from starting: the job has ended for it, or a sequence
    /// in a parallel block whose earlier part failed.
    func stops(
        _ step: Int32, hasNeeds: Bool, in group: Int32, _ blocks: BlockTree
    ) -> Bool {
        if hasEnded(before: step, in: group, blocks) { return true }
        if group < 0 || hasNeeds { return false }
        let block = blocks.outermost[Int(group)]
        if block < 0 || fatal[Int(block)] >= step { return false }
        var around = group
        var begin = step
        while around >= 0, around != block {
            if !blocks.isParallel[Int(around)], fatal[Int(around)] < begin { return true }
            begin = blocks.firstStep[Int(around)]
            around = blocks.parent[Int(around)]
        }
        return false
    }

    /// Whether a step is in a block that was cancelled around it.
    func isCancelled(_ step: Int32, in group: Int32) -> Bool {
        if group < 0 { return false }
        if isCancelled[Int(group)] { return true }
        return spared[Int(group)] != .max && spared[Int(group)] != step
    }

    /// Cancels the other branches of the blocks around a failure, where they fail fast.
    /// True when there are any.
    mutating func cancelBeside(_ step: Int32, in group: Int32, _ blocks: BlockTree) -> Bool {
        var around = group
        var branch: Int32 = -1
        var found = false
        while around >= 0, !isHandled[Int(around)] {
            isHandled[Int(around)] = true
            if blocks.failFast[Int(around)] {
                found = true
                spared[Int(around)] = branch < 0 ? step : Self.none
                for child in blocks.children(of: around) where child != branch {
                    cancel(child, blocks)
                }
            }
            branch = around
            around = blocks.parent[Int(around)]
        }
        return found
    }

    /// Cancels a block with all in it.
    mutating func cancel(_ block: Int32, _ blocks: BlockTree) {
        var next = [block]
        while let one = next.popLast() {
            if isCancelled[Int(one)] { continue }
            isCancelled[Int(one)] = true
            next += blocks.children(of: one)
        }
    }

    static func == (a: FailureReach, b: FailureReach) -> Bool {
        a.first == b.first && a.inBlock == b.inBlock && a.inOther == b.inOther
            && a.fatal == b.fatal && a.isCancelled == b.isCancelled && a.spared == b.spared
            && a.isHandled == b.isHandled && a.hasFailures == b.hasFailures
    }
}
