internal import Glibc
internal import PipelineIR

/// What is known of earlier jobs, for reading.
///
/// It belongs to one thread. Nothing here writes; a job writes its own history (`JobRecorder`).
package final class History {
    /// The folder of states.
    package let folder: String
    let database: Database

    /// `$XDG_STATE_HOME/danube`, or `~/.local/state/danube`.
    package static func defaultFolder() throws(HistoryError) -> String {
        for (name, rest) in [("XDG_STATE_HOME", "/danube"), ("HOME", "/.local/state/danube")] {
            if let value = getenv(name).map({ String(cString: $0) }), value.hasPrefix("/") {
                return value + rest
            }
        }
        throw .noHome
    }

    /// Opens the history in a folder of states; `nil` when no job was recorded there yet.
    package init?(folder: String) throws(HistoryError) {
        let path = HistorySchema.database(folder)
        guard access(path, F_OK) == 0 else { return nil }
        self.folder = folder
        do throws(DatabaseError) {
            // Another process may be making it at this moment, so it is brought to its format here
            // too; where it may not be written, it is read.
            let mode: Database.Mode = access(path, W_OK) == 0 ? .readWrite : .readOnly
            database = try Database(path: path, mode: mode, migrations: HistorySchema.migrations)
        } catch {
            throw .database(error)
        }
    }

    /// Which jobs are asked for.
    package struct Filter: Sendable {
        /// Of this repository alone.
        package var repository: String?
        /// Of this pipeline alone.
        package var pipeline: String?
        /// In this state alone.
        package var state: JobRecord.State?
        /// Not more than so many, the latest.
        package var most = 20

        /// The latest jobs of all.
        package init() {}
    }

    /// Jobs, the latest first.
    package func jobs(_ filter: Filter) throws(HistoryError) -> [JobRecord] {
        try wrapped { () throws(DatabaseError) in
            // Whether an open job still runs is not in the database, so the state is asked last.
            var found: [JobRecord] = []
            let statement = try database.statement(
                Self.query + " WHERE (?1 IS NULL OR p.repository=?1) AND (?2 IS NULL OR p.name=?2)"
                    + " ORDER BY j.number DESC")
            let values = [Database.Value(filter.repository), Database.Value(filter.pipeline)]
            try statement.forEach(values) { row throws(DatabaseError) in
                guard found.count < filter.most else { return false }
                if let job = record(row), filter.state == nil || filter.state == job.state {
                    found.append(job)
                }
                return true
            }
            return found
        }
    }

    /// What a name of a job stands for.
    package enum Match: Sendable {
        case one(JobRecord)
        case none
        /// The name is the beginning or the end of several.
        case several([JobRecord])
    }

    /// The repository that a folder is in or is, of those that have jobs.
    package func repository(of folder: String) throws(HistoryError) -> String? {
        try wrapped { () throws(DatabaseError) in
            try database.rows("SELECT DISTINCT repository FROM pipelines") { $0.text(0) }
        }.filter { folder == $0 || folder.hasPrefix($0 == "/" ? $0 : $0 + "/") }
            .max { $0.utf8.count < $1.utf8.count }
    }

    /// The job of a name: the whole id, its beginning or its end, or `last`: the latest one, of a
    /// repository when that is given.
    package func job(
        _ name: String, repository: String? = nil
    ) throws(HistoryError) -> Match {
        if name == "last" {
            var latest = Filter()
            latest.repository = repository
            latest.most = 1
            return try jobs(latest).first.map { .one($0) } ?? .none
        }
        let name = name.lowercased()
        guard !name.isEmpty, JobID.isPart(name) else { return .none }
        let found = try wrapped { () throws(DatabaseError) in
            try database.rows(
                Self.query + " WHERE j.id LIKE ?1 || '%' OR j.id LIKE '%' || ?1"
                    + " ORDER BY j.number DESC LIMIT 10", .text(name), make: { record($0) })
        }.compactMap { $0 }
        if let exact = found.first(where: { $0.id.text == name }) { return .one(exact) }
        return found.count > 1 ? .several(found) : found.first.map { .one($0) } ?? .none
    }

    /// The steps of a job's plan, in its order.
    package func plannedSteps(
        of job: JobRecord
    ) throws(HistoryError) -> [JobDescription.Step] {
        try wrapped { () throws(DatabaseError) in
            try database.first(
                "SELECT steps FROM plans WHERE digest=?", .blob(job.plan.digest.bytes)
            ) { HistorySchema.decode($0.blob(0)) } ?? []
        }
    }

    /// What became of each step of a job, in the plan's order.
    package func steps(of job: JobRecord) throws(HistoryError) -> [StepRecord] {
        var steps = (0..<job.stepCount).map { StepRecord(step: $0, state: .open) }
        let source = try job.repeatsNumber.flatMap { number throws(HistoryError) in
            try wrapped { () throws(DatabaseError) in
                try database.first(Self.query + " WHERE j.number=?", .init(number)) { record($0) }
            }
        }.flatMap { $0 }
        let origin = source ?? job
        let batches = try wrapped { () throws(DatabaseError) in
            try database.rows(
                "SELECT records FROM batches WHERE job=? ORDER BY number", .init(origin.number)
            ) { $0.blob(0) }
        }
        for batch in batches {
            guard let records = RecordCoding.decode(batch, since: origin.started) else {
                let reason = "records of job \(origin.id) cannot be read"
                throw .database(.corrupt(path: database.path, reason: reason))
            }
            for record in records where steps.indices.contains(record.step) {
                steps[record.step] = record
            }
        }
        if let source { for place in steps.indices { Self.repeatStep(&steps[place], source.id) } }
        return steps
    }

    /// How long each step of a pipeline is expected to take, by its id: the median of late.
    package func expectedDurations(
        repository: String, pipeline: String
    ) throws(HistoryError) -> [String: Duration] {
        try wrapped { () throws(DatabaseError) in
            var found: [String: Duration] = [:]
            let statement = try database.statement(
                """
                SELECT d.step, d.recent FROM durations d JOIN pipelines p ON p.number=d.pipeline
                WHERE p.repository=? AND p.name=?
                """)
            try statement.forEach([.text(repository), .text(pipeline)]) { row in
                found[row.text(0)] = RecentDurations.median(row.blob(1))
                return true
            }
            return found
        }
    }

    /// The last job in which a step did its work itself and succeeded.
    package func lastExecution(
        repository: String, pipeline: String, step: String
    ) throws(HistoryError) -> JobRecord? {
        try wrapped { () throws(DatabaseError) in
            try database.first(
                Self.query + " JOIN durations d ON d.job=j.number AND d.pipeline=p.number"
                    + " WHERE p.repository=? AND p.name=? AND d.step=?",
                .text(repository), .text(pipeline), .text(step), make: { record($0) })
        }.flatMap { $0 }
    }

    /// The folder of a job, with its log.
    package func folder(of job: JobID) -> String { "\(HistorySchema.jobs(folder))/\(job)" }

    // MARK: Rows

    static let query = """
        SELECT j.number, j.id, p.repository, p.name, l.digest, j.trigger, j.branch, j.revision,
            j.mode, j.started, j.ended, j.state, j.steps, j.succeeded, j.failed, j.cached,
            j.skipped, j.blocked, j.cancelled, j.lost, j.repeats, r.id
        FROM jobs j JOIN pipelines p ON p.number=j.pipeline JOIN plans l ON l.number=j.plan
            LEFT JOIN jobs r ON r.number=j.repeats
        """

    func record(_ row: Database.Row) -> JobRecord? {
        guard let id = JobID(row.text(1)), let digest = Digest(bytes: row.blob(4)) else {
            return nil
        }
        var counts = JobRecord.Counts()
        let states: [StepRecord.State] = [
            .succeeded, .failed, .cached, .skipped, .blocked, .cancelled, .lost,
        ]
        for (place, state) in states.enumerated() { counts[state] = row.int(13 + place) }
        var state = JobRecord.State(rawValue: row.text(11)) ?? .lost
        let ended = row.optionalInt(10)
        if ended == nil, !HistoryPruning.isAlive(folder(of: id)) { state = .lost }
        return JobRecord(
            id: id, repository: row.text(2), pipeline: row.text(3), plan: PlanDigest(digest),
            trigger: row.text(5), branch: row.optionalText(6), revision: row.optionalText(7),
            mode: row.text(8), started: Timestamp(microseconds: Int64(row.int(9))),
            ended: ended.map { Timestamp(microseconds: Int64($0)) }, state: state,
            stepCount: min(row.int(12), 1 << 24), counts: counts,
            repeats: row.optionalText(21).flatMap { JobID($0) }, number: row.int(0),
            repeatsNumber: row.optionalInt(20))
    }

    /// Makes a step of a job into the same step of one that repeats it.
    private static func repeatStep(_ step: inout StepRecord, _ source: JobID) {
        if step.state == .succeeded { step.source = source }
        if step.state == .succeeded || step.state == .cached {
            step.state = .cached
            step.reason = ""
        }
        step.attempts = []
        step.started = nil
        step.ended = nil
    }

    func wrapped<T>(
        _ body: () throws(DatabaseError) -> T
    ) throws(HistoryError) -> T {
        do throws(DatabaseError) {
            return try body()
        } catch {
            throw .database(error)
        }
    }
}
