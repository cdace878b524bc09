internal import PipelineIR

/// Where steps find their files: in the working copy, or in workspaces of their own.
///
/// Calls come from one thread, in the order in which the schedule decides. Errors are for people:
/// they end the step, not the program.
protocol StepHost: AnyObject {
    /// The path at which all steps see their folders; `nil` where each sees its own.
    var view: String? { get }
    /// What the globs of a step cover, as the step would find it now, with the contents that are
    /// not known yet put into the store if the host needs them there.
    func inputs(of step: StepIndex, _ globs: [Glob]) throws -> FileTree
    /// Makes the folder ready in which an attempt runs. `inputs` are all that a declared step sees;
    /// `nil` for one that sees everything.
    func enter(_ step: StepIndex, inputs: FileTree?) throws -> String
    /// What the globs cover after a successful attempt, put into the store.
    func outputs(of step: StepIndex, _ globs: [Glob]) throws -> FileTree
    /// Ends an attempt of a step, also one that could not begin. `outputs` are what is kept of a
    /// declared one.
    func leave(_ step: StepIndex, outputs: FileTree?) throws
    /// The number of the lane in which an attempt that has entered runs, where it is one that
    /// another engine could go on with.
    func lane(of step: StepIndex) -> Int?
    /// An engine before this one had begun an attempt, in this lane.
    func recallBegin(_ step: StepIndex, lane: Int?) throws
    /// An attempt of it has ended, or the step's result was taken. `isLost` says that nobody knows
    /// what it left.
    func recallEnd(_ step: StepIndex, isLost: Bool) throws
    /// Makes the outputs of a result from the cache part of the step's workspace. Gives how many
    /// files had to be written. `inputs` are what the step would have seen.
    func take(_ step: StepIndex, _ outputs: FileTree, inputs: FileTree) throws -> Int
    /// The step does nothing: what it would have got passes through.
    func pass(_ step: StepIndex)
    /// Calls a function with the folder in which a step sees its workspace.
    func viewing<Result>(_ step: StepIndex, _ body: (String) throws -> Result) throws -> Result
    /// The step has ended. One that neither ran nor was found in the cache, because it was blocked
    /// or cancelled, hands on what it would have got.
    func settled(_ step: StepIndex)
    /// What a step left that has failed for good, as it is before anything that follows runs; `nil`
    /// when it never ran. Asked before `settled`.
    func left(by step: StepIndex) throws -> LeftWorkspace?
    /// Nothing that follows a step will ask for its workspace any more.
    func ended(_ step: StepIndex)
    /// The job went well. Throws when what its last steps left cannot be put together.
    func finish() throws
    /// No step runs any more: what is mounted is taken away.
    func close()
}
