internal import GRDB
internal import PipelineIR

internal import struct Executor.JobID
internal import struct Executor.Timestamp

/// Something that a job has kept.
struct Artifact: Sendable, Equatable {
    /// What it is.
    enum Kind: String, Sendable {
        case file, folder
    }

    /// One component of a path.
    var name: String
    var kind: Kind
    /// Of the file's bytes, or of the folder's tar archive.
    var digest: Digest
    /// Of the file, or of all files in the folder.
    var bytes: Int64
    /// When it was removed.
    var removed: Timestamp?
}

/// Artifacts: what is recorded of them.
enum ArtifactTable {
    /// What a job has kept that was not removed, by name; nothing where there is no such job.
    static func artifacts(ofJobNamed id: String, in connection: Database) throws -> [Artifact] {
        let rows = try Row.fetchCursor(
            connection.cachedStatement(
                sql: """
                    SELECT name, kind, digest, bytes, removed FROM artifacts
                    WHERE job = (SELECT number FROM jobs WHERE id = ?) AND removed IS NULL
                    ORDER BY name
                    """), arguments: [id])
        var artifacts: [Artifact] = []
        while let row = try rows.next() { artifacts.append(try Artifact(row)) }
        return artifacts
    }
}

extension WriteTransaction {
    /// Records what a job has kept; what was recorded of it before is replaced.
    func record(_ artifacts: [Artifact], of id: JobID, at time: Timestamp) throws {
        let job = try JobTable.existing(id, in: connection)
        try run("DELETE FROM artifacts WHERE job = ?", [job.number])
        for artifact in artifacts {
            try run(
                """
                INSERT INTO artifacts (job, name, kind, digest, bytes, created)
                VALUES (?, ?, ?, ?, ?, ?)
                """,
                [
                    job.number, try FieldLimit.artifactName.checkFilled(artifact.name),
                    artifact.kind.rawValue, artifact.digest.blob, artifact.bytes,
                    time.sinceEpoch,
                ])
        }
    }
}

extension MasterDatabase {
    /// What a job has kept, by name.
    func artifacts(of job: Int64) async throws(MasterDatabaseError) -> [Artifact] {
        try await read { connection in
            let rows = try Row.fetchCursor(
                connection.cachedStatement(
                    sql: """
                        SELECT name, kind, digest, bytes, removed FROM artifacts WHERE job = ?
                        ORDER BY name
                        """), arguments: [job])
            var artifacts: [Artifact] = []
            while let row = try rows.next() { artifacts.append(try Artifact(row)) }
            return artifacts
        }
    }

    /// One thing that a job has kept; `nil` when there is none of that name.
    func artifact(
        _ name: String, of job: Int64
    ) async throws(MasterDatabaseError) -> Artifact? {
        try await read { connection in
            try Row.fetchOne(
                connection.cachedStatement(
                    sql: """
                        SELECT name, kind, digest, bytes, removed FROM artifacts
                        WHERE job = ? AND name = ?
                        """), arguments: [job, name]
            ).map { try Artifact($0) }
        }
    }
}

extension Artifact {
    fileprivate init(_ row: Row) throws {
        var fields = Fields(row, of: "artifacts")
        name = try fields.text()
        kind = try fields.word()
        digest = try fields.digest()
        bytes = try fields.integer()
        removed = try fields.optionalTime()
    }
}
