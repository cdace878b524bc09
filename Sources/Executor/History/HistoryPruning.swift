internal import Glibc

/// Forgets old jobs, and says of those whose process was killed that they are lost.
struct HistoryPruning {
    let stateFolder: String
    /// Jobs that are kept.
    var mostJobs = 1000
    /// Bytes of logs that are kept.
    var mostLogBytes = 4 << 30

    /// How many jobs go at once, so that no run pays for all that went before.
    static let mostAtOnce = 50

    /// Ends the jobs that nobody works on any more.
    func closeLost(_ database: Database, except id: JobID) throws(DatabaseError) {
        let open = try database.rows(
            "SELECT number, id, started FROM jobs WHERE ended IS NULL AND id<>?", .text(id.text)
        ) { ($0.int(0), $0.text(1), $0.int(2)) }
        for (number, id, started) in open where !Self.isAlive(jobFolder(id)) {
            let start = Timestamp(microseconds: Int64(started))
            var counts = JobRecord.Counts()
            var ended = start
            let batches = try database.rows(
                "SELECT records FROM batches WHERE job=?", .init(number)
            ) { $0.blob(0) }
            for record in batches.compactMap({ RecordCoding.decode($0, since: start) }).joined() {
                counts[record.state] += 1
                ended = max(ended, record.ended ?? start)
            }
            try database.run(
                """
                UPDATE jobs SET state=?, ended=?, succeeded=?, failed=?, cached=?, skipped=?,
                    blocked=?, cancelled=?, lost=? WHERE number=?
                """,
                .text(JobRecord.State.lost.rawValue), .integer(ended.microseconds),
                .init(counts[.succeeded]), .init(counts[.failed]),
                .init(counts[.cached]), .init(counts[.skipped]),
                .init(counts[.blocked]), .init(counts[.cancelled]),
                .init(counts[.lost]), .init(number))
        }
    }

    /// Removes what is above the bounds, oldest first.
    func run(_ database: Database) throws(DatabaseError) {
        let old = try database.rows(
            """
            SELECT number, id FROM (
                SELECT number, id, ended, row_number() OVER newest AS place,
                    sum(log_bytes) OVER newest AS bytes
                FROM jobs WINDOW newest AS (ORDER BY number DESC))
            WHERE (place > ? OR bytes > ?) AND place > 1 AND ended IS NOT NULL
                AND number NOT IN (SELECT repeats FROM jobs WHERE repeats IS NOT NULL)
            ORDER BY number LIMIT ?
            """,
            .init(mostJobs), .init(mostLogBytes), .init(Self.mostAtOnce)
        ) { ($0.int(0), $0.text(1)) }
        guard !old.isEmpty else { return }
        // The rows first: a folder without a row is found again, a row without a folder is a lie.
        try database.transaction { () throws(DatabaseError) in
            for (number, _) in old {
                try database.run("DELETE FROM jobs WHERE number=?", .init(number))
            }
            try database.run(
                "DELETE FROM plans WHERE number NOT IN (SELECT plan FROM jobs)")
        }
        for (_, id) in old { Self.remove(jobFolder(id)) }
    }

    /// Whether a process works on a job.
    static func isAlive(_ folder: String) -> Bool {
        (try? LogReader(folder: folder))?.isWritten ?? false
    }

    private func jobFolder(_ id: String) -> String { "\(HistorySchema.jobs(stateFolder))/\(id)" }

    /// Removes a folder with all that is in it, and never anything that a link leads to.
    static func remove(_ folder: String) {
        remove(folder, below: AT_FDCWD, depth: 0)
    }

    private static func remove(_ name: String, below parent: Int32, depth: Int) {
        if unlinkat(parent, name, 0) == 0 || depth > 100 { return }
        let flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC
        let folder = openat(parent, name, flags)
        guard folder >= 0, let listing = fdopendir(folder) else { return }
        defer {
            closedir(listing)
            unlinkat(parent, name, AT_REMOVEDIR)
        }
        while let entry = readdir(listing) {
            let entryName = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if entryName != ".", entryName != ".." {
                remove(entryName, below: folder, depth: depth + 1)
            }
        }
    }
}
