internal import GRDB
internal import PipelineIR

internal import struct Executor.JobID
internal import struct Executor.Timestamp

/// Files of a job whose rows say already that they are removed.
struct DoomedFiles: Sendable, Equatable {
    /// What of the job's folder.
    enum Kind: String, Sendable {
        /// All of it.
        case jobs
        /// All but artifacts.
        case logs
        case artifacts
    }

    var job: JobID
    var kind: Kind
}

extension WriteTransaction {
    /// Says of jobs that something of them is removed, where they have ended. Gives those of which
    /// the files are to be removed now; `doomed` has them until that is done.
    func remove(
        _ kind: DoomedFiles.Kind, of jobs: [JobID], reason: String, at time: Timestamp
    ) throws -> [JobID] {
        var gone: [JobID] = []
        for id in jobs {
            guard let job = try JobTable.job(id, in: connection), job.state.isTerminal else {
                continue
            }
            switch kind {
            case .jobs:
                guard try forget([id]) == [id] else { continue }
                try run(
                    "INSERT OR REPLACE INTO forgotten_jobs (id, at) VALUES (?, ?)",
                    [id.text, time.sinceEpoch])
                // Nothing of it is left for the others to remove.
                try run("DELETE FROM doomed WHERE job = ?", [id.text])
            case .logs:
                try run(
                    "UPDATE jobs SET logs_removed = ? WHERE number = ?",
                    [time.sinceEpoch, job.number])
            case .artifacts:
                try run(
                    "UPDATE artifacts SET removed = ? WHERE job = ? AND removed IS NULL",
                    [time.sinceEpoch, job.number])
            }
            try run(
                "INSERT OR IGNORE INTO doomed (kind, job) VALUES (?, ?)", [kind.rawValue, id.text])
            gone.append(id)
        }
        if !gone.isEmpty {
            try audit(reaped: kind.rawValue, gone.map(\.text), reason: reason, at: time)
        }
        return gone
    }

    /// Records what the reaper removes, in the transaction that says that it is removed.
    func audit(
        reaped kind: String, _ names: [String], reason: String, at time: Timestamp
    ) throws {
        var json = JSONWriter()
        json.beginObject()
        json.key("names")
        json.beginArray()
        for name in names { json.string(name) }
        json.endArray()
        json.key("reason")
        json.string(reason)
        json.endObject()
        var entry = AuditEntry(
            actor: "reaper", action: "reap.\(kind)",
            subject: names.count == 1 ? names[0] : "\(names.count)", at: time)
        entry.detail = String(decoding: json.bytes, as: UTF8.self)
        try audit(entry)
    }
}

extension MasterDatabase {
    /// Names of jobs that are remembered of those that were forgotten.
    private static let mostForgottenNames = 1_000_000
    /// How much is removed in one transaction, so that others do not wait for long.
    static let mostRemoved = 100

    /// Files that are to be removed still, at most so many.
    func doomedFiles(most: Int) async throws(MasterDatabaseError) -> [DoomedFiles] {
        try await read { connection in
            let rows = try Row.fetchCursor(
                connection, sql: "SELECT job, kind FROM doomed LIMIT ?", arguments: [most])
            var doomed: [DoomedFiles] = []
            while let row = try rows.next() {
                var fields = Fields(row, of: "doomed")
                guard let job = JobID(try fields.text()),
                    let kind = DoomedFiles.Kind(rawValue: try fields.text())
                else { continue }
                doomed.append(DoomedFiles(job: job, kind: kind))
            }
            return doomed
        }
    }

    /// Records that files are gone.
    func removed(_ files: [DoomedFiles]) async throws(MasterDatabaseError) {
        if files.isEmpty { return }
        try await write { transaction in
            for one in files {
                try transaction.run(
                    "DELETE FROM doomed WHERE job = ? AND kind = ?",
                    [one.job.text, one.kind.rawValue])
            }
        }
    }

    /// When a job was forgotten; `nil` when there never was one of this name, as far as is known.
    func forgotten(_ job: JobID) async throws(MasterDatabaseError) -> Timestamp? {
        try await read { connection in
            try Int64.fetchOne(
                connection.cachedStatement(sql: "SELECT at FROM forgotten_jobs WHERE id = ?"),
                arguments: [job.text]
            ).map { Timestamp(sinceEpoch: $0) }
        }
    }

    /// Removes plans that no job has; of each such the digest. A job gets its plan in the
    /// transaction that brings the plan, so that none is about to be needed.
    func removeUnneededPlans() async throws(MasterDatabaseError) -> ReapCount {
        try await write { transaction in
            let plans = try UnneededPlans.items(in: transaction.connection, most: Self.mostRemoved)
            for plan in plans {
                try transaction.run(
                    "DELETE FROM plans WHERE digest = ?", [Digest(hex: plan.name)?.blob])
            }
            if !plans.isEmpty {
                try transaction.audit(
                    reaped: "plans", plans.map(\.name), reason: "unneeded", at: .now())
            }
            try transaction.run(
                """
                DELETE FROM forgotten_jobs WHERE id <= (
                    SELECT id FROM forgotten_jobs ORDER BY id DESC
                    LIMIT 1 OFFSET \(Self.mostForgottenNames))
                """)
            return ReapCount(
                items: plans.count, bytes: plans.reduce(0) { $0 + $1.bytes })
        }
    }

    /// Removes results of the shared cache, unless they were used since.
    func removeCacheEntries(
        _ items: [ReapItem], notUsedSince time: Timestamp
    ) async throws(MasterDatabaseError) -> ReapCount {
        try await write { transaction in
            var count = ReapCount()
            for item in items {
                let words = item.name.split(separator: " ", maxSplits: 1).map(String.init)
                guard words.count == 2, let key = Digest(hex: words[1]) else { continue }
                try transaction.run(
                    "DELETE FROM cache_entries WHERE scope = ? AND key = ? AND used < ?",
                    [words[0], key.blob, time.sinceEpoch])
                if transaction.changedRows > 0 { count.add(items: 1, bytes: item.bytes) }
            }
            try transaction.audit(
                reaped: "results", items.map(\.name), reason: items[0].reason.rawValue, at: .now())
            return count
        }
    }

    /// Records that something was done.
    func mark(_ name: String, at time: Timestamp) async throws(MasterDatabaseError) {
        try await write {
            try $0.run(
                "INSERT OR REPLACE INTO marks (name, at) VALUES (?, ?)", [name, time.sinceEpoch])
        }
    }

    /// When something was done last.
    func mark(_ name: String) async throws(MasterDatabaseError) -> Timestamp? {
        try await read { connection in
            try Int64.fetchOne(
                connection, sql: "SELECT at FROM marks WHERE name = ?", arguments: [name]
            ).map { Timestamp(sinceEpoch: $0) }
        }
    }
}

/// Plans that no job has.
enum UnneededPlans {
    /// Some of them.
    static func items(in connection: Database, most: Int) throws -> [ReapItem] {
        let rows = try Row.fetchCursor(
            connection,
            sql: """
                SELECT digest, length(bytes) FROM plans
                WHERE NOT EXISTS (SELECT 1 FROM jobs WHERE plan = digest) LIMIT ?
                """, arguments: [most])
        var items: [ReapItem] = []
        while let row = try rows.next() {
            var fields = Fields(row, of: "plans")
            let digest = try fields.digest()
            items.append(
                ReapItem(
                    kind: .plans, name: digest.hex, bytes: try fields.integer(), reason: .unneeded))
        }
        return items
    }
}
