/// Bounds how many folders are mounted on each other, as the kernel does.
///
/// States keep their layers apart, since a join tells by them what each branch did; only what is
/// mounted is merged, in groups that stay the same while a stack grows.
final class LayerStacks {
    /// Stacks up to this are mounted as they are.
    static let most = 48
    /// How many layers, or groups of one size, make a group of the next size.
    private static let groupSize = 16
    /// Groups that are remembered before those are dropped whose layers are gone.
    private static let mostGroups = 1024

    private struct Group {
        let merged: Layer
        /// What it was made of; a layer that is gone has left its identity to others.
        let parts: [WeakLayer]
    }

    private struct WeakLayer {
        weak var layer: Layer?
    }

    private var groups: [[ObjectIdentifier]: Group] = [:]

    /// The layers to mount for a stack, the source first. `folder` makes a place for a layer.
    func mountable(
        _ layers: [Layer], _ folder: () throws(WorkspaceError) -> String
    ) throws(WorkspaceError) -> [Layer] {
        guard layers.count > Self.most else { return layers }
        var level = Array(layers.dropFirst())
        var rest: [Layer] = []
        while 1 + level.count + rest.count > Self.most, level.count >= Self.groupSize {
            let whole = level.count / Self.groupSize * Self.groupSize
            rest = level[whole...] + rest
            var merged: [Layer] = []
            for start in stride(from: 0, to: whole, by: Self.groupSize) {
                merged.append(try group(Array(level[start..<(start + Self.groupSize)]), folder))
            }
            level = merged
        }
        return [layers[0]] + level + rest
    }

    private func group(
        _ layers: [Layer], _ folder: () throws(WorkspaceError) -> String
    ) throws(WorkspaceError) -> Layer {
        let key = layers.map { ObjectIdentifier($0) }
        if let known = groups[key], zip(known.parts, layers).allSatisfy({ $0.layer === $1 }) {
            return known.merged
        }
        if groups.count >= Self.mostGroups {
            groups = groups.filter { $0.value.parts.allSatisfy { $0.layer != nil } }
        }
        let merged = Layer(path: try folder(), owners: [])
        for layer in layers { try LayerMerge.add(layer.folder(), to: merged.folder()) }
        groups[key] = Group(merged: merged, parts: layers.map { WeakLayer(layer: $0) })
        return merged
    }
}
