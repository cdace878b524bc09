/// What was removed because it was too old or too much, and what of it is not gone from the disk.
enum SchemaRetention {
    /// The second script.
    ///
    /// What is removed is first said to be removed, and stands in `doomed` until its files are
    /// gone: wherever the master ends, no row points to files that are not there, and no file is
    /// forgotten.
    static let script = """
        ALTER TABLE jobs ADD COLUMN logs_removed INTEGER;
        ALTER TABLE artifacts ADD COLUMN removed INTEGER;
        -- It holds what figures of jobs are made of, so that a start does not read the rows.
        CREATE INDEX jobs_by_end ON jobs (ended, logs_removed, started, state, pipeline)
            WHERE ended IS NOT NULL;
        CREATE INDEX artifacts_kept ON artifacts (job) WHERE removed IS NULL;

        CREATE TABLE doomed (
            kind TEXT NOT NULL CHECK (kind IN ('jobs', 'logs', 'artifacts')),
            job TEXT NOT NULL CHECK (length(job) = 9),
            PRIMARY KEY (job, kind)
        ) STRICT, WITHOUT ROWID;

        -- Names of jobs that were forgotten, so that whoever asks for one is told so.
        CREATE TABLE forgotten_jobs (
            id TEXT PRIMARY KEY CHECK (length(id) = 9),
            at INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID;

        -- Figures of jobs that were forgotten: a counter never goes back.
        CREATE TABLE forgotten_counts (
            pipeline TEXT NOT NULL,
            state TEXT NOT NULL,
            bucket INTEGER NOT NULL,
            jobs INTEGER NOT NULL,
            milliseconds INTEGER NOT NULL,
            PRIMARY KEY (pipeline, state, bucket)
        ) STRICT, WITHOUT ROWID;

        -- When something was done last that is done now and then.
        CREATE TABLE marks (name TEXT PRIMARY KEY, at INTEGER NOT NULL) STRICT, WITHOUT ROWID;
        """
}
