/// People, what they may do, secrets, and what is kept beside jobs.
enum SchemaRest {
    /// Tables of the first schema.
    static let tables = """
        CREATE TABLE users (
            id INTEGER PRIMARY KEY,
            name TEXT NOT NULL UNIQUE,
            email TEXT,
            subject TEXT UNIQUE,
            is_admin INTEGER NOT NULL DEFAULT 0 CHECK (is_admin IN (0, 1)),
            created INTEGER NOT NULL
        ) STRICT;

        CREATE TABLE teams (
            id INTEGER PRIMARY KEY,
            name TEXT NOT NULL UNIQUE,
            weight INTEGER NOT NULL DEFAULT 1 CHECK (weight > 0),
            created INTEGER NOT NULL
        ) STRICT;

        CREATE TABLE team_members (
            team INTEGER NOT NULL REFERENCES teams (id) ON DELETE CASCADE,
            user INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
            role TEXT NOT NULL CHECK (role IN ('member', 'owner')),
            PRIMARY KEY (team, user)
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX team_members_by_user ON team_members (user);

        CREATE TABLE pipelines (
            id INTEGER PRIMARY KEY,
            name TEXT NOT NULL UNIQUE,
            team INTEGER REFERENCES teams (id),
            repository TEXT NOT NULL,
            file TEXT NOT NULL,
            settings TEXT NOT NULL DEFAULT '{}' CHECK (settings GLOB '{*}'),
            is_paused INTEGER NOT NULL DEFAULT 0 CHECK (is_paused IN (0, 1)),
            created INTEGER NOT NULL,
            changed INTEGER NOT NULL
        ) STRICT;
        CREATE INDEX pipelines_by_team ON pipelines (team);

        CREATE TABLE pipeline_permissions (
            pipeline INTEGER NOT NULL REFERENCES pipelines (id) ON DELETE CASCADE,
            team INTEGER NOT NULL REFERENCES teams (id) ON DELETE CASCADE,
            level TEXT NOT NULL CHECK (level IN ('read', 'write', 'admin')),
            PRIMARY KEY (pipeline, team)
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX pipeline_permissions_by_team ON pipeline_permissions (team);

        -- A removed secret leaves its row without a value, so that no version is given twice.
        CREATE TABLE secrets (
            scope TEXT NOT NULL,
            name TEXT NOT NULL,
            version INTEGER NOT NULL CHECK (version >= 1),
            key_id TEXT,
            ciphertext BLOB,
            restrictions TEXT NOT NULL,
            created INTEGER NOT NULL,
            changed INTEGER NOT NULL,
            changed_by TEXT,
            PRIMARY KEY (scope, name),
            CHECK ((key_id IS NULL) = (ciphertext IS NULL))
        ) STRICT, WITHOUT ROWID;

        CREATE TABLE cache_entries (
            scope TEXT NOT NULL,
            key BLOB NOT NULL CHECK (length(key) = 32),
            result BLOB NOT NULL,
            bytes INTEGER NOT NULL CHECK (bytes >= 0),
            created INTEGER NOT NULL,
            used INTEGER NOT NULL,
            PRIMARY KEY (scope, key)
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX cache_entries_by_use ON cache_entries (used);

        CREATE TABLE deliveries (
            source TEXT NOT NULL,
            delivery TEXT NOT NULL,
            received INTEGER NOT NULL,
            fingerprint BLOB NOT NULL CHECK (length(fingerprint) = 32),
            outcome TEXT NOT NULL,
            job INTEGER REFERENCES jobs (number) ON DELETE SET NULL,
            PRIMARY KEY (source, delivery)
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX deliveries_by_fingerprint ON deliveries (fingerprint);
        CREATE INDEX deliveries_by_job ON deliveries (job) WHERE job IS NOT NULL;

        CREATE TABLE audit_log (
            sequence INTEGER PRIMARY KEY AUTOINCREMENT,
            at INTEGER NOT NULL,
            actor TEXT NOT NULL,
            action TEXT NOT NULL,
            subject TEXT NOT NULL,
            detail TEXT NOT NULL CHECK (detail GLOB '{*}')
        ) STRICT;

        CREATE TRIGGER audit_log_never_changes BEFORE UPDATE ON audit_log
        BEGIN SELECT RAISE(ABORT, 'what was audited never changes'); END;

        CREATE TRIGGER audit_log_stays BEFORE DELETE ON audit_log
        BEGIN SELECT RAISE(ABORT, 'what was audited is never removed'); END;

        CREATE TABLE api_tokens (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            name TEXT NOT NULL,
            digest BLOB NOT NULL UNIQUE CHECK (length(digest) = 32),
            scope TEXT NOT NULL CHECK (scope IN ('read', 'write', 'admin')),
            user INTEGER REFERENCES users (id) ON DELETE CASCADE,
            created INTEGER NOT NULL,
            expires INTEGER,
            used INTEGER,
            revoked INTEGER
        ) STRICT;
        CREATE INDEX api_tokens_by_user ON api_tokens (user) WHERE user IS NOT NULL;
        """
}
