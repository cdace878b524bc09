internal import PipelineIR

/// Runs steps in the working copy, as make would.
final class InPlaceHost: StepHost {
    private let root: String
    private let reader: TreeReader
    private let store: ContentStore

    /// Creates a host on a folder.
    init(root: String, memory: DigestMemory, store: ContentStore) throws {
        self.root = root
        self.store = store
        reader = TreeReader(try Folder(root), memory: memory)
    }

    var view: String? { nil }

    func inputs(of step: StepIndex, _ globs: [Glob]) throws -> FileTree { try reader.tree(globs) }

    func enter(_ step: StepIndex, inputs: FileTree?) throws -> String { root }

    func outputs(of step: StepIndex, _ globs: [Glob]) throws -> FileTree {
        try reader.ingest(globs, into: store)
    }

    func leave(_ step: StepIndex, outputs: FileTree?) throws {}

    func take(_ step: StepIndex, _ outputs: FileTree, inputs: FileTree) throws -> Int {
        var restore = TreeRestore(
            from: store, into: reader.folder, by: .copy, memory: reader.memory)
        return try restore.restore(outputs, present: present(outputs))
    }

    /// Those entries of a tree that are in the working copy as they should be.
    private func present(_ tree: FileTree) throws -> FileTree {
        var entries: [FileTree.Entry] = []
        entries.reserveCapacity(tree.entries.count)
        for entry in tree.entries {
            let found = try reader.node(at: entry.path, as: entry.node)
            if found == entry.node { entries.append(entry) }
        }
        return FileTree(sorted: entries)
    }

    func lane(of step: StepIndex) -> Int? { nil }

    func recallBegin(_ step: StepIndex, lane: Int?) {}

    func recallEnd(_ step: StepIndex, isLost: Bool) {}

    func pass(_ step: StepIndex) {}

    func viewing<Result>(_ step: StepIndex, _ body: (String) throws -> Result) throws -> Result {
        try body(root)
    }

    func settled(_ step: StepIndex) {}

    func left(by step: StepIndex) throws -> LeftWorkspace? {
        LeftWorkspace(folder: root, state: nil)
    }

    func ended(_ step: StepIndex) {}

    func finish() {}

    func close() {}
}
