import PipelineIR

/// Turns merged entries into the steps, edges and conditions of a plan.
struct Lowering {
    let recording: Recording
    var merger: Merger
    var plan: Plan
    var conditions = ConditionTable()
    private var placement = Placement(alias: [])
    private var naming = StepNaming()
    var checks: StepChecks
    /// Where tips grow beyond this many alternatives, a step simply follows all of them.
    private static let tipLimit = 8
    /// Edges so far, and operands of conditions.
    private var edges = 0
    /// Globs that were compared so far.
    private var comparisons = 0
    /// A recording may be made so that merging it takes for ever.
    private let deadline: Deadline

    /// What the next step of a block follows.
    private struct Scope {
        /// Steps that nothing in the block follows yet, and when each is the last to have run.
        var tips: [Int32: Decisions.Node]
        /// What every later step of the block follows, declared or not.
        var base: [Int32: Decisions.Node]
        var declared = FootprintIndex()

        init(_ tips: [Int32: Decisions.Node]) {
            self.tips = tips
            base = tips
        }
    }

    init(_ recording: Recording, plan: Plan, checks: StepChecks, deadline: Deadline) {
        self.recording = recording
        self.plan = plan
        self.checks = checks
        self.deadline = deadline
        merger = Merger(recording, deadline: deadline)
    }

    /// Lowers everything.
    mutating func run() throws(RecordingError) {
        let merged = merger.merge()
        // The paths are one now; what they were would take as much memory as the plan.
        recording.root.clear()
        placement = Placement(alias: recording.steps.indices.map { merger.resolved(Int32($0)) })
        plan.frames = recording.frames
        plan.steps.reserveCapacity(recording.steps.count)
        var scope = Scope([:])
        for entry in merged.entries { try place(entry, in: &scope, group: nil) }
        for (exit, condition) in merged.exits where condition != Decisions.never {
            plan.exits.append(
                Exit(
                    kind: exit.kind, condition: index(condition),
                    message: Quantity.withoutNUL(exit.message),
                    frame: Recording.frameIndex(exit.frame), code: exit.code,
                    expression: exit.expression))
        }
        try checkDecisions()
        plan.conditions = conditions.conditions
        naming.report(to: &checks, plan: plan, decisions: &merger.decisions)
        // What it asked of conditions is no more to be trusted than the conditions themselves.
        try checkDecisions()
    }

    /// Throws when conditions are not to be trusted.
    private mutating func checkDecisions() throws(RecordingError) {
        if merger.decisions.isTooLarge { throw .tooMany("conditions", limit: 4000) }
        if merger.decisions.lookLate() { throw .late }
    }

    private mutating func place(
        _ entry: Entry, in scope: inout Scope, group: GroupIndex?
    ) throws(RecordingError) {
        try checkBounds()
        switch entry.kind {
        case .note(let text, let frame):
            plan.notes.append(
                Note(
                    text: printable(text), condition: index(entry.condition),
                    frame: Recording.frameIndex(frame), after: Int32(plan.steps.count)))
        case .group(let block): try place(block, in: &scope, parent: group)
        case .step(let number): place(step: number, entry, in: &scope, group)
        case .upload(let number): place(upload: number, entry, in: &scope, group)
        }
    }

    /// Throws when the plan grows out of proportion, or time is up.
    private mutating func checkBounds() throws(RecordingError) {
        if edges + conditions.operandCount > PlanLimits.edges {
            throw .tooMany("edges", limit: PlanLimits.edges)
        }
        if naming.bytes > PlanLimits.bytes {
            throw .tooMany("bytes in the ids of its steps", limit: PlanLimits.bytes)
        }
        if merger.decisions.ranOut || deadline.left <= 0 { throw .late }
    }

    private mutating func place(
        _ block: EntryGroup, in scope: inout Scope, parent: GroupIndex?
    ) throws(RecordingError) {
        let number = GroupIndex(plan.groups.count)
        let frame = Recording.frameIndex(block.frame)
        let kind = block.kind == .parallel ? "`parallel`" : "`sequence`"
        checks.check(name: block.name, "the block of \(kind)", mayBeEmpty: true, frame)
        plan.groups.append(
            Group(
                kind: block.kind, name: block.name, parent: parent, failFast: block.failFast,
                frame: frame))
        guard block.kind == .parallel else {
            for entry in block.entries {
                try place(entry, in: &scope, group: number)
            }
            return
        }
        let start = scope.tips
        var ends: [Int32: Decisions.Node] = [:]
        var isEmpty = true
        for entry in block.entries {
            let before = plan.steps.count
            var branch = Scope(start)
            try place(entry, in: &branch, group: number)
            if plan.steps.count == before { continue }
            isEmpty = false
            for (tip, active) in branch.tips {
                ends[tip] = ends[tip].map { merger.decisions.or($0, active) } ?? active
            }
        }
        if isEmpty { return }
        scope.tips = ends
        scope.base = ends
        scope.declared = FootprintIndex()
    }

    private mutating func place(
        step number: Int32, _ entry: Entry, in scope: inout Scope, _ group: GroupIndex?
    ) {
        let recorded = recording.steps[Int(number)]
        let index = Int32(plan.steps.count)
        var step = Step(id: "", name: "", command: mapped(recorded.command))
        step.frame = Recording.frameIndex(recorded.frame)
        step.group = group
        step.check = recorded.check
        step.capture = recorded.capture
        step.fatal = recorded.check && !recorded.handled
        let placement = placement
        checks.apply(recorded, to: &step) { $0.mapSteps(placement.index) }
        naming.name(
            &step, given: recorded.name, index: index, frames: plan.frames,
            condition: entry.condition)
        step.condition = self.index(entry.condition)
        step.data = dataEdges(step)
        step.conditional = conditionEdges(entry)
        if let needs = recorded.options?.needs {
            step.needs = Set(needs.map { placedIndex($0) }).sorted()
        }
        note(cleanup(of: .step(number), before: index), in: &step)
        let footprint = Footprint(step)
        follow(&step, index, entry.condition, footprint, &scope)
        count(edgesOf: step)
        placement.place(.step(number), at: index)
        plan.steps.append(step)
    }

    private mutating func place(
        upload number: Int32, _ entry: Entry, in scope: inout Scope, _ group: GroupIndex?
    ) {
        let recorded = recording.uploads[Int(number)]
        let index = Int32(plan.steps.count)
        let path = mapped(recorded.path)
        var step = Step(id: "", name: "", command: .script(.empty))
        step.kind = .upload
        step.frame = Recording.frameIndex(recorded.frame)
        step.group = group
        let name = recorded.name ?? path.literal ?? ""
        var options = Step.Options()
        options.upload = Upload(path: path, name: name, junit: recorded.junit)
        step.options = options
        checks.check(upload: path, name: recorded.name, frame: step.frame)
        naming.name(
            &step, given: "upload \(recorded.name ?? path.described)", index: index,
            frames: plan.frames,
            condition: entry.condition)
        step.condition = self.index(entry.condition)
        step.data = dataEdges(step)
        step.conditional = conditionEdges(entry)
        note(cleanup(of: .upload(number), before: index), in: &step)
        let footprint = path.literal.map { Footprint(inputs: [$0], outputs: []) }
        follow(&step, index, entry.condition, footprint, &scope)
        count(edgesOf: step)
        placement.place(.upload(number), at: index)
        plan.steps.append(step)
    }

    private func note(_ cleanup: Cleanup?, in step: inout Step) {
        guard let cleanup else { return }
        var options = step.settings
        options.cleanup = cleanup
        step.options = options
    }

    /// The steps of the `try` that a step cleans up after. Paths differ in what happens in it.
    private func cleanup(of event: RecordedEvent, before index: Int32) -> Cleanup? {
        var found: Cleanup?
        for one in merger.cleanups(of: event) {
            let first = placement.placed(merger.resolved(one.first))
            let last = placement.placed(merger.resolved(one.last))
            guard let first, let last, first <= last, last.value < index else { continue }
            found = Cleanup(
                first: min(first, found?.first ?? first), last: max(last, found?.last ?? last))
        }
        return found
    }

    private mutating func count(edgesOf step: Step) {
        edges += step.order.count + step.data.count + step.conditional.count
        edges += step.needs?.count ?? 0
    }

    /// Gives a step its order edges, and makes it what the next one follows.
    private mutating func follow(
        _ step: inout Step, _ index: Int32, _ condition: Decisions.Node, _ footprint: Footprint?,
        _ scope: inout Scope
    ) {
        let ran = condition
        if let needs = step.needs {
            for need in needs {
                guard let active = scope.tips[need.value] else { continue }
                let left = rest(active, without: ran)
                scope.tips[need.value] = left
                scope.base[need.value] = left
            }
            scope.tips[index] = ran
            scope.base[index] = ran
            return
        }
        if let footprint,
            let conflicts = scope.declared.conflicts(with: footprint, comparisons: &comparisons)
        {
            step.order = reduced(open(scope.base, ran) + conflicts.map { StepIndex(Int($0)) })
            for before in step.order {
                if let active = scope.tips[before.value] {
                    scope.tips[before.value] = rest(active, without: ran)
                }
            }
            scope.tips[index] = ran
            scope.declared.insert(footprint, step: index)
            return
        }
        step.order = reduced(open(scope.tips, ran))
        var tips = [index: ran]
        if ran != Decisions.always {
            if scope.tips.count <= Self.tipLimit {
                for (tip, active) in scope.tips {
                    if let left = rest(active, without: ran) { tips[tip] = left }
                }
            } else {
                // It follows them all, and passes the workspace through where it is skipped.
                step.order = reduced(scope.tips.keys.map { StepIndex(Int($0)) })
                tips[index] = Decisions.always
            }
        }
        scope.tips = tips
        scope.base = tips
        scope.declared = FootprintIndex()
    }

    /// When a step is still the last to have run, although another ran after it.
    private mutating func rest(_ active: Decisions.Node, without ran: Decisions.Node)
        -> Decisions.Node?
    {
        if ran == Decisions.always { return nil }
        let left = merger.decisions.and(active, merger.decisions.not(ran))
        return left == Decisions.never ? nil : left
    }

    /// Tips that may have run when a step with a condition runs.
    private mutating func open(_ tips: [Int32: Decisions.Node], _ condition: Decisions.Node)
        -> [StepIndex]
    {
        var found: [StepIndex] = []
        for (tip, active) in tips where !merger.decisions.exclusive(active, condition) {
            found.append(StepIndex(Int(tip)))
        }
        return found
    }

    /// Sorted, without what another of them follows directly.
    private func reduced(_ steps: [StepIndex]) -> [StepIndex] {
        if steps.count < 2 { return steps }
        var implied: Set<StepIndex> = []
        for step in steps { implied.formUnion(plan.steps[step.int].order) }
        return Set(steps).subtracting(implied).sorted()
    }
}

/// References, conditions and edges.
extension Lowering {
    fileprivate func placedIndex(_ number: Int32) -> StepIndex {
        placement.index(StepIndex(Int(number)))
    }

    func mapped(_ template: Template) -> Template {
        template.literal == nil ? template.mapSteps(placement.index) : template
    }

    /// What `print` said: a note may hold whatever the danubefile printed, but for NUL.
    private func printable(_ text: Template) -> Template {
        Template(
            parts: mapped(text).parts.map { part in
                if case .literal(let text) = part {
                    .literal(Quantity.withoutNUL(text))
                } else {
                    part
                }
            })
    }

    private func mapped(_ command: Step.Command) -> Step.Command {
        switch command {
        case .script(let template): .script(mapped(template))
        case .argv(let arguments): .argv(arguments.map { mapped($0) })
        }
    }

    fileprivate mutating func index(_ node: Decisions.Node) -> ConditionIndex? {
        if node == Decisions.always { return nil }
        return conditions.index(node, decisions: merger.decisions, placement.index)
    }

    fileprivate func dataEdges(_ step: Step) -> [StepIndex] {
        var found: Set<StepIndex> = []
        step.forEachTemplate { $0.forEachStep { found.insert($0) } }
        return found.sorted()
    }

    fileprivate mutating func conditionEdges(_ entry: Entry) -> [StepIndex] {
        if entry.condition == Decisions.always, entry.after.isEmpty { return [] }
        var found = Set(entry.after.map { placedIndex($0) })
        found.formUnion(
            conditions.steps(entry.condition, decisions: merger.decisions, placement.index))
        return found.sorted()
    }
}

/// Where recorded steps stand in the plan.
final class Placement {
    /// Index in the plan by recorded step; -1 where there is none yet.
    private var placed: [Int32]
    private var uploads: [Int32: Int32] = [:]
    /// The step that each was merged into.
    private let alias: [Int32]

    init(alias: [Int32]) {
        self.alias = alias
        placed = Array(repeating: -1, count: alias.count)
    }

    func place(_ event: RecordedEvent, at index: Int32) {
        switch event {
        case .step(let number): placed[Int(number)] = index
        case .upload(let number): uploads[number] = index
        }
    }

    /// Where a step or artifact stands that was not merged into another; `nil` if not yet.
    func placed(_ event: RecordedEvent) -> StepIndex? {
        let index =
            switch event {
            case .step(let number): placed[Int(number)]
            case .upload(let number): uploads[number] ?? -1
            }
        return index < 0 ? nil : StepIndex(Int(index))
    }

    func index(_ recorded: StepIndex) -> StepIndex {
        StepIndex(Int(max(0, placed[Int(alias[recorded.int])])))
    }
}
