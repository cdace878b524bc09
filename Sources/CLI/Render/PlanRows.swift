import PipelineIR

/// The lines of a plan's table, as a tree: steps under their parallel and sequence blocks.
struct PlanRows {
    /// One line.
    struct Row {
        /// What stands on the line.
        enum Content {
            case step(Int)
            /// A block; `again` when its header stood above already.
            case group(Int, again: Bool)
            case note(Int)
            /// That many steps are left out, all like the one before.
            case more(Int)
        }
        var content: Content
        /// How many blocks it stands in.
        var depth: Int
        /// Bit k is set when a line at depth k follows beneath, so that its rail goes on.
        var rails: UInt64 = 0
    }

    private(set) var rows: [Row] = []
    /// How many steps have no line of their own.
    private(set) var hidden = 0

    /// How many similar steps in a row are shown before the others are counted only.
    private static let shownOfRun = 4
    private static let longestRun = 10

    /// `collapse` folds long runs of steps that one line of the danubefile made.
    init(_ plan: Plan, collapse: Bool) {
        rows.reserveCapacity(plan.steps.count + plan.groups.count + plan.notes.count)
        var seen = [Bool](repeating: false, count: plan.groups.count)
        var open: [GroupIndex] = []
        var current: GroupIndex?
        var note = 0
        var index = 0
        while index < plan.steps.count {
            while note < plan.notes.count, Int(plan.notes[note].after) <= index {
                rows.append(Row(content: .note(note), depth: open.count))
                note += 1
            }
            let group = plan.steps[index].group
            if group != current {
                enter(Self.path(group, plan), from: &open, seen: &seen)
                current = group
            }
            let run = collapse ? Self.run(plan, from: index) : 1
            if run > Self.longestRun {
                let shown = Self.shownOfRun - 1
                for step in index..<(index + shown) { add(step, open.count) }
                rows.append(Row(content: .more(run - shown - 1), depth: open.count))
                add(index + run - 1, open.count)
                hidden += run - shown - 1
                index += run
            } else {
                add(index, open.count)
                index += 1
            }
        }
        while note < plan.notes.count {
            rows.append(Row(content: .note(note), depth: 0))
            note += 1
        }
        layRails()
    }

    private mutating func add(_ step: Int, _ depth: Int) {
        rows.append(Row(content: .step(step), depth: depth))
    }

    private mutating func enter(
        _ path: [GroupIndex], from open: inout [GroupIndex], seen: inout [Bool]
    ) {
        var shared = 0
        while shared < min(path.count, open.count), path[shared] == open[shared] { shared += 1 }
        open.removeLast(open.count - shared)
        for group in path[shared...] {
            rows.append(
                Row(content: .group(group.int, again: seen[group.int]), depth: open.count))
            seen[group.int] = true
            open.append(group)
        }
    }

    /// Outermost first.
    private static func path(_ group: GroupIndex?, _ plan: Plan) -> [GroupIndex] {
        var path: [GroupIndex] = []
        var next = group
        while let group = next, plan.groups.indices.contains(group.int), path.count < 63 {
            path.append(group)
            next = plan.groups[group.int].parent
        }
        return path.reversed()
    }

    /// How many steps from here on came from the same call and differ in their names only.
    private static func run(_ plan: Plan, from start: Int) -> Int {
        let first = plan.steps[start]
        guard let frame = first.frame else { return 1 }
        var end = start + 1
        while end < plan.steps.count {
            let step = plan.steps[end]
            guard step.frame == frame, step.group == first.group, step.image == first.image,
                step.condition == first.condition, step.kind == first.kind
            else { break }
            end += 1
        }
        return end - start
    }

    private mutating func layRails() {
        var below: UInt64 = 0
        for index in rows.indices.reversed() {
            let depth = min(rows[index].depth, 63)
            // What lies deeper than this line ended here.
            below &= (1 << (UInt64(depth) + 1)) &- 1
            rows[index].rails = below
            below |= 1 << UInt64(depth)
        }
    }
}
