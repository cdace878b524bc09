internal import struct Executor.JobID
internal import struct Executor.Timestamp

/// Something that happened to a job. Events are numbered without gaps that matter: whoever has seen
/// one asks for those after it.
struct JobEvent: Sendable, Equatable {
    /// What happened. The words are in files and never change.
    enum Kind: String, Sendable, CaseIterable {
        /// The job came into a state: `from` (not of the first), `to`, `reason`.
        case state
        /// Its plan is known: `plan`, `steps` (how many).
        case planned
        /// Steps or attempts changed: `steps`, each with `step`, `state` and what else is known.
        case steps
        /// Somebody wants it to end: `to`, `reason`.
        case stopping
    }

    /// Its place among the events of all jobs.
    var sequence: Int64
    var job: JobID
    var at: Timestamp
    var kind: Kind
    /// A JSON object in its canonical form.
    var body: String
}
