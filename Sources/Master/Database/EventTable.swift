internal import GRDB
internal import PipelineIR

internal import struct Executor.JobID
internal import struct Executor.Timestamp

/// Events of jobs. They are only ever appended.
enum EventTable {
    /// The most events that are read at once.
    static let mostRead = 10_000

    /// Events after a number, in order.
    static func events(
        after sequence: Int64, limit: Int, job: JobID?, in connection: Database
    ) throws -> [JobEvent] {
        let select = """
            SELECT e.sequence, j.id, e.at, e.kind, e.body
            FROM job_events e JOIN jobs j ON j.number = e.job
            """
        let limit = min(max(0, limit), mostRead)
        let rows: RowCursor
        if let job {
            rows = try Row.fetchCursor(
                connection.cachedStatement(
                    sql: """
                        \(select) WHERE e.job = (SELECT number FROM jobs WHERE id = ?)
                        AND e.sequence > ? ORDER BY e.sequence LIMIT ?
                        """), arguments: [job.text, sequence, limit])
        } else {
            // The order of the join is given, for without statistics it may be the other one.
            rows = try Row.fetchCursor(
                connection.cachedStatement(
                    sql: """
                        SELECT e.sequence, j.id, e.at, e.kind, e.body
                        FROM job_events e CROSS JOIN jobs j ON j.number = e.job
                        WHERE e.sequence > ? ORDER BY e.sequence LIMIT ?
                        """), arguments: [sequence, limit])
        }
        var events: [JobEvent] = []
        while let row = try rows.next() {
            var fields = Fields(row, of: "job_events")
            events.append(
                JobEvent(
                    sequence: try fields.integer(), job: try fields.job(), at: try fields.time(),
                    kind: try fields.word(), body: try fields.text()))
        }
        return events
    }

    /// The number of the latest event; 0 before the first.
    static func latest(in connection: Database) throws -> Int64 {
        try Int64.fetchOne(connection, sql: "SELECT max(sequence) FROM job_events") ?? 0
    }
}

extension WriteTransaction {
    /// Appends an event of a job. `body` writes the keys of its object in ascending order.
    func append(
        _ kind: JobEvent.Kind, job: JobID, number: Int64, at time: Timestamp,
        body: (inout JSONWriter) -> Void
    ) throws {
        var writer = JSONWriter()
        writer.beginObject()
        body(&writer)
        writer.endObject()
        let text = String(decoding: writer.bytes, as: UTF8.self)
        try run(
            "INSERT INTO job_events (job, at, kind, body) VALUES (?, ?, ?, ?)",
            [number, time.sinceEpoch, kind.rawValue, text])
        events.append(
            JobEvent(
                sequence: connection.lastInsertedRowID, job: job,
                at: Timestamp(sinceEpoch: time.sinceEpoch), kind: kind, body: text))
    }
}

extension JSONWriter {
    /// Writes a key and a text, when there is one.
    mutating func field(_ name: StaticString, _ text: String?) {
        guard let text else { return }
        key(name)
        string(text)
    }

    /// Writes a key and a whole number, when there is one.
    mutating func field(_ name: StaticString, _ number: Int?) {
        guard let number else { return }
        key(name)
        integer(number)
    }
}

extension MasterDatabase {
    /// Events after a number, in order; of one job, or of all.
    func events(
        after sequence: Int64, limit: Int = 1000, job: JobID? = nil
    ) async throws(MasterDatabaseError) -> [JobEvent] {
        try await read {
            try EventTable.events(after: sequence, limit: limit, job: job, in: $0)
        }
    }

    /// The number of the latest event; 0 before the first.
    func latestEvent() async throws(MasterDatabaseError) -> Int64 {
        try await read { try EventTable.latest(in: $0) }
    }
}
