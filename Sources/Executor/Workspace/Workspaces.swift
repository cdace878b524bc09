internal import CSandbox
internal import Glibc

/// Makes, forks and joins workspaces.
///
/// A workspace is a stack of layers. A step that declares nothing works in a lane, which is a mount
/// of the stack with a layer of its own on top; a fork freezes that layer and puts one for each
/// branch on it; a join puts the branches' layers on each other, which costs nothing, since nobody
/// copies a file. Needs a mount namespace of its own.
package final class Workspaces {
    /// More layers than this are merged into one, as the kernel bounds their number.
    static let mostLayers = 48

    /// The folder of the job.
    package let folder: String
    private var count = 0

    /// Makes workspaces in a folder that is there and belongs to this job alone.
    package init(folder: String) throws(WorkspaceError) {
        self.folder = folder
        for name in ["layers", "work", "lanes", "steps"] {
            try Self.makeFolder("\(folder)/\(name)")
        }
    }

    /// Opens a lane on a state.
    package func open(_ state: WorkspaceState) throws -> Lane {
        let number = next()
        let base = try thinned(state)
        let lane = Lane(
            folder: "\(folder)/lanes/\(number)", base: base, upper: "\(folder)/layers/\(number)")
        let work = "\(folder)/work/\(number)"
        for path in [lane.folder, lane.upper, work] { try Self.makeFolder(path) }
        try mount(base, at: lane.folder, upper: lane.upper, work: work)
        return lane
    }

    /// Freezes a lane: what it holds becomes a state, and nothing may run in it any more.
    package func seal(_ lane: Lane) throws(WorkspaceError) -> WorkspaceState {
        if let sealed = lane.sealed { return sealed }
        _ = danube_unmount(lane.folder)
        rmdir(lane.folder)
        var state = lane.base
        if try FileComparison.names(in: lane.upper.joined(.root)).isEmpty {
            rmdir(lane.upper)
        } else {
            state.layers.append(Layer(path: lane.upper, owners: lane.owners.sorted()))
        }
        lane.sealed = state
        return state
    }

    /// The state in which the changes of all states are found. Throws `conflict` when two of them
    /// changed a path to different contents.
    package func join(_ states: [WorkspaceState]) throws -> WorkspaceState {
        guard var joined = states.first else { return WorkspaceState([]) }
        for state in states.dropFirst() {
            let shared = joined.shared(with: state)
            let added = state.layers[shared...].filter { layer in
                !joined.layers.contains { $0 === layer }
            }
            if added.isEmpty { continue }
            let others = joined.layers[shared...].filter { layer in
                !state.layers.contains { $0 === layer }
            }
            if !others.isEmpty { try check(others, added) }
            joined.layers += added
        }
        return joined
    }

    private func check(_ first: [Layer], _ second: [Layer]) throws {
        let conflict = try LayerChanges(first).conflict(with: LayerChanges(second))
        guard let (one, other) = conflict else { return }
        let path = one.path < other.path ? other.path : one.path
        throw WorkspaceError.conflict(
            path: path.text, first: one.layer.owners, second: other.layer.owners)
    }

    /// An empty folder in which a step runs that sees its inputs only.
    package func stepFolder() throws(WorkspaceError) -> String {
        let path = "\(folder)/steps/\(next())"
        try Self.makeFolder(path)
        return path
    }

    /// A place for a layer that is filled by hand.
    func layerFolder() throws(WorkspaceError) -> String {
        let path = layerPath()
        try Self.makeFolder(path)
        return path
    }

    /// A place for a layer, where nothing is yet.
    func layerPath() -> String { "\(folder)/layers/\(next())" }

    /// Mounts a state where nobody writes to it, and calls a function with the folder.
    package func viewing<Result>(
        _ state: WorkspaceState, _ body: (String) throws -> Result
    ) throws -> Result {
        if state.layers.count == 1 { return try body(state.layers[0].folder()) }
        let base = try thinned(state)
        let path = "\(folder)/lanes/\(next())"
        try Self.makeFolder(path)
        try mount(base, at: path, upper: nil, work: nil)
        defer {
            _ = danube_unmount(path)
            rmdir(path)
        }
        return try body(path)
    }

    private func next() -> Int {
        count += 1
        return count
    }

    private func mount(
        _ state: WorkspaceState, at target: String, upper: String?, work: String?
    ) throws {
        let layers = CStrings(try state.layers.reversed().map { try $0.folder() })
        let status = layers.withConstantPointers { pointers in
            danube_overlay_mount(target, pointers, upper, work)
        }
        if status < 0 { throw WorkspaceError.system("mount", path: target, errno: -status) }
    }

    /// Merges the layers above the source into one when there are too many.
    private func thinned(_ state: WorkspaceState) throws -> WorkspaceState {
        guard state.layers.count > Self.mostLayers else { return state }
        let path = try layerFolder()
        var owners: [Int] = []
        for layer in state.layers.dropFirst() {
            try LayerMerge.add(layer.folder(), to: path)
            owners += layer.owners
        }
        return WorkspaceState([state.layers[0], Layer(path: path, owners: owners.sorted())])
    }

    static func makeFolder(_ path: String) throws(WorkspaceError) {
        guard mkdir(path, 0o755) == 0 || errno == EEXIST else {
            throw .system("make the folder", path: path, errno: errno)
        }
    }
}
