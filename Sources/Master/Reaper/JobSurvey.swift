internal import GRDB
internal import Glibc

internal import struct Executor.JobID
internal import struct Executor.Timestamp

/// Finds what is to be removed of jobs that have ended. It changes nothing; it waits for the disk.
struct JobSurvey {
    let folder: String
    let rules: ReapRules
    let now: Timestamp

    /// The most that is found at once; the rest is found the next time.
    static let most = 100_000

    private struct Row {
        var id: String
        var ended: Int64
        var hasLogs: Bool
        var artifactBytes: Int64?
    }

    /// What goes, oldest first.
    func items(in connection: Database) throws -> [ReapItem] {
        let rows = try rows(connection)
        var items: [ReapItem] = []
        var kept: [Row] = []
        for row in rows {
            if row.ended < limit(rules.jobs) {
                guard !isAlive(row.id) else { continue }
                let bytes = FolderSize.bytes(path(row.id))
                items.append(ReapItem(kind: .jobs, name: row.id, bytes: bytes, reason: .age))
            } else {
                kept.append(row)
            }
            if items.count >= Self.most { return items }
        }
        items += logs(kept)
        items += artifacts(kept)
        items += try leftovers(connection)
        return Array(items.prefix(Self.most))
    }

    private func path(_ id: String) -> String { "\(folder)/jobs/\(id)" }

    private func limit(_ age: Int64) -> Int64 {
        now.sinceEpoch.subtractingReportingOverflow(age).partialValue
    }

    /// Whether the engine of a job lives, whatever the database says.
    private func isAlive(_ id: String) -> Bool {
        JournalReader(folder: path(id), offset: 0).isHeld()
    }

    /// Jobs that have ended and have anything left, oldest first.
    private func rows(_ connection: Database) throws -> [Row] {
        let found = try GRDB.Row.fetchCursor(
            connection,
            sql: """
                SELECT id, ended, logs_removed IS NULL, (
                    SELECT sum(bytes) FROM artifacts a
                    WHERE a.job = jobs.number AND a.removed IS NULL)
                FROM jobs WHERE ended IS NOT NULL ORDER BY ended
                """)
        var rows: [Row] = []
        while let row = try found.next() {
            var fields = Fields(row, of: "jobs")
            let id = try fields.text()
            // It is a part of paths.
            guard JobID(id) != nil else { continue }
            rows.append(
                Row(
                    id: id, ended: try fields.integer(), hasLogs: try fields.integer() != 0,
                    artifactBytes: try fields.optionalInteger()))
        }
        return rows
    }

    private func logs(_ rows: [Row]) -> [ReapItem] {
        let present = rows.filter(\.hasLogs)
        // What there is has to be measured only where that decides something.
        let sizes = rules.mostLogs > 0 ? present.map { logBytes($0.id) } : []
        return chosen(present, .logs, rules.logs, rules.mostLogs, sizes) { logBytes($0.id) }
    }

    private func artifacts(_ rows: [Row]) -> [ReapItem] {
        let present = rows.filter { $0.artifactBytes != nil }
        let sizes = present.map { $0.artifactBytes ?? 0 }
        return chosen(present, .artifacts, rules.artifacts, rules.mostArtifacts, sizes) {
            $0.artifactBytes ?? 0
        }
    }

    /// Those that are too old, and the oldest ones of those that are too much.
    private func chosen(
        _ rows: [Row], _ kind: ReapItem.Kind, _ age: Int64, _ most: Int64, _ sizes: [Int64],
        _ measure: (Row) -> Int64
    ) -> [ReapItem] {
        var over = most > 0 ? sizes.reduce(0, &+) - most : 0
        var items: [ReapItem] = []
        for (index, row) in rows.enumerated() {
            let isOld = row.ended < limit(age)
            guard isOld || over > 0 else { break }
            guard !isAlive(row.id) else { continue }
            let bytes = sizes.indices.contains(index) ? sizes[index] : measure(row)
            over -= bytes
            items.append(
                ReapItem(kind: kind, name: row.id, bytes: bytes, reason: isOld ? .age : .size))
        }
        return items
    }

    private func logBytes(_ id: String) -> Int64 {
        FolderSize.bytes(path(id), without: ArtifactScan.folderName)
    }

    /// Folders of no job: of one that was forgotten, or that a restored database does not know.
    private func leftovers(_ connection: Database) throws -> [ReapItem] {
        // Listed first: the row of a job is there before its folder.
        let names = DataFolder.jobNames(in: folder)
        let statement = try connection.cachedStatement(sql: "SELECT 1 FROM jobs WHERE id = ?")
        var items: [ReapItem] = []
        for name in names {
            if try Int.fetchOne(statement, arguments: [name]) != nil { continue }
            guard let facts = try? FileFacts(of: path(name)),
                facts.modified.sinceEpoch < limit(rules.logs), !isAlive(name)
            else { continue }
            items.append(
                ReapItem(
                    kind: .leftovers, name: name, bytes: FolderSize.bytes(path(name)),
                    reason: .unneeded))
        }
        return items
    }
}

/// How much folders take.
enum FolderSize {
    /// The bytes of all files beneath a path; 0 where nothing is. No link is followed.
    ///
    /// - Parameter name: something right in the folder that is not counted.
    static func bytes(_ path: String, without name: String? = nil) -> Int64 {
        let root = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW)
        guard root >= 0 else { return (try? FileFacts(of: path))?.size ?? 0 }
        defer { close(root) }
        var sum: Int64 = 0
        var folders: [[UInt8]] = [[]]
        let skipped = name.map { Array($0.utf8) }
        while let folder = folders.popLast() {
            guard let listing = try? FolderListing(root: root, path: folder) else { continue }
            for entry in listing.entries {
                if folder.isEmpty, entry.name == skipped { continue }
                switch entry.kind {
                case .file(let bytes, _): sum = sum.addingReportingOverflow(bytes).partialValue
                case .folder:
                    folders.append(
                        folder.isEmpty ? entry.name : folder + [UInt8(ascii: "/")] + entry.name)
                case .link: continue
                }
            }
        }
        return sum
    }
}
