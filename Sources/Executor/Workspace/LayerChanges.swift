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
    /// Paths beneath which something was changed, with one of the changes.
    private var above: [TreePath: Change] = [:]

    /// Reads the folders of some layers, of which later ones win.
    init(_ layers: some Sequence<Layer>) throws {
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

    private static func isEqual(_ a: Change, _ b: Change) -> Bool {
        guard a.kind == b.kind else { return false }
        switch a.kind {
        case .folder, .removed, .replaced: return true
        case .file, .link:
            return FileComparison.isEqual(
                a.root.joined(a.path), b.root.joined(b.path))
        }
    }

    private mutating func read(_ layer: Layer) throws {
        let root = try layer.folder()
        var folders = [TreePath.root]
        while let folder = folders.popLast() {
            for name in try FileComparison.names(in: root.joined(folder)) {
                let path = folder.appending(name)
                let kind = try Self.kind(of: root.joined(path), path)
                changes[path] = Change(path: path, kind: kind, layer: layer, root: root)
                if kind == .folder || kind == .replaced { folders.append(path) }
                if kind != .folder { markAbove(path, layer, kind) }
            }
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
        case DANUBE_LAYER_FILE: return .file
        case DANUBE_LAYER_LINK: return .link
        case DANUBE_LAYER_FOLDER: return .folder
        case DANUBE_LAYER_REPLACED: return .replaced
        case DANUBE_LAYER_REMOVED: return .removed
        case DANUBE_LAYER_OTHER: throw .unsupported(path: path.text)
        default: throw .system("look at", path: path.text, errno: -entry)
        }
    }
}
