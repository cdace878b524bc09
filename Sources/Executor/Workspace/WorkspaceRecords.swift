internal import PipelineIR

/// What steps that stand apart have changed, in files of the job's workspace: an engine that goes
/// on with the job after another was ended finds it there. Layers and lanes are folders, and found
/// as such.
struct WorkspaceRecords {
    private let folder: String
    private static let mostBytes: Int64 = 1 << 30

    /// Uses a folder of the workspace.
    init(_ workspace: String) throws(WorkspaceError) {
        folder = "\(workspace)/outputs"
        try Workspaces.makeFolder(folder)
    }

    /// Keeps what a step changed, in place of what an earlier attempt did.
    func keep(_ change: TreeChange, by step: StepIndex) throws {
        try AtomicFile.write(change.encoded(), to: path(step))
    }

    /// What a step changed; `nil` when nothing was kept.
    func change(by step: StepIndex) throws(ResumeError) -> TreeChange? {
        guard let bytes = AtomicFile.read(path(step), most: Self.mostBytes) else { return nil }
        guard let change = TreeChange(encoded: bytes) else { throw .noWorkspace(path(step)) }
        return change
    }

    private func path(_ step: StepIndex) -> String { "\(folder)/\(step.value)" }
}
