internal import GRDB

internal import struct Executor.Timestamp

/// Something that somebody did, for those who have to answer for it later.
struct AuditEntry: Sendable, Equatable {
    /// Counts entries from 1.
    var sequence: Int64 = 0
    var at: Timestamp
    /// Who did it: a user, a token, the master itself.
    var actor: String
    /// What was done: `secret.read`, `token.create`, …
    var action: String
    /// What it was done to.
    var subject: String
    /// What else is known: a JSON object, without a secret.
    var detail = "{}"

    /// Something that is not recorded yet.
    init(actor: String, action: String, subject: String, at time: Timestamp = .now()) {
        self.actor = actor
        self.action = action
        self.subject = subject
        at = time
    }

    fileprivate init(_ row: Row) throws {
        var fields = Fields(row, of: "audit_log")
        sequence = try fields.integer()
        at = try fields.time()
        actor = try fields.text()
        action = try fields.text()
        subject = try fields.text()
        detail = try fields.text()
    }
}

extension WriteTransaction {
    /// Appends an entry, in the transaction of what it tells of. Gives its number.
    @discardableResult
    func audit(_ entry: AuditEntry) throws -> Int64 {
        try run(
            "INSERT INTO audit_log (at, actor, action, subject, detail) VALUES (?, ?, ?, ?, ?)",
            [
                entry.at.sinceEpoch, FieldLimit.actor.cut(entry.actor),
                try FieldLimit.action.checkFilled(entry.action),
                FieldLimit.subject.cut(entry.subject),
                try NewJob.object(entry.detail, FieldLimit.detail),
            ])
        return connection.lastInsertedRowID
    }
}

extension MasterDatabase {
    /// The most entries that are read at once.
    static let mostAuditEntries = 1000

    /// Appends an entry; it is on the disk when this returns. Gives its number.
    @discardableResult
    func audit(_ entry: AuditEntry) async throws(MasterDatabaseError) -> Int64 {
        try await write { try $0.audit(entry) }
    }

    /// Entries before a number, latest first; the latest ones without a number.
    func auditEntries(
        before sequence: Int64? = nil, limit: Int = 100
    ) async throws(MasterDatabaseError) -> [AuditEntry] {
        try await read { connection in
            let rows = try Row.fetchCursor(
                connection,
                sql: """
                    SELECT sequence, at, actor, action, subject, detail FROM audit_log
                    WHERE sequence < ? ORDER BY sequence DESC LIMIT ?
                    """,
                arguments: [
                    sequence ?? .max, min(max(0, limit), Self.mostAuditEntries),
                ])
            var entries: [AuditEntry] = []
            while let row = try rows.next() { entries.append(try AuditEntry(row)) }
            return entries
        }
    }
}
