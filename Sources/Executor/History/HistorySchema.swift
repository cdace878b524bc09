internal import Glibc

/// The tables of history, and where they and the logs are.
enum HistorySchema {
    /// Scripts that bring a file forward, oldest first. One that was published never changes.
    ///
    /// Steps of a job are not rows: ten thousand of them in one batch of `RecordCoding` cost what a
    /// hundred rows would. A plan's steps are kept once for all jobs of the plan.
    static let migrations = [
        """
        CREATE TABLE pipelines(
            number INTEGER PRIMARY KEY, repository TEXT NOT NULL, name TEXT NOT NULL,
            UNIQUE(repository, name)) STRICT;
        CREATE TABLE plans(
            number INTEGER PRIMARY KEY, digest BLOB NOT NULL UNIQUE, steps BLOB NOT NULL) STRICT;
        CREATE TABLE jobs(
            number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE,
            pipeline INTEGER NOT NULL REFERENCES pipelines(number),
            plan INTEGER NOT NULL REFERENCES plans(number),
            trigger TEXT NOT NULL, branch TEXT, revision TEXT, mode TEXT NOT NULL,
            started INTEGER NOT NULL, ended INTEGER, state TEXT NOT NULL,
            steps INTEGER NOT NULL, succeeded INTEGER NOT NULL DEFAULT 0,
            failed INTEGER NOT NULL DEFAULT 0, cached INTEGER NOT NULL DEFAULT 0,
            skipped INTEGER NOT NULL DEFAULT 0, blocked INTEGER NOT NULL DEFAULT 0,
            cancelled INTEGER NOT NULL DEFAULT 0, lost INTEGER NOT NULL DEFAULT 0,
            log_bytes INTEGER NOT NULL DEFAULT 0,
            repeats INTEGER REFERENCES jobs(number)) STRICT;
        CREATE INDEX jobs_of_pipeline ON jobs(pipeline, number);
        CREATE INDEX jobs_of_plan ON jobs(plan);
        CREATE INDEX repeated_jobs ON jobs(repeats) WHERE repeats IS NOT NULL;
        CREATE INDEX open_jobs ON jobs(number) WHERE ended IS NULL;
        CREATE TABLE batches(
            number INTEGER PRIMARY KEY, job INTEGER NOT NULL REFERENCES jobs(number)
            ON DELETE CASCADE, records BLOB NOT NULL) STRICT;
        CREATE INDEX batches_of_job ON batches(job);
        CREATE TABLE durations(
            pipeline INTEGER NOT NULL REFERENCES pipelines(number), step TEXT NOT NULL,
            job INTEGER NOT NULL, recent BLOB NOT NULL,
            PRIMARY KEY(pipeline, step)) STRICT, WITHOUT ROWID;
        """,
        "ALTER TABLE plans ADD COLUMN plan BLOB",
    ]

    static func database(_ folder: String) -> String { "\(folder)/history.db" }
    static func jobs(_ folder: String) -> String { "\(folder)/jobs" }

    /// Makes a folder and those above it, for the user alone.
    static func make(_ folder: String) throws(HistoryError) {
        var path = folder.hasPrefix("/") ? "" : "."
        for part in folder.split(separator: "/") {
            path += "/" + part
            if mkdir(path, 0o700) != 0, errno != EEXIST {
                throw .folder(path: path, reason: String(cString: strerror(errno)))
            }
        }
        var status = stat()
        guard stat(folder, &status) == 0, status.st_mode & S_IFMT == S_IFDIR else {
            throw .folder(path: folder, reason: "it is no folder")
        }
    }

    /// Ids and names of steps, each ended by NUL.
    static func encode(_ steps: [JobDescription.Step]) -> [UInt8] {
        var bytes: [UInt8] = []
        for step in steps {
            bytes.append(contentsOf: step.id.utf8.lazy.filter { $0 != 0 })
            bytes.append(0)
            bytes.append(contentsOf: step.name.utf8.lazy.filter { $0 != 0 })
            bytes.append(0)
        }
        return bytes
    }

    static func decode(_ bytes: [UInt8]) -> [JobDescription.Step] {
        let parts = bytes.split(separator: 0, omittingEmptySubsequences: false).dropLast()
        var steps: [JobDescription.Step] = []
        steps.reserveCapacity(parts.count / 2)
        var id: String?
        for part in parts {
            let text = String(decoding: part, as: UTF8.self)
            if let known = id {
                steps.append(JobDescription.Step(id: known, name: text))
                id = nil
            } else {
                id = text
            }
        }
        return steps
    }
}
