internal import GRDB

internal import struct Executor.Timestamp

/// Which jobs are asked for. What is not said is not asked.
struct JobFilter: Sendable, Equatable {
    var pipeline: String?
    var team: String?
    /// In one of these states.
    var states: Set<JobState>?
    var ref: String?
    /// The full id of the commit.
    var revision: String?
    var trigger: String?
    /// Accepted then or later.
    var createdFrom: Timestamp?
    /// Accepted before.
    var createdBefore: Timestamp?

    /// All jobs.
    init() {}

    /// Columns that are asked for one value, those first that few jobs share.
    var equalities: [(column: String, value: String)] {
        [
            ("revision", revision), ("ref", ref), ("pipeline", pipeline), ("team", team),
            ("trigger", trigger),
        ].compactMap { name, value in value.map { (name, $0) } }
    }
}

/// A place in the list of jobs, latest first.
struct JobCursor: Sendable, Hashable, CustomStringConvertible {
    /// Milliseconds since 1970 at which the job before was accepted.
    var created: Int64
    /// That job's number.
    var number: Int64

    /// The place after a job.
    init(after job: Job) {
        created = job.created.sinceEpoch
        number = job.number
    }

    /// Reads what `description` gave; `nil` when the text is none.
    init?(_ text: String) {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 2, let created = Int64(parts[0]), let number = Int64(parts[1]) else {
            return nil
        }
        self.created = created
        self.number = number
    }

    /// Two numbers, for links.
    var description: String { "\(created).\(number)" }
}

/// A part of the list of jobs.
struct JobPage: Sendable, Equatable {
    /// Latest first.
    var jobs: [Job]
    /// Where the next part begins; `nil` after the last one.
    var next: JobCursor?
}
