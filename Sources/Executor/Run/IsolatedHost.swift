internal import PipelineIR

/// Runs steps in workspaces that are made for the job and vanish with it.
final class IsolatedHost: StepHost {
    private let plan: Plan
    private let store: ContentStore
    let workspaces: Workspaces
    /// Where another engine finds what steps have declared to write; `nil` where none follows.
    let records: WorkspaceRecords?
    private let source: WorkspaceState
    private var flow: WorkspaceFlow
    private let ends: Set<StepIndex>
    /// What each step left, until nobody asks for it.
    private var held: [StepIndex: [Holding]] = [:]
    private var passed: Set<StepIndex> = []
    private var active: [StepIndex: Active] = [:]
    /// Lanes of the engine before this one, by their number.
    private var recalled: [Int: Lane] = [:]
    /// Where declared steps ran, until they have ended.
    private var failed: [StepIndex: Lane] = [:]

    /// What a step left: a lane that may go on, or a state.
    private enum Holding {
        case lane(Lane, last: StepIndex)
        case state(WorkspaceState)
    }

    /// Where a step runs.
    private struct Active {
        var lane: Lane
        /// What it began with; `nil` when it went on in a lane and cannot begin again.
        var before: WorkspaceState?
        /// All that the step sees, where it stands apart.
        var inputs: FileTree?
    }

    /// Creates a host for a job whose steps begin with a source.
    init(
        plan: Plan, source: Layer, store: ContentStore, workspaces: Workspaces,
        records: WorkspaceRecords? = nil
    ) {
        self.plan = plan
        self.records = records
        self.store = store
        self.workspaces = workspaces
        self.source = WorkspaceState([source])
        flow = WorkspaceFlow(plan)
        ends = flow.ends
    }

    var view: String? { workspaces.view }

    /// The digest of what the job began with.
    var sourceDigest: Digest? { source.layers[0].tree?.digest }

    func inputs(of step: StepIndex, _ globs: [Glob]) throws -> FileTree {
        let state = try state(before: step)
        let reader = StateReader(state: state, store: store)
        if let known = reader.known(globs) { return known }
        return try workspaces.viewing(state) { try reader.tree(globs, view: $0) }
    }

    func enter(_ step: StepIndex, inputs: FileTree?) throws -> String {
        passed.remove(step)
        failed[step] = nil
        if let again = active[step] {
            // Another attempt begins with what the first one began with.
            _ = try workspaces.seal(again.lane)
            active[step] = nil
            guard let before = again.before else { return again.lane.folder }
            return try open(step, before, inputs: again.inputs).folder
        }
        if let inputs { return try open(step, base(of: step, inputs), inputs: inputs).folder }
        if plan.steps[step.int].options?.retry == nil, let lane = lane(toContinueBy: step) {
            lane.owners.append(step.int)
            active[step] = Active(lane: lane, before: nil, inputs: nil)
            return lane.folder
        }
        return try open(step, state(before: step), inputs: nil).folder
    }

    func outputs(of step: StepIndex, _ globs: [Glob]) throws -> FileTree {
        guard let active = active[step] else { return .empty }
        if plan.steps[step.int].settings.inputs == nil, active.inputs != nil {
            // It may have changed little of much.
            let state = try workspaces.seal(active.lane)
            let reader = StateReader(state: state, store: store)
            return try workspaces.viewing(state) { try reader.tree(globs, view: $0) }
        }
        return try TreeReader(Folder(active.lane.folder), memory: nil).ingest(globs, into: store)
    }

    func leave(_ step: StepIndex, outputs: FileTree?) throws {
        guard let ended = active.removeValue(forKey: step) else { return passUnchecked(step) }
        guard let inputs = ended.inputs else {
            held[step] = [.lane(ended.lane, last: step)]
            return
        }
        _ = try workspaces.seal(ended.lane)
        failed[step] = ended.lane
        if let outputs { _ = try take(step, outputs, inputs: inputs) } else { pass(step) }
    }

    func lane(of step: StepIndex) -> Int? {
        guard let active = active[step], active.inputs == nil else { return nil }
        return active.lane.number
    }

    func recallBegin(_ step: StepIndex, lane number: Int?) throws {
        passed.remove(step)
        active[step] = nil
        guard let number else { return }
        var lane = recalled[number]
        if lane == nil || lane?.sealed != nil {
            lane = try workspaces.reopen(state(before: step), as: number)
        }
        guard let lane else { return }
        recalled[number] = lane
        lane.owners.append(step.int)
        active[step] = Active(lane: lane, before: nil, inputs: nil)
    }

    func recallEnd(_ step: StepIndex, isLost: Bool) throws {
        if active[step] != nil { return try leave(step, outputs: nil) }
        if !isLost, let change = try records?.change(by: step) {
            try take(change, of: step)
        } else {
            passUnchecked(step)
        }
    }

    func take(_ step: StepIndex, _ outputs: FileTree, inputs: FileTree) throws -> Int {
        let change =
            plan.steps[step.int].settings.keepsChanges
            ? TreeChange(from: inputs, to: outputs) : TreeChange(adding: outputs)
        try records?.keep(change, by: step)
        try take(change, of: step)
        return change.written.entries.count
    }

    private func take(_ change: TreeChange, of step: StepIndex) throws {
        var state = try state(before: step)
        if let layer = try layer(change, by: step) { state.layers.append(layer) }
        held[step] = [.state(state)]
    }

    /// What a step changed, as a layer; `nil` for nothing.
    private func layer(_ change: TreeChange, by step: StepIndex) throws -> Layer? {
        if !change.removed.isEmpty {
            let folder = try workspaces.layerFolder()
            let layer = Layer(path: folder, owners: [step.int])
            try change.fill(folder, from: store)
            for entry in change.written.entries { layer.hashed[entry.path] = entry.node }
            return layer
        }
        if change.written.entries.isEmpty { return nil }
        return Layer(
            path: workspaces.layerPath(), owners: [step.int], tree: change.written
        ) { [store] path in
            try Workspaces.makeFolder(path)
            try change.fill(path, from: store)
        }
    }

    func pass(_ step: StepIndex) {
        passed.insert(step)
        let sources = flow.sources(of: step)
        held[step] =
            sources.count == 1 ? held[sources[0]] ?? [] : sources.flatMap { held[$0] ?? [] }
    }

    func settled(_ step: StepIndex) {
        failed[step] = nil
        if held[step] == nil { pass(step) }
    }

    func left(by step: StepIndex) throws -> LeftWorkspace? {
        let lane: Lane
        if let own = failed[step] {
            lane = own
        } else if case .lane(let own, let last)? = held[step]?.first, last == step {
            lane = own
        } else {
            return nil
        }
        return LeftWorkspace(folder: lane.folder, state: try workspaces.seal(lane))
    }

    /// Hands on what a step got that could not begin. Where that was a conflict, the later branch
    /// wins, so that what runs after a failure finds a workspace to clean up.
    private func passUnchecked(_ step: StepIndex) {
        pass(step)
        guard (held[step]?.count ?? 0) > 1, (try? state(before: step)) == nil,
            let states = try? before(step).map(sealed),
            let joined = try? workspaces.join(states, isChecked: false)
        else { return }
        held[step] = [.state(joined)]
    }

    func viewing<Result>(_ step: StepIndex, _ body: (String) throws -> Result) throws -> Result {
        let holdings = before(step)
        if holdings.count == 1, case .lane(let lane, _) = holdings[0], lane.sealed == nil {
            return try body(lane.folder)
        }
        return try workspaces.viewing(state(before: step), body)
    }

    func ended(_ step: StepIndex) {
        for one in flow.end(step) where !ends.contains(one) { held[one] = nil }
        // Mounts are few; nobody goes on in the lane of a step that nobody follows.
        if ends.contains(step), case .lane(let lane, last: step)? = held[step]?.first,
            lane.owners.last == step.int, let state = try? workspaces.seal(lane)
        {
            held[step] = [.state(state)]
        }
    }

    func finish() throws {
        var states: [WorkspaceState] = []
        for step in ends.sorted(by: { $0.value < $1.value }) {
            states += try (held[step] ?? []).map(sealed)
        }
        try workspaces.check(states)
    }

    func close() {
        held = [:]
        recalled = [:]
        active = [:]
        failed = [:]
        workspaces.close()
    }

    /// What a step begins with that sees some files and nothing else.
    private func base(of step: StepIndex, _ inputs: FileTree) throws -> WorkspaceState {
        if plan.steps[step.int].settings.inputs == nil {
            let state = try state(before: step)
            // All of it is made of blobs, as a folder of its own would be.
            if state.layers.allSatisfy({ $0.tree != nil }) { return state }
        }
        let folder = try workspaces.layerFolder()
        let layer = Layer(path: folder, owners: [], tree: inputs)
        try TreeChange(adding: inputs).fill(folder, from: store)
        return WorkspaceState([layer])
    }

    private func open(
        _ step: StepIndex, _ state: WorkspaceState, inputs: FileTree?
    ) throws -> Lane {
        let lane = try workspaces.open(state)
        lane.owners.append(step.int)
        active[step] = Active(lane: lane, before: state, inputs: inputs)
        return lane
    }

    /// What the steps before a step left, each once.
    private func before(_ step: StepIndex) -> [Holding] {
        var lanes: [Lane] = []
        var found: [Holding] = []
        for before in flow.sources(of: step) {
            for holding in held[before] ?? [] {
                if case .lane(let lane, _) = holding {
                    if lanes.contains(where: { $0 === lane }) { continue }
                    lanes.append(lane)
                }
                found.append(holding)
            }
        }
        return found
    }

    /// The lane that a step may go on in: the only thing it gets, and nobody else does.
    private func lane(toContinueBy step: StepIndex) -> Lane? {
        let holdings = before(step)
        guard holdings.count == 1, case .lane(let lane, _) = holdings[0], lane.sealed == nil,
            let last = lane.owners.last,
            flow.isAlone(step, after: StepIndex(last), hasPassed: { passed.contains($0) })
        else { return nil }
        return lane
    }

    private func state(before step: StepIndex) throws -> WorkspaceState {
        let holdings = before(step)
        if holdings.isEmpty { return source }
        return try workspaces.join(holdings.map(sealed))
    }

    private func sealed(_ holding: Holding) throws -> WorkspaceState {
        switch holding {
        case .state(let state): state
        case .lane(let lane, _): try workspaces.seal(lane)
        }
    }
}
