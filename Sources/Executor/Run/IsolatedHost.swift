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
        var isDeclared: Bool
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
            return try open(step, before, isDeclared: again.isDeclared).folder
        }
        if let inputs {
            let folder = try workspaces.layerFolder()
            try link(inputs, into: folder)
            let layer = Layer(path: folder, owners: [], tree: inputs)
            return try open(step, WorkspaceState([layer]), isDeclared: true).folder
        }
        if plan.steps[step.int].options?.retry == nil, let lane = lane(toContinueBy: step) {
            lane.owners.append(step.int)
            active[step] = Active(lane: lane, before: nil, isDeclared: false)
            return lane.folder
        }
        return try open(step, state(before: step), isDeclared: false).folder
    }

    func outputs(of step: StepIndex, _ globs: [Glob]) throws -> FileTree {
        guard let active = active[step] else { return .empty }
        return try TreeReader(Folder(active.lane.folder), memory: nil).ingest(globs, into: store)
    }

    func leave(_ step: StepIndex, outputs: FileTree?) throws {
        guard let ended = active.removeValue(forKey: step) else { return passUnchecked(step) }
        guard ended.isDeclared else {
            held[step] = [.lane(ended.lane, last: step)]
            return
        }
        _ = try workspaces.seal(ended.lane)
        failed[step] = ended.lane
        if let outputs { _ = try take(step, outputs) } else { pass(step) }
    }

    func lane(of step: StepIndex) -> Int? {
        guard let active = active[step], !active.isDeclared else { return nil }
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
        active[step] = Active(lane: lane, before: nil, isDeclared: false)
    }

    func recallEnd(_ step: StepIndex, isLost: Bool) throws {
        if active[step] != nil { return try leave(step, outputs: nil) }
        if !isLost, let outputs = try records?.outputs(of: step) {
            _ = try take(outputs, of: step)
        } else {
            passUnchecked(step)
        }
    }

    func take(_ step: StepIndex, _ outputs: FileTree) throws -> Int {
        try records?.keep(outputs, of: step)
        return try take(outputs, of: step)
    }

    private func take(_ outputs: FileTree, of step: StepIndex) throws -> Int {
        var state = try state(before: step)
        if !outputs.entries.isEmpty {
            let layer = Layer(
                path: workspaces.layerPath(), owners: [step.int], tree: outputs
            ) { [store] path in
                try Workspaces.makeFolder(path)
                var restore = TreeRestore(from: store, into: try Folder(path), by: .link)
                _ = try restore.restore(outputs)
            }
            state.layers.append(layer)
        }
        held[step] = [.state(state)]
        return outputs.entries.count
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

    private func link(_ tree: FileTree, into folder: String) throws {
        var restore = TreeRestore(from: store, into: try Folder(folder), by: .link)
        _ = try restore.restore(tree)
    }

    private func open(
        _ step: StepIndex, _ state: WorkspaceState, isDeclared: Bool
    ) throws -> Lane {
        let lane = try workspaces.open(state)
        lane.owners.append(step.int)
        active[step] = Active(lane: lane, before: state, isDeclared: isDeclared)
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
