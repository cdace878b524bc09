package import PipelineIR

/// What a job is, known when it begins.
package struct JobDescription: Sendable, Equatable {
    /// A step's stable id and its name.
    package struct Step: Sendable, Equatable {
        /// The id, stable over changes of the danubefile.
        package var id: String
        /// The name for people.
        package var name: String

        /// A step that is called so.
        package init(id: String, name: String) {
            self.id = id
            self.name = name
        }
    }

    /// The folder of the repository.
    package var repository: String
    /// The name of the pipeline.
    package var pipeline: String
    /// The plan's identity.
    package var plan: PlanDigest
    /// Why it runs: `manual`, `push`, …
    package var trigger = "manual"
    /// The branch, when there is one.
    package var branch: String?
    /// The commit, when there is one.
    package var revision: String?
    /// `isolated` or `in-place`.
    package var mode: String
    /// The steps of the plan, in its order.
    package var steps: [Step]
    /// The whole plan in protobuf, for explaining what the steps did later.
    package var planBytes: [UInt8]?
    /// The job that this one is like in every step, so that no step is recorded again.
    package var repeats: JobID?

    /// A job without branch and commit.
    package init(
        repository: String, pipeline: String, plan: PlanDigest, mode: String, steps: [Step]
    ) {
        self.repository = repository
        self.pipeline = pipeline
        self.plan = plan
        self.mode = mode
        self.steps = steps
    }
}

/// One execution of a plan, as history has it.
package struct JobRecord: Sendable, Equatable {
    /// Where a job stands. The words are in files and never change.
    package enum State: String, Sendable, CaseIterable {
        case running, succeeded, failed, cancelled
        /// The rest has to be decided live.
        case live
        /// Its process was killed before the job ended.
        case lost

        /// Whether nothing will happen to it any more.
        package var isTerminal: Bool { self != .running }
    }

    /// How many steps ended in each way.
    package struct Counts: Sendable, Equatable {
        /// Steps by what became of them, in the order of `StepRecord.State`'s numbers.
        private var numbers = [Int](repeating: 0, count: StepRecord.State.allCases.count)

        /// No steps.
        package init() {}

        /// The number of steps that ended in a way.
        package subscript(state: StepRecord.State) -> Int {
            get { numbers[Int(state.rawValue)] }
            set { numbers[Int(state.rawValue)] = newValue }
        }
    }

    /// Its name.
    package var id: JobID
    /// The folder of the repository.
    package var repository: String
    /// The name of the pipeline.
    package var pipeline: String
    /// The plan's identity.
    package var plan: PlanDigest
    /// Why it ran.
    package var trigger: String
    /// The branch, when there is one.
    package var branch: String?
    /// The commit, when there is one.
    package var revision: String?
    /// `isolated` or `in-place`.
    package var mode: String
    /// When it began.
    package var started: Timestamp
    /// When it ended.
    package var ended: Timestamp?
    /// Where it stands.
    package var state: State
    /// Steps of its plan.
    package var stepCount: Int
    /// What became of them, as far as it is known.
    package var counts: Counts
    /// The job that this one is like in every step.
    package var repeats: JobID?
    /// Row of the database.
    var number: Int
    /// Row of the job that this one repeats.
    var repeatsNumber: Int?
}

/// Why history cannot be written or read.
package enum HistoryError: Error, Equatable, CustomStringConvertible {
    /// A folder cannot be made or used.
    case folder(path: String, reason: String)
    /// Neither `XDG_STATE_HOME` nor `HOME` names a folder.
    case noHome
    /// Nothing was recorded yet.
    case noJobs
    case database(DatabaseError)
    case log(LogError)

    /// One sentence without a full stop.
    package var description: String {
        switch self {
        case .folder(let path, let reason): "\(path) cannot be used: \(reason)"
        case .noHome: "neither XDG_STATE_HOME nor HOME is an absolute path"
        case .noJobs: "no job was recorded yet"
        case .database(let error): error.description
        case .log(let error): error.description
        }
    }

    /// The next action for a person.
    package var hint: String {
        switch self {
        case .folder: "Check that it is yours and may be written."
        case .noHome: "Set XDG_STATE_HOME to a folder for danube's records."
        case .noJobs: "`danube run` runs a pipeline and records it."
        case .database(let error): error.hint
        case .log(let error): error.hint
        }
    }
}
