/// Puts the changes of branches together, one branch after the other.
struct WorkspaceJoin {
    /// The state so far.
    private(set) var joined: WorkspaceState
    /// How many layers all branches began with.
    private let shared: Int
    private var changes: LayerChanges?

    /// Begins with a branch. `shared` is how many layers it shares with every other one.
    init(_ first: WorkspaceState, shared: Int) {
        joined = first
        self.shared = shared
    }

    /// Adds a branch. Throws `conflict` when it changed a path to another content than the others
    /// did. `folder` makes a place for a layer.
    mutating func add(
        _ state: WorkspaceState, isChecked: Bool, _ folder: () throws(WorkspaceError) -> String
    ) throws(WorkspaceError) {
        let own = Set(joined.layers[shared...].map { ObjectIdentifier($0) })
        let added = state.layers[shared...].filter { !own.contains(ObjectIdentifier($0)) }
        if added.isEmpty { return }
        let its = Set(state.layers[shared...].map { ObjectIdentifier($0) })
        let others = joined.layers[shared...].filter { !its.contains(ObjectIdentifier($0)) }
        if others.isEmpty || !isChecked {
            joined.layers += added
            changes = nil
            return
        }
        // Where nothing but the beginning is shared, what is known of the others still holds.
        let isApart = others.count == joined.layers.count - shared
        var known: LayerChanges
        if isApart, let changes { known = changes } else { known = try LayerChanges(others) }
        let more = try LayerChanges(added)
        if let (one, other) = known.conflict(with: more) {
            let path = one.path < other.path ? other.path : one.path
            throw .conflict(path: path.text, first: one.layer.owners, second: other.layer.owners)
        }
        let replaced = known.replacedFolders(with: more)
        if replaced.isEmpty {
            joined.layers += added
            known.add(more)
            changes = isApart ? known : nil
        } else {
            try unite(others, known, added, more, replaced, folder)
            changes = nil
        }
    }

    /// Merges layers of which both sides put other folders in the place of the same ones: on each
    /// other, the upper folder would hide what the lower side put into its own.
    private mutating func unite(
        _ others: [Layer], _ known: LayerChanges, _ added: [Layer], _ more: LayerChanges,
        _ replaced: Set<TreePath>, _ folder: () throws(WorkspaceError) -> String
    ) throws(WorkspaceError) {
        let below = joined.layers.filter { layer in !others.contains { $0 === layer } }
        for path in replaced.sorted() {
            for (one, two) in [(known, more), (more, known)] {
                // What one side took away with the folder, the other one made anew.
                for change in one.files(beneath: path, missingIn: two)
                where try Self.has(change.path, below) {
                    guard let other = two.changes[path] else { continue }
                    throw .conflict(
                        path: change.path.text, first: change.layer.owners,
                        second: other.layer.owners)
                }
            }
        }
        let merged = try folder()
        for layer in others { try LayerMerge.add(layer.folder(), to: merged) }
        for layer in added { try LayerMerge.add(layer.folder(), to: merged, uniting: replaced) }
        let owners = Set((others + added).flatMap(\.owners)).sorted()
        joined.layers = below + [Layer(path: merged, owners: owners)]
    }

    /// Whether there is something at a path in a stack of layers.
    private static func has(
        _ path: TreePath, _ layers: [Layer]
    ) throws(WorkspaceError) -> Bool {
        for layer in layers.reversed() {
            var place = path
            while !place.isRoot {
                switch try LayerChanges.kind(in: layer, place) {
                case nil: break
                case .removed: return false
                case .replaced, .file, .link: return place == path
                case .folder: if place == path { return true }
                }
                place = place.parent
            }
        }
        return false
    }
}
