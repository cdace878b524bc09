import PipelineIR

/// Merges the paths of a recording into one list of entries with conditions.
///
/// Two paths share what stands before the decision that parts them. What follows on each side is
/// merged where identity (call stack and content) and order agree; the rest stays under the
/// decision's condition.
struct Merger {
    let recording: Recording
    var decisions: Decisions
    /// For each recorded step the one it was merged into.
    private var alias: [Int32]
    /// The same for artifacts.
    private var uploadAlias: [Int32]
    /// For what was merged: the `try` that it cleans up after on each other path.
    private var cleanups: [RecordedEvent: [RecordedTry]] = [:]
    var keys: [Int?]
    /// Matches inside of groups that were matched, found before conditions are renamed.
    private var inner: [ObjectIdentifier: [(Int, Int)]] = [:]

    /// The merged entries and the exits.
    struct Result {
        var entries: [Entry]
        var exits: [(exit: RecordedExit, condition: Decisions.Node)]
    }

    private struct Suffix {
        /// Entries by level that was open before.
        var levels: [[Entry]]
        var exits: [(exit: RecordedExit, condition: Decisions.Node)]
    }

    init(_ recording: Recording, deadline: Deadline) {
        self.recording = recording
        decisions = Decisions(deadline: deadline)
        alias = Array(0..<Int32(recording.steps.count))
        uploadAlias = Array(0..<Int32(recording.uploads.count))
        keys = Array(repeating: nil, count: recording.steps.count)
    }

    /// Merges everything.
    mutating func merge() -> Result {
        // In the order of steps, so that a key finds those of the steps it refers to, and the
        // recursion between them ends at once.
        if case .decision = recording.root.end {
            for number in recording.steps.indices {
                if decisions.isLate() { return Result(entries: [], exits: []) }
                _ = key(Int32(number))
            }
        }
        let suffix = build(recording.root, EntryBuilder())
        return Result(entries: suffix.levels.first ?? [], exits: suffix.exits)
    }

    /// The step that a recorded step was merged into.
    func resolved(_ number: Int32) -> Int32 {
        var number = number
        while alias[Int(number)] != number { number = alias[Int(number)] }
        return number
    }

    /// The step or artifact that a recorded one was merged into.
    func resolved(_ event: RecordedEvent) -> RecordedEvent {
        switch event {
        case .step(let number): return .step(resolved(number))
        case .upload(var number):
            while uploadAlias[Int(number)] != number { number = uploadAlias[Int(number)] }
            return .upload(number)
        }
    }

    /// The `try` that a step or artifact cleans up after, as each path that has it says.
    func cleanups(of event: RecordedEvent) -> [RecordedTry] {
        let own =
            switch event {
            case .step(let number): recording.steps[Int(number)].cleanup
            case .upload(let number): recording.uploads[Int(number)].cleanup
            }
        return (own.map { [$0] } ?? []) + (cleanups[event] ?? [])
    }

    private mutating func merge(_ b: RecordedEvent, into a: RecordedEvent) {
        let found = cleanups(of: b)
        if !found.isEmpty { cleanups[a, default: []] += found }
    }

    // The recursion is as deep as decisions are nested, which the bound on paths bounds.
    private mutating func build(_ node: PathNode, _ start: EntryBuilder) -> Suffix {
        var builder = start
        builder.add(node.tokens, recording: recording, decisions: &decisions)
        switch node.end {
        case .open: return Suffix(levels: builder.finish([]), exits: [])
        case .exit(let exit):
            return Suffix(levels: builder.finish([]), exits: [(exit, Decisions.always)])
        case .decision(let predicate, _, let yes, let no):
            guard let yes, let no else { return Suffix(levels: builder.finish([]), exits: []) }
            let a = build(yes, EntryBuilder(openAs: builder))
            let b = build(no, EntryBuilder(openAs: builder))
            let test = decisions.node(predicate)
            let merged = join(test, a, b)
            return Suffix(levels: builder.finish(merged.levels), exits: merged.exits)
        }
    }

    private mutating func join(_ test: Decisions.Node, _ a: Suffix, _ b: Suffix) -> Suffix {
        let pairs = a.levels.indices.reversed().map { index in
            (index, matches(a.levels[index], b.levels[index]))
        }
        var memo: [Decisions.Node: Decisions.Node] = [:]
        var levels = a.levels
        for (index, matched) in pairs {
            levels[index] = combine(test, a.levels[index], b.levels[index], matched, &memo)
        }
        var exits: [(exit: RecordedExit, condition: Decisions.Node)] = []
        let otherwise = decisions.not(test)
        var found: [RecordedExit: Int] = [:]
        for (exit, condition) in a.exits {
            found[exit] = exits.count
            exits.append((exit, decisions.and(test, condition)))
        }
        for (exit, condition) in b.exits {
            let mine = decisions.and(otherwise, renamed(condition, &memo))
            if let index = found[exit] {
                exits[index].condition = decisions.or(exits[index].condition, mine)
            } else {
                exits.append((exit, mine))
            }
        }
        return Suffix(levels: levels, exits: exits)
    }

    /// Which entries of two lists are the same, as ascending pairs; remembers merged steps.
    private mutating func matches(_ a: [Entry], _ b: [Entry]) -> [(Int, Int)] {
        if a.isEmpty || b.isEmpty { return [] }
        var places: [Int: [Int]] = [:]
        for (index, entry) in a.enumerated().reversed() {
            places[key(entry), default: []].append(index)
        }
        var pairs: [(Int, Int)] = []
        for (index, entry) in b.enumerated() {
            let key = key(entry)
            if let place = places[key]?.popLast() { pairs.append((place, index)) }
        }
        var kept: [(Int, Int)] = []
        for pair in Self.longestAscending(pairs) where accept(a[pair.0], b[pair.1]) {
            kept.append(pair)
        }
        return kept
    }

    /// Longest part of pairs that ascend on both sides (patience sorting).
    private static func longestAscending(_ pairs: [(Int, Int)]) -> [(Int, Int)] {
        var tails: [Int] = []
        var before = [Int](repeating: -1, count: pairs.count)
        for (index, pair) in pairs.enumerated() {
            var low = 0
            var high = tails.count
            while low < high {
                let middle = (low + high) / 2
                if pairs[tails[middle]].0 < pair.0 { low = middle + 1 } else { high = middle }
            }
            before[index] = low > 0 ? tails[low - 1] : -1
            if low == tails.count { tails.append(index) } else { tails[low] = index }
        }
        var found: [(Int, Int)] = []
        var at = tails.last ?? -1
        while at >= 0 {
            found.append(pairs[at])
            at = before[at]
        }
        return found.reversed()
    }

    /// Whether entries with equal keys really are the same; if so their steps become one.
    private mutating func accept(_ a: Entry, _ b: Entry) -> Bool {
        guard a.after.map(resolved) == b.after.map(resolved) else { return false }
        switch (a.kind, b.kind) {
        case (.step(let x), .step(let y)):
            guard same(recording.steps[Int(x)], recording.steps[Int(y)]) else { return false }
            let x = resolved(x)
            let y = resolved(y)
            if x != y {
                alias[Int(y)] = x
                merge(.step(y), into: .step(x))
            }
            return true
        case (.upload(let x), .upload(let y)):
            let left = recording.uploads[Int(x)]
            let right = recording.uploads[Int(y)]
            guard left.frame == right.frame, left.name == right.name,
                left.junit == right.junit, same(left.path, right.path)
            else { return false }
            uploadAlias[Int(y)] = x
            merge(.upload(y), into: .upload(x))
            return true
        case (.note(let x, let f), .note(let y, let g)): return f == g && same(x, y)
        case (.group(let x), .group(let y)):
            guard x.kind == y.kind, x.name == y.name, x.frame == y.frame, x.failFast == y.failFast
            else { return false }
            inner[ObjectIdentifier(x)] = matches(x.entries, y.entries)
            return true
        default: return false
        }
    }

    private mutating func combine(
        _ test: Decisions.Node, _ a: [Entry], _ b: [Entry], _ matched: [(Int, Int)],
        _ memo: inout [Decisions.Node: Decisions.Node]
    ) -> [Entry] {
        var out: [Entry] = []
        out.reserveCapacity(a.count + b.count - matched.count)
        let otherwise = decisions.not(test)
        var i = 0
        var j = 0
        for (x, y) in matched + [(a.count, b.count)] {
            if decisions.isLate() { return [] }
            for entry in a[i..<x] { out.append(restricted(entry, test)) }
            for entry in b[j..<y] { out.append(restricted(renamed(entry, &memo), otherwise)) }
            guard x < a.count else { break }
            var entry = a[x]
            if case .group(let left) = entry.kind, case .group(let right) = b[y].kind {
                let pairs = inner.removeValue(forKey: ObjectIdentifier(left)) ?? []
                left.entries = combine(test, left.entries, right.entries, pairs, &memo)
            } else {
                entry.condition = decisions.choose(
                    test, entry.condition, renamed(b[y].condition, &memo))
            }
            out.append(entry)
            i = x + 1
            j = y + 1
        }
        return out
    }

    private mutating func restricted(_ entry: Entry, _ test: Decisions.Node) -> Entry {
        var entry = entry
        if case .group(let group) = entry.kind {
            group.entries = group.entries.map { restricted($0, test) }
        } else {
            entry.condition = decisions.and(test, entry.condition)
        }
        return entry
    }

    private mutating func renamed(
        _ entry: Entry, _ memo: inout [Decisions.Node: Decisions.Node]
    ) -> Entry {
        var entry = entry
        if case .group(let group) = entry.kind {
            group.entries = group.entries.map { renamed($0, &memo) }
        } else {
            entry.condition = renamed(entry.condition, &memo)
        }
        return entry
    }

    /// A condition whose steps are those they were merged into.
    private mutating func renamed(
        _ node: Decisions.Node, _ memo: inout [Decisions.Node: Decisions.Node]
    ) -> Decisions.Node {
        let alias = alias
        func root(_ step: StepIndex) -> StepIndex {
            var number = step.value
            while alias[Int(number)] != number { number = alias[Int(number)] }
            return StepIndex(Int(number))
        }
        return decisions.renamed(node, memo: &memo) { atom in
            switch atom {
            case .code(let step, let ranges): .code(root(step), ranges)
            case .compare(let op, let left, let right):
                .compare(op, left.mapSteps(root), right.mapSteps(root))
            case .defined(let template): .defined(template.mapSteps(root))
            }
        }
    }
}
