internal import PipelineIR

/// What steps have declared to write, in files of the job's workspace: an engine that goes on with
/// the job after another was ended finds it there. Layers and lanes are folders, and found as such.
struct WorkspaceRecords {
    private let folder: String
    private static let mostBytes: Int64 = 1 << 30

    /// Uses a folder of the workspace.
    init(_ workspace: String) throws(WorkspaceError) {
        folder = "\(workspace)/outputs"
        try Workspaces.makeFolder(folder)
    }

    /// Keeps what a step wrote, in place of what an earlier attempt did.
    func keep(_ outputs: FileTree, of step: StepIndex) throws {
        try AtomicFile.write(outputs.encoded().tree, to: path(step))
    }

    /// What a step wrote; `nil` when nothing was kept.
    func outputs(of step: StepIndex) throws(ResumeError) -> FileTree? {
        guard let bytes = AtomicFile.read(path(step), most: Self.mostBytes) else { return nil }
        guard let tree = FileTree(tree: bytes) else { throw .noWorkspace(path(step)) }
        return tree
    }

    private func path(_ step: StepIndex) -> String { "\(folder)/\(step.value)" }
}
