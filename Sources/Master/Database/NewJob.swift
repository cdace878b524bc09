internal import PipelineIR

internal import struct Executor.JobID

/// What a job is asked to be. It never changes after the job is accepted.
struct NewJob: Sendable, Equatable {
    /// What jobs of one group do about each other.
    enum ConcurrencyRule: Sendable, Equatable {
        /// The newer one ends the older one.
        case replace
        /// So many may wait; more are refused.
        case queue(most: Int)
        /// One after the other.
        case serialize
    }

    /// Jobs of which not all run at once.
    struct Concurrency: Sendable, Equatable {
        var group: String
        var rule: ConcurrencyRule
    }

    /// Which steps of an earlier job run again.
    enum RerunMode: String, Sendable {
        case all
        /// Those that failed and what depends on them.
        case failed
    }

    /// An earlier job that is run again.
    struct Rerun: Sendable, Equatable {
        var job: JobID
        var mode: RerunMode
    }

    /// The name of the pipeline.
    var pipeline: String
    /// A path or a URL.
    var repository: String
    /// The team that it counts for.
    var team: String?
    /// A branch or a tag, as git writes it.
    var ref: String?
    /// The full id of the commit.
    var revision: String?
    /// The danubefile, from the root of the repository.
    var file = "danubefile.py"
    /// A JSON object.
    var parameters = "{}"
    /// Why it runs: `manual`, `push`, …
    var trigger = "manual"
    /// More urgent ones have greater numbers.
    var priority = 0
    var concurrency: Concurrency?
    /// How long it may run.
    var mostMilliseconds: Int64?
    var rerun: Rerun?
    /// Asking again with the same key gives the same job. Callers put what it is valid for into it.
    var idempotencyKey: String?
    /// The trace that it was asked for in.
    var traceparent: TraceContext?
    /// Who asked for it.
    var requestedBy: String?

    /// A job of a pipeline in a repository.
    init(pipeline: String, repository: String) {
        self.pipeline = pipeline
        self.repository = repository
    }

    /// Refuses what does not fit into the database. `parameters` becomes canonical.
    func checked() throws(MasterDatabaseError) -> NewJob {
        var job = self
        job.pipeline = try FieldLimit.pipeline.checkFilled(pipeline)
        job.repository = try FieldLimit.repository.checkFilled(repository)
        job.team = try FieldLimit.team.check(team)
        job.ref = try FieldLimit.ref.check(ref)
        job.revision = try FieldLimit.revision.check(revision)
        job.file = try FieldLimit.file.checkFilled(file)
        job.trigger = try FieldLimit.trigger.checkFilled(trigger)
        job.idempotencyKey = try FieldLimit.idempotencyKey.check(idempotencyKey)
        job.requestedBy = try FieldLimit.actor.check(requestedBy)
        job.parameters = try Self.object(parameters, FieldLimit.parameters)
        if let concurrency {
            job.concurrency?.group = try FieldLimit.group.checkFilled(concurrency.group)
            if case .queue(let most) = concurrency.rule, most < 0 {
                throw .invalid(field: "concurrency rule", reason: "has a negative number")
            }
        }
        if let most = mostMilliseconds, most <= 0 {
            throw .invalid(field: "maximal duration", reason: "is not positive")
        }
        return job
    }

    /// The canonical form of a JSON object.
    static func object(_ text: String, _ limit: FieldLimit) throws(MasterDatabaseError) -> String {
        let text: String = try limit.check(text)
        let canonical: [UInt8]
        do throws(PlanError) {
            canonical = try CanonicalJSON.canonical(Array(text.utf8))
        } catch {
            throw .invalid(field: limit.name, reason: "is no JSON: \(error.message)")
        }
        guard canonical.first == UInt8(ascii: "{") else {
            throw .invalid(field: limit.name, reason: "is no JSON object")
        }
        return String(decoding: canonical, as: UTF8.self)
    }
}

extension NewJob.ConcurrencyRule: RawRepresentable {
    init?(rawValue: String) {
        switch rawValue {
        case "replace": self = .replace
        case "serialize": self = .serialize
        default:
            guard rawValue.hasPrefix("queue("), rawValue.hasSuffix(")"),
                let most = Int(rawValue.dropFirst(6).dropLast()), most >= 0
            else { return nil }
            self = .queue(most: most)
        }
    }

    var rawValue: String {
        switch self {
        case .replace: "replace"
        case .serialize: "serialize"
        case .queue(let most): "queue(\(most))"
        }
    }
}
