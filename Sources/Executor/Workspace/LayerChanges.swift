internal import CSandbox
internal import Glibc

/// What a layer changes, sorted by path.
struct LayerChanges {
    /// How a path was changed.
    enum Kind: Equatable {
        case file
        case link
        /// A folder that adds to the one below, if there is one.
        case folder
        /// A folder that hides the one below.
        case replaced
        /// Nothing is there any more.
        case removed

        /// Whether it hides everything that lies beneath the path in lower layers.
        var hidesBelow: Bool { self != .folder }
    }

    /// A changed path.
    struct Change {
        var path: TreePath
        var kind: Kind
        var layer: Layer
        /// The layer's folder.
        var root: String
    }

    private(set) var changes: [TreePath: Change] = [:]
    private var replaced: Set<TreePath> = []
    /// Paths beneath which something was changed, with one of the changes.
    private var above: [TreePath: Change] = [:]

    /// Reads the folders of some layers, of which later ones win.
    init(_ layers: some Sequence<Layer>) throws(WorkspaceError) {
        for layer in layers { try read(layer) }
    }

    /// A path that both sides changed and that is not the same in both, if there is one.
    func conflict(with other: LayerChanges) -> (Change, Change)? {
        let (small, large) =
            changes.count <= other.changes.count ? (self, other) : (other, self)
        let found = small.changes.values.compactMap { change in
            large.rival(of: change, of: small).map { (change, $0) }
        }
        guard let first = found.min(by: { $0.0.path < $1.0.path }) else { return nil }
        return small.changes.count == changes.count ? first : (first.1, first.0)
    }

    private func rival(of change: Change, of other: LayerChanges) -> Change? {
        if let same = changes[change.path], !Self.isEqual(same, change) { return same }
        // Where both replaced a folder, what they put there is compared path by path.
        if change.kind.hidesBelow, changes[change.path] == nil, let below = above[change.path] {
            return below
        }
        var path = change.path
        while !path.isRoot {
            path = path.parent
            if let over = changes[path], over.kind.hidesBelow,
                over.kind != other.changes[path]?.kind
            {
                return over
            }
        }
        return nil
    }

    /// Folders that both sides put in the place of those below.
    func replacedFolders(with other: LayerChanges) -> Set<TreePath> {
        replaced.filter { other.changes[$0]?.kind == .replaced }
    }

    /// What was put beneath a folder, apart from folders, and is not in the other side.
    func files(beneath folder: TreePath, missingIn other: LayerChanges) -> [Change] {
        changes.values.filter { change in
            (change.kind == .file || change.kind == .link) && change.path.isWithin(folder)
                && other.changes[change.path] == nil
        }
    }

    /// Takes the changes of another side, which have been found not to conflict.
    mutating func add(_ other: LayerChanges) {
        changes.merge(other.changes) { _, new in new }
        above.merge(other.above) { old, _ in old }
        replaced.formUnion(other.replaced)
    }

    /// What a layer does at a path; `nil` for nothing.
    static func kind(in layer: Layer, _ path: TreePath) throws(WorkspaceError) -> Kind? {
        let place = try layer.folder().joined(path)
        let entry = danube_layer_entry(place)
        if entry == -ENOENT || entry == -ENOTDIR { return nil }
        return try kind(of: place, path)
    }

    private static func isEqual(_ a: Change, _ b: Change) -> Bool {
        guard a.kind == b.kind else { return false }
        switch a.kind {
        case .folder, .removed, .replaced: return true
        case .file, .link:
            return FileComparison.isEqual(
                a.root.joined(a.path), b.root.joined(b.path))
        }
    }

    private mutating func read(_ layer: Layer) throws(WorkspaceError) {
        let root = try layer.folder()
        let isFirst = changes.isEmpty
        var folders = [TreePath.root]
        while let folder = folders.popLast() {
            for name in try FileComparison.names(in: root.joined(folder)) {
                let path = folder.appending(name)
                let kind = try Self.kind(of: root.joined(path), path)
                if !isFirst, kind.hidesBelow, above[path] != nil { drop(beneath: path, but: layer) }
                changes[path] = Change(path: path, kind: kind, layer: layer, root: root)
                if kind == .folder || kind == .replaced { folders.append(path) }
                if kind == .replaced { replaced.insert(path) }
                if kind != .folder { markAbove(path, layer, kind) }
            }
        }
    }

    /// Forgets what earlier layers changed beneath a path that a layer hides.
    private mutating func drop(beneath path: TreePath, but layer: Layer) {
        changes = changes.filter { $0.value.layer === layer || !$0.key.isWithin(path) }
        replaced = replaced.filter { changes[$0]?.kind == .replaced }
        above.removeAll(keepingCapacity: true)
        for change in changes.values where change.kind != .folder {
            markAbove(change.path, change.layer, change.kind)
        }
    }

    private mutating func markAbove(_ path: TreePath, _ layer: Layer, _ kind: Kind) {
        var folder = path
        while !folder.isRoot {
            folder = folder.parent
            if above[folder] != nil { return }
            above[folder] = Change(path: path, kind: kind, layer: layer, root: "")
        }
    }

    private static func kind(of place: [CChar], _ path: TreePath) throws(WorkspaceError) -> Kind {
        let entry = danube_layer_entry(place)
        switch Int(entry) {
        // Sockets and pipes that a step left are no reason to fail.
        case DANUBE_LAYER_FILE, DANUBE_LAYER_OTHER: return .file
        case DANUBE_LAYER_LINK: return .link
        case DANUBE_LAYER_FOLDER: return .folder
        case DANUBE_LAYER_REPLACED: return .replaced
        case DANUBE_LAYER_REMOVED: return .removed
        default: throw .system("look at", path: path.text, errno: -entry)
        }
    }
}
