import PipelineIR

/// Something that a pipeline does, with the condition under which it does it.
struct Entry {
    /// What it is. Numbers index the recording's tables.
    enum Kind {
        case step(Int32)
        case upload(Int32)
        case note(Template, frame: Int32)
        case group(EntryGroup)
    }

    var kind: Kind
    var condition: Decisions.Node
    /// Steps that must have succeeded before, though no data comes from them.
    var after: [Int32] = []
}

/// A `with parallel()` or `with sequence()` block.
final class EntryGroup {
    let kind: Group.Kind
    let name: String
    let frame: Int32
    let failFast: Bool
    var entries: [Entry] = []

    init(kind: Group.Kind, name: String, frame: Int32, failFast: Bool) {
        self.kind = kind
        self.name = name
        self.frame = frame
        self.failFast = failFast
    }
}

/// Turns tokens into entries: the condition of a branch goes to everything in it.
///
/// A path's entries are kept by open block: `levels[0]` is the pipeline itself, the last level is
/// the innermost block that is open where the tokens end.
struct EntryBuilder {
    /// An open block.
    struct Level {
        var group: EntryGroup?
        /// It was open before the first token.
        var isInherited = false
        var entries: [Entry] = []
        /// For a sequence in a parallel block: that its handled steps succeeded so far.
        var guarded = Decisions.always
        /// That every handled step in it succeeded.
        var fine = Decisions.always
    }

    private(set) var levels: [Level] = [Level(group: nil, isInherited: true)]
    /// How many levels were open before the first token.
    private var inherited = 1
    /// Entries of inherited levels that have been closed, by level.
    private var closed: [Int: [Entry]] = [:]
    /// Branches that are open: the condition of the side, and that of what is around it.
    private var branches: [(side: Decisions.Node, around: Decisions.Node)] = []
    private var condition = Decisions.always
    /// Steps that what follows in the open parallel block waits for.
    private var resolved: [Int32] = []
    /// For steps in a parallel block that may stop what follows: that they ran and succeeded.
    private var reached: [Int32: Decisions.Node] = [:]

    init() {}

    /// Goes on with the blocks that are open in another builder, with nothing in them.
    init(openAs other: EntryBuilder) {
        levels = other.levels.map { level in
            Level(
                group: level.group, isInherited: true, guarded: level.guarded, fine: level.fine)
        }
        inherited = levels.count
        resolved = other.resolved
        reached = other.reached
    }

    /// Entries by inherited level, given what follows in each level that is open now.
    mutating func finish(_ following: [[Entry]]) -> [[Entry]] {
        var result = [[Entry]](repeating: [], count: inherited)
        for (level, entries) in closed { result[level] = entries }
        for index in levels.indices.reversed() {
            if index < following.count { levels[index].entries += following[index] }
            if levels[index].isInherited {
                result[index] = levels[index].entries
            } else if let group = levels[index].group {
                group.entries = levels[index].entries
                levels[index - 1].entries.append(
                    Entry(kind: .group(group), condition: Decisions.always))
            }
        }
        return result
    }

    mutating func add(
        _ tokens: [Token], recording: Recording, decisions: inout Decisions
    ) {
        for token in tokens {
            // Paths are joined block by block, so blocks end as they began even where time is up.
            if decisions.isLate(), !token.isOfBlock { continue }
            switch token {
            case .step(let number): step(number, recording, &decisions)
            case .upload(let number): append(.upload(number), &decisions)
            case .note(let text, let frame):
                // Python prints whether or not the steps of the block went on.
                levels[levels.count - 1].entries.append(
                    Entry(kind: .note(text, frame: frame), condition: condition))
            case .ifBegin(let predicate):
                let side = decisions.node(predicate)
                branches.append((side, condition))
                condition = decisions.and(condition, side)
            case .ifElse:
                guard let last = branches.last else { break }
                let other = decisions.not(last.side)
                condition = decisions.and(last.around, other)
            case .ifEnd:
                if let last = branches.popLast() { condition = last.around }
            case .parallelBegin(let frame, let name, let failFast):
                levels.append(
                    Level(
                        group: EntryGroup(
                            kind: .parallel, name: name, frame: frame, failFast: failFast)))
            case .sequenceBegin(let frame, let name):
                levels.append(
                    Level(
                        group: EntryGroup(
                            kind: .sequence, name: name, frame: frame, failFast: true)))
            case .parallelEnd, .sequenceEnd: close(&decisions)
            case .resolve(let number): resolved.append(number)
            }
        }
    }

    private var inParallel: Bool { levels.contains { $0.group?.kind == .parallel } }

    /// That nothing before stopped the sequences that are open.
    private func guards(_ decisions: inout Decisions) -> Decisions.Node {
        var all = Decisions.always
        for level in levels where level.guarded != Decisions.always {
            all = decisions.and(all, level.guarded)
        }
        return all
    }

    private mutating func append(
        _ kind: Entry.Kind, guards: Decisions.Node? = nil, _ decisions: inout Decisions
    ) {
        let all = decisions.and(condition, guards ?? self.guards(&decisions))
        levels[levels.count - 1].entries.append(
            Entry(kind: kind, condition: all, after: resolved))
    }

    private mutating func step(
        _ number: Int32, _ recording: Recording, _ decisions: inout Decisions
    ) {
        var stops = guards(&decisions)
        if let needs = recording.steps[Int(number)].options?.needs {
            // What it needs takes the place of program order, also in what stops it.
            stops = needs.reduce(Decisions.always) {
                decisions.and($0, reached[$1] ?? Decisions.always)
            }
        }
        append(.step(number), guards: stops, &decisions)
        guard levels.count > 1, inParallel else { return }
        if stops != Decisions.always { reached[number] = stops }
        guard recording.steps[Int(number)].handled else { return }
        let failed = decisions.variable(.code(StepIndex(Int(number)), [1...255]))
        let fine = decisions.not(failed)
        reached[number] = decisions.and(stops, fine)
        note(fine: fine, &decisions)
    }

    private mutating func note(fine: Decisions.Node, _ decisions: inout Decisions) {
        let last = levels.count - 1
        levels[last].fine = decisions.and(levels[last].fine, fine)
        if levels[last].group?.kind == .sequence {
            levels[last].guarded = decisions.and(levels[last].guarded, fine)
        }
    }

    private mutating func close(_ decisions: inout Decisions) {
        guard levels.count > 1, let level = levels.popLast(), let group = level.group else {
            return
        }
        if level.isInherited {
            closed[levels.count] = level.entries
        } else {
            group.entries = level.entries
            levels[levels.count - 1].entries.append(
                Entry(kind: .group(group), condition: Decisions.always))
        }
        if inParallel {
            if level.fine != Decisions.always { note(fine: level.fine, &decisions) }
        } else {
            resolved.removeAll()
        }
    }
}
