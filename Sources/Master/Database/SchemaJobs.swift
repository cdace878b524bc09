/// Jobs, what they do and what is said of them.
enum SchemaJobs {
    /// Tables of the first schema. What a list is filtered by stands first in a row of `jobs`.
    static let tables = """
        CREATE TABLE plans (
            digest BLOB PRIMARY KEY CHECK (length(digest) = 32),
            bytes BLOB NOT NULL,
            created INTEGER NOT NULL
        ) STRICT;

        CREATE TABLE jobs (
            number INTEGER PRIMARY KEY AUTOINCREMENT,
            id TEXT NOT NULL UNIQUE CHECK (length(id) = 9),
            created INTEGER NOT NULL,
            state TEXT NOT NULL CHECK (state IN ('pending', 'scheduling', 'waiting', 'running',
                'success', 'failure', 'timeout', 'cancelled')),
            pipeline TEXT NOT NULL,
            team TEXT,
            trigger TEXT NOT NULL,
            ref TEXT,
            revision TEXT,
            repository TEXT NOT NULL,
            file TEXT NOT NULL,
            parameters TEXT NOT NULL CHECK (parameters GLOB '{*}'),
            priority INTEGER NOT NULL,
            concurrency_group TEXT,
            concurrency_rule TEXT CHECK ((concurrency_rule IS NULL) = (concurrency_group IS NULL)),
            most_milliseconds INTEGER CHECK (most_milliseconds > 0),
            rerun_of TEXT,
            rerun_mode TEXT CHECK (rerun_mode IN ('all', 'failed')),
            idempotency_key TEXT UNIQUE,
            requested_by TEXT,
            plan BLOB REFERENCES plans (digest),
            reason TEXT,
            attempt INTEGER NOT NULL DEFAULT 0,
            journal_offset INTEGER NOT NULL DEFAULT 0,
            stop_state TEXT CHECK (stop_state IN ('timeout', 'cancelled')),
            stop_reason TEXT,
            stop_asked INTEGER,
            started INTEGER,
            ended INTEGER,
            CHECK ((ended IS NOT NULL) = (state IN ('success', 'failure', 'timeout', 'cancelled')))
        ) STRICT;

        CREATE TABLE steps (
            job INTEGER NOT NULL REFERENCES jobs (number),
            step INTEGER NOT NULL CHECK (step >= 0),
            id TEXT NOT NULL,
            name TEXT NOT NULL,
            state TEXT NOT NULL,
            attempts INTEGER NOT NULL DEFAULT 0,
            exit_code INTEGER,
            reason TEXT,
            started INTEGER,
            ended INTEGER,
            cached_from TEXT,
            PRIMARY KEY (job, step)
        ) STRICT, WITHOUT ROWID;

        CREATE TABLE attempts (
            job INTEGER NOT NULL,
            step INTEGER NOT NULL,
            attempt INTEGER NOT NULL CHECK (attempt >= 1),
            state TEXT NOT NULL
                CHECK (state IN ('running', 'succeeded', 'failed', 'cancelled', 'lost')),
            started INTEGER NOT NULL,
            ended INTEGER,
            exit_code INTEGER,
            reason TEXT,
            PRIMARY KEY (job, step, attempt),
            FOREIGN KEY (job, step) REFERENCES steps (job, step),
            CHECK ((ended IS NULL) = (state = 'running'))
        ) STRICT, WITHOUT ROWID;

        CREATE TABLE job_events (
            sequence INTEGER PRIMARY KEY AUTOINCREMENT,
            job INTEGER NOT NULL REFERENCES jobs (number),
            at INTEGER NOT NULL,
            kind TEXT NOT NULL,
            body TEXT NOT NULL CHECK (body GLOB '{*}')
        ) STRICT;

        -- Jobs that are being forgotten: the only ones whose rows may be removed, while this lasts.
        CREATE TABLE removals (job INTEGER PRIMARY KEY) STRICT;

        CREATE TABLE artifacts (
            job INTEGER NOT NULL REFERENCES jobs (number),
            name TEXT NOT NULL,
            kind TEXT NOT NULL CHECK (kind IN ('file', 'folder')),
            digest BLOB NOT NULL CHECK (length(digest) = 32),
            bytes INTEGER NOT NULL CHECK (bytes >= 0),
            created INTEGER NOT NULL,
            PRIMARY KEY (job, name)
        ) STRICT, WITHOUT ROWID;
        """

    /// A list of jobs is filtered by any of these columns, latest first. Each index begins with one
    /// of them and holds the others too, so that a filter never reads the rows that it drops.
    static let indices = """
        CREATE INDEX jobs_by_created
            ON jobs (created, number, state, trigger, pipeline, team, ref);
        CREATE INDEX jobs_by_state
            ON jobs (state, created, number, trigger, pipeline, team, ref);
        CREATE INDEX jobs_by_trigger
            ON jobs (trigger, created, number, state, pipeline, team, ref);
        CREATE INDEX jobs_by_pipeline
            ON jobs (pipeline, created, number, state, trigger, team, ref);
        CREATE INDEX jobs_by_team
            ON jobs (team, created, number, state, trigger, pipeline, ref);
        CREATE INDEX jobs_by_ref
            ON jobs (ref, created, number, state, trigger, pipeline, team);
        CREATE INDEX jobs_by_revision ON jobs (revision, created, number);
        CREATE INDEX jobs_by_plan ON jobs (plan) WHERE plan IS NOT NULL;
        CREATE INDEX jobs_unfinished ON jobs (number)
            WHERE state IN ('pending', 'scheduling', 'waiting', 'running');
        CREATE INDEX job_events_by_job ON job_events (job);
        CREATE UNIQUE INDEX attempts_alive ON attempts (job, step) WHERE state = 'running';
        """

    /// What no statement may do, whoever wrote it. Rows of a job are removed only while the job
    /// stands in `removals`, which `JobRemoval` alone puts there, within its transaction.
    static let guards = """
        CREATE TRIGGER jobs_end_once BEFORE UPDATE OF state ON jobs
        WHEN OLD.state IN ('success', 'failure', 'timeout', 'cancelled')
            AND NEW.state <> OLD.state
        BEGIN SELECT RAISE(ABORT, 'a job that has ended never changes its state'); END;

        CREATE TRIGGER jobs_keep_their_name BEFORE UPDATE OF number, id ON jobs
        WHEN NEW.number <> OLD.number OR NEW.id <> OLD.id
        BEGIN SELECT RAISE(ABORT, 'a job never changes its name'); END;

        CREATE TRIGGER jobs_stay BEFORE DELETE ON jobs
        WHEN OLD.state NOT IN ('success', 'failure', 'timeout', 'cancelled')
            OR OLD.number NOT IN (SELECT job FROM removals)
        BEGIN SELECT RAISE(ABORT, 'a job is removed only when it is forgotten'); END;

        CREATE TRIGGER attempts_end_once BEFORE UPDATE OF state ON attempts
        WHEN OLD.state <> 'running' AND NEW.state <> OLD.state
        BEGIN SELECT RAISE(ABORT, 'an attempt that has ended never changes its state'); END;

        CREATE TRIGGER attempts_stay BEFORE DELETE ON attempts
        WHEN OLD.job NOT IN (SELECT job FROM removals)
        BEGIN SELECT RAISE(ABORT, 'an attempt is removed only when its job is forgotten'); END;

        CREATE TRIGGER job_events_never_change BEFORE UPDATE ON job_events
        BEGIN SELECT RAISE(ABORT, 'an event never changes'); END;

        CREATE TRIGGER job_events_stay BEFORE DELETE ON job_events
        WHEN OLD.job NOT IN (SELECT job FROM removals)
        BEGIN SELECT RAISE(ABORT, 'an event is removed only when its job is forgotten'); END;
        """
}
