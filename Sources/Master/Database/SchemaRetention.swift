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
        CREATE INDEX jobs_by_end ON jobs (ended, logs_removed) WHERE ended IS NOT NULL;
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

        -- Figures of all jobs that ever ended, forgotten ones too: a counter never goes back.
        CREATE TABLE job_counts (
            pipeline TEXT NOT NULL,
            state TEXT NOT NULL,
            bucket INTEGER NOT NULL,
            jobs INTEGER NOT NULL,
            milliseconds INTEGER NOT NULL,
            PRIMARY KEY (pipeline, state, bucket)
        ) STRICT, WITHOUT ROWID;
        INSERT INTO job_counts
            SELECT pipeline, state, CASE WHEN ms <= 100 THEN 0 WHEN ms <= 500 THEN 1
                WHEN ms <= 1000 THEN 2 WHEN ms <= 5000 THEN 3 WHEN ms <= 10000 THEN 4
                WHEN ms <= 30000 THEN 5 WHEN ms <= 60000 THEN 6 WHEN ms <= 120000 THEN 7
                WHEN ms <= 300000 THEN 8 WHEN ms <= 600000 THEN 9 WHEN ms <= 1800000 THEN 10
                WHEN ms <= 3600000 THEN 11 WHEN ms <= 7200000 THEN 12 ELSE 13 END, count(*), sum(ms)
            FROM (
                SELECT pipeline, state, max(0, ended - coalesce(started, ended)) AS ms FROM jobs
                WHERE ended IS NOT NULL)
            GROUP BY 1, 2, 3;

        -- When something was done last that is done now and then.
        CREATE TABLE marks (name TEXT PRIMARY KEY, at INTEGER NOT NULL) STRICT, WITHOUT ROWID;
        """
}
