internal import Glibc

/// A folder that holds what some steps changed in the workspace below it. It is never written to
/// again, and is deleted when nothing refers to it any more.
package final class Layer {
    /// Steps that made it, ascending.
    package let owners: [Int]
    /// All that is in it, where it is made from the cache; its files are then links to blobs.
    package let tree: FileTree?
    /// Nodes of files that were hashed after the layer was frozen.
    var hashed: [TreePath: FileTree.Node] = [:]
    private var path: String
    private var isKept: Bool
    /// Makes the folder, where nobody has needed it yet.
    private var fill: ((String) throws -> Void)?

    /// Takes over a folder; `isKept` where it outlives the job.
    package init(path: String, owners: [Int], tree: FileTree? = nil, isKept: Bool = false) {
        self.path = path
        self.owners = owners
        self.tree = tree
        self.isKept = isKept
    }

    /// Promises a folder with a tree in it, which `fill` makes when somebody needs it.
    init(
        path: String, owners: [Int], tree: FileTree, isKept: Bool = false,
        fill: @escaping (String) throws -> Void
    ) {
        self.path = path
        self.owners = owners
        self.tree = tree
        self.isKept = isKept
        self.fill = fill
    }

    deinit { if !isKept, fill == nil { ScratchRemoval.remove(path) } }

    /// Moves the folder to where it outlives the job. It must not be mounted.
    func move(to target: String) throws(WorkspaceError) {
        guard rename(try folder(), target) == 0 else {
            throw .system("move", path: path, errno: errno)
        }
        path = target
        isKept = true
    }

    /// The folder, which is made if it is not there yet.
    func folder() throws(WorkspaceError) -> String {
        guard let fill else { return path }
        do {
            try fill(path)
        } catch let error as WorkspaceError {
            throw error
        } catch CacheError.noSpace(let place, _) {
            throw .system("write", path: place, errno: ENOSPC)
        } catch {
            throw .unmade(path: path, reason: "\(error)")
        }
        self.fill = nil
        return path
    }
}

/// A workspace as some steps left it: layers from the lowest, the source, to the topmost.
package struct WorkspaceState {
    /// The layers; the first is the source.
    package var layers: [Layer]

    /// Creates a state from its layers.
    package init(_ layers: [Layer]) { self.layers = layers }

    /// How many layers two states share from the bottom.
    func shared(with other: WorkspaceState) -> Int {
        zip(layers, other.layers).prefix { $0 === $1 }.count
    }
}
