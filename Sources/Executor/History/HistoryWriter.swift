internal import Glibc
internal import PipelineIR

/// Writes the records of one job into the database, on a thread of its own.
final class HistoryWriter {
    private let stateFolder: String
    private let job: JobDescription
    private let id: JobID
    private let started: Timestamp
    private let queue: RecordQueue
    private var counts = JobRecord.Counts()

    init(
        stateFolder: String, job: JobDescription, id: JobID, started: Timestamp,
        queue: RecordQueue
    ) {
        self.stateFolder = stateFolder
        self.job = job
        self.id = id
        self.started = started
        self.queue = queue
    }

    /// Writes until the queue ends. On a failure the queue is abandoned: a job does not fail
    /// because its history cannot be written.
    func run() -> DatabaseError? {
        do throws(DatabaseError) {
            let database = try Database(
                path: HistorySchema.database(stateFolder), migrations: HistorySchema.migrations)
            var (records, ending) = queue.takeFirst()
            let row = try database.transaction { () throws(DatabaseError) in
                let row = try begin(database)
                try write(records, ending, row, database)
                return row
            }
            while ending == nil {
                (records, ending) = queue.take()
                guard !records.isEmpty || ending?.state != nil else { continue }
                try database.transaction { () throws(DatabaseError) in
                    try write(records, ending, row, database)
                }
            }
            if ending?.state != nil { try HistoryPruning(stateFolder: stateFolder).run(database) }
            try database.trimLog()
            return nil
        } catch {
            queue.abandon()
            return error
        }
    }

    private struct Row {
        var job: Int
        var pipeline: Int
    }

    private func begin(_ database: Database) throws(DatabaseError) -> Row {
        try HistoryPruning(stateFolder: stateFolder).closeLost(database, except: id)
        try database.run(
            "INSERT OR IGNORE INTO pipelines(repository,name) VALUES(?,?)",
            .text(job.repository), .text(job.pipeline))
        let pipeline =
            try database.first(
                "SELECT number FROM pipelines WHERE repository=? AND name=?",
                .text(job.repository), .text(job.pipeline), make: { $0.int(0) }) ?? 0
        let plan = try self.plan(database)
        let repeated = try job.repeats.flatMap { id throws(DatabaseError) in
            try database.first(
                "SELECT ifnull(repeats, number) FROM jobs WHERE id=?", .text(id.text),
                make: { $0.int(0) })
        }
        try database.run(
            """
            INSERT INTO jobs(id,pipeline,plan,trigger,branch,revision,mode,started,state,steps,
                repeats) VALUES(?,?,?,?,?,?,?,?,?,?,?)
            """,
            .text(id.text), .init(pipeline), .init(plan), .text(job.trigger),
            .init(job.branch), .init(job.revision), .text(job.mode),
            .integer(started.microseconds), .text(JobRecord.State.running.rawValue),
            .init(job.repeats == nil ? job.steps.count : try stepsOfRepeated(database)),
            .init(repeated))
        let row = try database.first("SELECT last_insert_rowid()") { $0.int(0) } ?? 0
        return Row(job: row, pipeline: pipeline)
    }

    /// How many steps a job has that is like an earlier one.
    private func stepsOfRepeated(_ database: Database) throws(DatabaseError) -> Int {
        try database.first(
            "SELECT steps FROM jobs WHERE id=?", .init(job.repeats?.text), make: { $0.int(0) }) ?? 0
    }

    private func plan(_ database: Database) throws(DatabaseError) -> Int {
        let digest = Database.Value.blob(job.plan.digest.bytes)
        let query = "SELECT number FROM plans WHERE digest=?"
        if let known = try database.first(query, digest, make: { $0.int(0) }) { return known }
        try database.run(
            "INSERT INTO plans(digest,steps,plan) VALUES(?,?,?)", digest,
            .blob(HistorySchema.encode(job.steps)), .init(job.planBytes))
        return try database.first(query, digest, make: { $0.int(0) }) ?? 0
    }

    private func write(
        _ records: [StepRecord], _ ending: RecordQueue.Ending?, _ row: Row, _ database: Database
    ) throws(DatabaseError) {
        for record in records { counts[record.state] += 1 }
        if !records.isEmpty {
            try database.run(
                "INSERT INTO batches(job,records) VALUES(?,?)", .init(row.job),
                .blob(RecordCoding.encode(records, since: started)))
            for record in records { try remember(record, row, database) }
        }
        if let ending, let state = ending.state {
            if let repeats = job.repeats { try countAgain(repeats, database) }
            try end(ending, state, row, database)
        }
    }

    /// The counts of a job that is like an earlier one: what ran there is cached here.
    private func countAgain(_ repeated: JobID, _ database: Database) throws(DatabaseError) {
        let found = try database.first(
            "SELECT succeeded + cached, skipped FROM jobs WHERE id=?", .text(repeated.text)
        ) { ($0.int(0), $0.int(1)) }
        guard let (cached, skipped) = found else { return }
        counts[.cached] = cached
        counts[.skipped] = skipped
    }

    private func end(
        _ ending: RecordQueue.Ending, _ state: JobRecord.State, _ row: Row, _ database: Database
    ) throws(DatabaseError) {
        try database.run(
            """
            UPDATE jobs SET state=?, ended=?, succeeded=?, failed=?, cached=?, skipped=?,
                blocked=?, cancelled=?, lost=?, log_bytes=? WHERE number=?
            """,
            .text(state.rawValue), .integer(ending.time.microseconds),
            .init(counts[.succeeded]), .init(counts[.failed]),
            .init(counts[.cached]), .init(counts[.skipped]),
            .init(counts[.blocked]), .init(counts[.cancelled]),
            .init(counts[.lost]), .init(ending.logBytes), .init(row.job))
    }

    /// Remembers how long a step took that did its work.
    private func remember(
        _ record: StepRecord, _ row: Row, _ database: Database
    ) throws(DatabaseError) {
        guard record.state == .succeeded, let duration = record.duration,
            job.steps.indices.contains(record.step)
        else { return }
        let step = Database.Value.text(job.steps[record.step].id)
        var recent =
            try database.first(
                "SELECT recent FROM durations WHERE pipeline=? AND step=?", .init(row.pipeline),
                step, make: { $0.blob(0) }) ?? []
        RecentDurations.add(duration, to: &recent)
        try database.run(
            """
            INSERT INTO durations(pipeline,step,job,recent) VALUES(?,?,?,?)
            ON CONFLICT DO UPDATE SET job=excluded.job, recent=excluded.recent
            """,
            .init(row.pipeline), step, .init(row.job), .blob(recent))
    }
}

/// The last few durations of a step as bytes: milliseconds as little-endian u32, oldest first.
enum RecentDurations {
    static let most = 7

    static func add(_ duration: Duration, to bytes: inout [UInt8]) {
        let parts = duration.components
        let milliseconds = UInt32(
            clamping: parts.seconds &* 1000 &+ parts.attoseconds / 1_000_000_000_000_000)
        for shift in [0, 8, 16, 24] as [UInt32] {
            bytes.append(UInt8(truncatingIfNeeded: milliseconds >> shift))
        }
        if bytes.count > 4 * most { bytes.removeFirst(bytes.count - 4 * most) }
    }

    /// Their median; the upper one of two.
    static func median(_ bytes: [UInt8]) -> Duration? {
        var values: [UInt32] = []
        for start in stride(from: 0, to: bytes.count - bytes.count % 4, by: 4) {
            values.append(
                (0..<4).reduce(0) { $0 | UInt32(bytes[start + $1]) << UInt32(8 * $1) })
        }
        guard !values.isEmpty else { return nil }
        values.sort()
        return .milliseconds(values[values.count / 2])
    }
}
