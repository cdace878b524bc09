internal import PipelineIR

/// A step as an earlier job had it.
package struct EarlierStep: Sendable {
    /// The job in which it had the key.
    package var job: JobRecord
    /// What its result is kept under.
    package var key: ActionKey
    /// What became of it there.
    package var state: StepRecord.State
}

extension History {
    /// How many earlier jobs are looked at.
    package static let mostEarlierJobs = 20

    /// Jobs of a pipeline that began before another, the latest first; all where that is `nil`.
    package func jobs(
        repository: String, pipeline: String, before job: JobRecord?,
        most: Int = History.mostEarlierJobs
    ) throws(HistoryError) -> [JobRecord] {
        try wrapped { () throws(DatabaseError) in
            try database.rows(
                Self.query + " WHERE p.repository=? AND p.name=? AND j.number<?"
                    + " ORDER BY j.number DESC LIMIT ?",
                .text(repository), .text(pipeline), .init(job?.number ?? .max), .init(most),
                make: { record($0) })
        }.compactMap { $0 }
    }

    /// What became of one step of a job.
    package func step(_ step: Int, of job: JobRecord) throws(HistoryError) -> StepRecord {
        try wrapped { () throws(DatabaseError) in
            let number = job.repeatsNumber ?? job.number
            var found: StepRecord?
            var start = job.started
            if job.repeatsNumber != nil {
                let time = try database.first(
                    "SELECT started FROM jobs WHERE number=?", .init(number)
                ) { $0.int(0) }
                start = Timestamp(microseconds: Int64(time ?? 0))
            }
            let query = "SELECT records FROM batches WHERE job=? ORDER BY number"
            try database.statement(query).forEach([.init(number)]) { row in
                found = RecordCoding.last(of: step, in: row.blob(0), since: start) ?? found
                return true
            }
            var record = found ?? StepRecord(step: step, state: .open)
            if job.repeatsNumber != nil, record.state == .succeeded { record.state = .cached }
            return record
        }
    }

    /// The plan of a job in protobuf; `nil` when it was not kept.
    package func planBytes(of job: JobRecord) throws(HistoryError) -> [UInt8]? {
        try wrapped { () throws(DatabaseError) in
            try database.first(
                "SELECT plan FROM plans WHERE digest=?", .blob(job.plan.digest.bytes)
            ) { $0.optionalBlob(0) } ?? nil
        }
    }

    /// The latest of some jobs in which a step had a key, with that key.
    package func keyed(
        _ id: String, in jobs: [JobRecord]
    ) throws(HistoryError) -> EarlierStep? {
        var places: [PlanDigest: Int?] = [:]
        for job in jobs {
            let place: Int?
            if let known = places[job.plan] {
                place = known
            } else {
                place = try plannedSteps(of: job).firstIndex { $0.id == id }
                places[job.plan] = .some(place)
            }
            guard let place else { continue }
            let record = try step(place, of: job)
            if let key = record.key {
                return EarlierStep(job: job, key: ActionKey(key), state: record.state)
            }
        }
        return nil
    }
}

extension [JobRecord] {
    /// Jobs that ran in the same way before all others: they are what a job is compared with, as
    /// results of the two ways are never exchanged.
    func alike(_ mode: String) -> [JobRecord] {
        filter { $0.mode == mode } + filter { $0.mode != mode }
    }
}

/// The steps of earlier jobs of a pipeline by their ids, read when one is asked for.
final class EarlierSteps {
    private let history: History
    private var jobs: ArraySlice<JobRecord>
    private var known: [String: EarlierStep] = [:]

    /// How many jobs are read at most, so that no run reads all that ever was.
    private static let mostJobs = 5

    /// Those of all jobs of a pipeline that there are; jobs that ran in the same way come first.
    init(
        _ history: History, repository: String, pipeline: String, mode: String, but id: String
    ) throws {
        self.history = history
        let all = try history.jobs(repository: repository, pipeline: pipeline, before: nil)
        jobs = all.filter { $0.id.text != id }.alike(mode).prefix(Self.mostJobs)
    }

    /// The latest job in which a step had a key.
    func last(of id: String) -> EarlierStep? {
        while true {
            if let known = known[id] { return known }
            guard let job = jobs.popFirst() else { return nil }
            read(job)
        }
    }

    private func read(_ job: JobRecord) {
        guard let planned = try? history.plannedSteps(of: job),
            let records = try? history.steps(of: job)
        else { return }
        for record in records {
            guard let key = record.key, planned.indices.contains(record.step) else { continue }
            let id = planned[record.step].id
            if known[id] != nil { continue }
            known[id] = EarlierStep(job: job, key: ActionKey(key), state: record.state)
        }
    }
}
