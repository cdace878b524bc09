internal import CSandbox
internal import Glibc
internal import Synchronization

/// Makes, forks and joins workspaces.
///
/// A workspace is a stack of layers. A step that declares nothing works in a lane, which is a mount
/// of the stack with a layer of its own on top; a fork freezes that layer and puts one for each
/// branch on it; a join puts the branches' layers on each other, which costs nothing, since nobody
/// copies a file. Mounts need a mount namespace of the program's own. Without one, a lane is a
/// folder of copies, and its layer is made when it is frozen.
package final class Workspaces {
    /// Chooses how workspaces are made: `copy` for folders instead of mounts.
    static let variable = "DANUBE_WORKSPACES"
    /// The folder of the job.
    package let folder: String
    /// Whether nothing is mounted.
    package private(set) var isCopying: Bool
    /// The path at which all steps see the workspace that is theirs; `nil` where nothing is
    /// mounted. Programs write paths into what they make (virtual environments, build folders), and
    /// the next step, or another job, finds it in another lane.
    package private(set) var view: String?
    private var count = 0
    private let stacks = LayerStacks()
    private var mounted: Set<String> = []

    /// Makes workspaces in a folder that is there and belongs to this job alone. `mayMount` says
    /// that the program has a mount namespace of its own, in which each step can see its workspace
    /// at `view`.
    package init(folder: String, mayMount: Bool, view: String? = nil) throws {
        self.folder = folder
        isCopying = !mayMount || Self.areCopiesWanted
        for name in ["layers", "work", "lanes"] {
            try Self.makeFolder("\(folder)/\(name)")
        }
        if !isCopying, !Self.isKnownToMount(folder) { isCopying = try !canMount() }
        if !isCopying, let view {
            try Self.makeFolder(view)
            self.view = view
        }
    }

    /// Where steps see their workspaces, by the folder of the cache.
    package static func view(in cacheFolder: String) -> String { "\(cacheFolder)/workspace" }

    /// Whether the environment asks for copies.
    package static var areCopiesWanted: Bool {
        getenv(variable).map { String(cString: $0) } == "copy"
    }

    /// A folder beneath which overlays can be mounted, as a process knew of which this is a fork.
    private static let known = Mutex<String?>(nil)

    /// Lets this process and its forks take it as known that overlays can be mounted there.
    package static func knowsMounts(beneath folder: String) { known.withLock { $0 = folder } }

    private static func isKnownToMount(_ folder: String) -> Bool {
        known.withLock { known in known.map { folder.hasPrefix("\($0)/") } ?? false }
    }

    /// Whether overlays can be mounted beneath the folder of a cache, in this process's own mounts.
    package static func canMount(beneath cacheFolder: String) -> Bool {
        do {
            try makeFolder(cacheFolder)
            let place = "\(cacheFolder)/\(getpid()).mount"
            try makeFolder(place)
            defer { ScratchRemoval.remove(place) }
            return try !Workspaces(folder: place, mayMount: true).isCopying
        } catch {
            return false
        }
    }

    /// Whether the kernel makes overlays of folders here.
    private func canMount() throws -> Bool {
        let paths = try (0..<4).map { _ in try layerFolder() }
        defer { for path in paths { rmdir(path) } }
        let layers = CStrings([paths[1]])
        let status = layers.withConstantPointers { pointers in
            danube_overlay_mount(paths[0], pointers, paths[2], paths[3])
        }
        if status < 0 { return false }
        _ = danube_unmount(paths[0])
        ScratchRemoval.remove(paths[3])
        return true
    }

    /// Opens a lane on a state.
    package func open(_ state: WorkspaceState) throws -> Lane {
        try open(state, as: next())
    }

    /// Opens a lane whose folder has a number, and leaves greater ones to others.
    func open(_ state: WorkspaceState, as number: Int) throws -> Lane {
        count = max(count, number)
        let lane = Lane(
            number: number, folder: "\(folder)/lanes/\(number)", base: state,
            upper: "\(folder)/layers/\(number)")
        if isCopying {
            for path in [lane.folder, lane.upper] { try Self.makeFolder(path) }
            lane.copy = try LaneCopy(of: state, in: lane.folder)
            return lane
        }
        let work = "\(folder)/work/\(number)"
        for path in [lane.folder, lane.upper, work] { try Self.makeFolder(path) }
        lane.mounted = try stacks.mountable(state.layers, layerFolder)
        try mount(lane.mounted, at: lane.folder, upper: lane.upper, work: work)
        return lane
    }

    /// Freezes a lane: what it holds becomes a state, and nothing may run in it any more.
    package func seal(_ lane: Lane) throws -> WorkspaceState {
        if let sealed = lane.sealed { return sealed }
        if let copy = lane.copy {
            try copy.seal(lane.folder, into: lane.upper)
            ScratchRemoval.remove(lane.folder)
            lane.copy = nil
        } else {
            unmount(lane.folder)
            lane.mounted = []
        }
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
    /// changed a path to different contents, unless it is not checked.
    package func join(
        _ states: [WorkspaceState], isChecked: Bool = true
    ) throws(WorkspaceError) -> WorkspaceState {
        guard let first = states.first else { return WorkspaceState([]) }
        var join = WorkspaceJoin(first, shared: states.map { $0.shared(with: first) }.min() ?? 0)
        for state in states.dropFirst() {
            try join.add(state, isChecked: isChecked, layerFolder)
        }
        return join.joined
    }

    /// Throws as `join` does, and makes no more of the layers than it must.
    func check(_ states: [WorkspaceState]) throws(WorkspaceError) {
        var seen: Set<ObjectIdentifier> = []
        let different = states.filter { state in
            state.layers.last.map { seen.insert(ObjectIdentifier($0)).inserted } ?? false
        }
        if different.count < 2 || KnownState.areApart(different) { return }
        _ = try join(different)
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
        let path = "\(folder)/lanes/\(next())"
        try Self.makeFolder(path)
        if isCopying {
            defer { ScratchRemoval.remove(path) }
            try LaneCopy.fill(path, with: state, by: .link)
            return try body(path)
        }
        let layers = try stacks.mountable(state.layers, layerFolder)
        try mount(layers, at: path, upper: nil, work: nil)
        defer { unmount(path) }
        return try body(path)
    }

    /// Takes away all that is still mounted, so that the folder can be deleted.
    package func close() {
        for path in mounted { _ = danube_unmount(path) }
        mounted = []
    }

    /// Opens a lane again that a program before this one had, with what was changed in it.
    func reopen(_ state: WorkspaceState, as number: Int) throws -> Lane {
        // The kernel marks it as one whose changes may not be on the disk. The machine runs since,
        // so they are where anybody sees them.
        ScratchRemoval.remove("\(folder)/work/\(number)")
        return try open(state, as: number)
    }

    /// Leaves the numbers alone that a program before this one gave.
    func skipUsed() throws {
        for kind in ["layers", "lanes"] {
            for name in try FileComparison.names(in: "\(folder)/\(kind)".joined(.root)) {
                count = max(count, Int(String(decoding: name, as: UTF8.self)) ?? 0)
            }
        }
    }

    private func unmount(_ path: String) {
        _ = danube_unmount(path)
        rmdir(path)
        mounted.remove(path)
    }

    private func next() -> Int {
        count += 1
        return count
    }

    private func mount(
        _ layers: [Layer], at target: String, upper: String?, work: String?
    ) throws(WorkspaceError) {
        var folders: [String] = []
        for layer in layers.reversed() { folders.append(try layer.folder()) }
        let layers = CStrings(folders)
        let status = layers.withConstantPointers { pointers in
            danube_overlay_mount(target, pointers, upper, work)
        }
        if status < 0 { throw .system("mount", path: target, errno: -status) }
        mounted.insert(target)
    }

    static func makeFolder(_ path: String) throws(WorkspaceError) {
        guard mkdir(path, 0o755) == 0 || errno == EEXIST else {
            throw .system("make the folder", path: path, errno: errno)
        }
    }
}
