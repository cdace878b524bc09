internal import GRDB

internal import struct Executor.JobID
internal import struct Executor.Timestamp

/// A step of a job's plan, as the database has it.
struct JobStep: Sendable, Equatable {
    /// Where it stands. The words are in files and never change.
    enum State: String, Sendable, CaseIterable {
        case waiting, queued, running
        case succeeded, failed, cached, skipped, blocked, cancelled, lost

        /// Whether nothing will happen to it any more.
        var isTerminal: Bool {
            switch self {
            case .waiting, .queued, .running: false
            case .succeeded, .failed, .cached, .skipped, .blocked, .cancelled, .lost: true
            }
        }
    }

    /// Its place in the plan, from 0.
    var step: Int
    /// The id, stable over changes of the danubefile.
    var id: String
    /// The name for people.
    var name: String
    var state = State.waiting
    /// Tries so far.
    var attempts = 0
    var exitCode: Int?
    /// Why it is in this state, where that needs a word.
    var reason: String?
    /// When it first ran.
    var started: Timestamp?
    var ended: Timestamp?
    /// The job whose result was taken.
    var cachedFrom: JobID?

    /// A step that waits.
    init(step: Int, id: String, name: String) {
        self.step = step
        self.id = id
        self.name = name
    }

    /// The columns that `init` reads, of the table `steps`.
    static let columns = """
        step, id, name, state, attempts, exit_code, reason, started, ended, cached_from
        """

    /// Reads a row of `columns`.
    init(_ row: Row) throws {
        var fields = Fields(row, of: "steps")
        step = try fields.int()
        id = try fields.text()
        name = try fields.text()
        state = try fields.word()
        attempts = try fields.int()
        exitCode = try fields.optionalInt()
        reason = try fields.optionalText()
        started = try fields.optionalTime()
        ended = try fields.optionalTime()
        cachedFrom = try fields.optionalJob()
    }
}

/// One try at a step, as the database has it. It is recorded before its process starts.
struct StepAttempt: Sendable, Equatable {
    /// Where it stands. The words are in files and never change.
    enum State: String, Sendable, CaseIterable {
        case running, succeeded, failed, cancelled, lost
    }

    /// The step's place in the plan, from 0.
    var step: Int
    /// Counts from 1.
    var attempt: Int
    var state: State
    var started: Timestamp
    var ended: Timestamp?
    var exitCode: Int?
    var reason: String?

    /// The columns that `init` reads, of the table `attempts`.
    static let columns = "step, attempt, state, started, ended, exit_code, reason"

    /// Reads a row of `columns`.
    init(_ row: Row) throws {
        var fields = Fields(row, of: "attempts")
        step = try fields.int()
        attempt = try fields.int()
        state = try fields.word()
        started = try fields.time()
        ended = try fields.optionalTime()
        exitCode = try fields.optionalInt()
        reason = try fields.optionalText()
    }
}

/// Something that became of a step.
struct StepChange: Sendable, Equatable {
    /// Something that became of a try.
    struct Attempt: Sendable, Equatable {
        /// Counts from 1.
        var number: Int
        var state: StepAttempt.State
    }

    /// The step's place in the plan, from 0.
    var step: Int
    var state: JobStep.State
    var at: Timestamp
    /// The try that began or ended with it.
    var attempt: Attempt?
    var exitCode: Int?
    var reason: String?
    /// The job whose result was taken.
    var cachedFrom: JobID?

    /// A step that came into a state.
    init(step: Int, state: JobStep.State, at time: Timestamp = .now()) {
        self.step = step
        self.state = state
        at = time
    }
}
