internal import GRDB

internal import struct Executor.JobID
internal import struct Executor.Timestamp

/// How far the journals of jobs were read: in the transaction that records what was read.
extension WriteTransaction {
    /// Remembers that a job's journal was read to an offset.
    func setJournalOffset(_ offset: UInt64, of id: JobID) throws {
        try run(
            "UPDATE jobs SET journal_offset = ? WHERE id = ?",
            [Int64(clamping: offset), id.text])
    }

    /// The wish that a job ends, if there is one.
    func stop(of id: JobID) throws -> Job.Stop? {
        try JobTable.existing(id, in: connection).stop
    }

    /// Gives a job the concurrency group that its plan names.
    func setConcurrency(_ concurrency: NewJob.Concurrency, of id: JobID) throws {
        try run(
            "UPDATE jobs SET concurrency_group = ?, concurrency_rule = ? WHERE id = ?",
            [
                try FieldLimit.group.checkFilled(concurrency.group),
                concurrency.rule.rawValue, id.text,
            ])
    }

    /// Gives a job the commit that its ref names.
    func setRevision(_ revision: String, of id: JobID) throws {
        try run(
            "UPDATE jobs SET revision = ? WHERE id = ?",
            [try FieldLimit.revision.check(revision) as String, id.text])
    }
}

extension MasterDatabase {
    /// How far a job's journal was read.
    func journalOffset(of id: JobID) async throws(MasterDatabaseError) -> UInt64 {
        try await read { connection in
            let offset = try Int64.fetchOne(
                connection.cachedStatement(sql: "SELECT journal_offset FROM jobs WHERE id = ?"),
                arguments: [id.text])
            return UInt64(clamping: offset ?? 0)
        }
    }
}

extension MasterDatabase {
    /// The job that was accepted under an idempotency key; `nil` when none was.
    func job(withKey key: String) async throws(MasterDatabaseError) -> Job? {
        try await read { try JobTable.job(withKey: key, in: $0) }
    }

    /// Jobs whose name begins with a text, at most two of them.
    func jobs(withPrefix text: String) async throws(MasterDatabaseError) -> [Job] {
        guard !text.isEmpty, text.utf8.count < 9,
            text.utf8.allSatisfy({ (0x30...0x39).contains($0) || (0x61...0x7a).contains($0) })
        else { return [] }
        return try await read { connection in
            try Job.all(
                connection.cachedStatement(
                    sql: "SELECT \(Job.columns) FROM jobs WHERE id >= ? AND id < ? LIMIT 2"),
                [text, text + "{"])
        }
    }
}
