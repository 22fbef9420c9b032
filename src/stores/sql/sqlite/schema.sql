CREATE TABLE jwt_meta (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    version INTEGER NOT NULL,
    deployment BLOB NOT NULL,
    history BLOB NOT NULL,
    limits TEXT,
    covered_until INTEGER NOT NULL DEFAULT 0,
    settles_at INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE TABLE jwt_users (
    id TEXT PRIMARY KEY,
    revoked_gen INTEGER NOT NULL,
    roles_gen INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE jwt_sessions (
    id BLOB PRIMARY KEY,
    user TEXT NOT NULL,
    operation BLOB NOT NULL,
    due_at INTEGER NOT NULL,
    ended_at INTEGER,
    ended_by BLOB,
    record TEXT NOT NULL
) STRICT;

CREATE UNIQUE INDEX jwt_sessions_operation ON jwt_sessions (user, operation);
CREATE INDEX jwt_sessions_user ON jwt_sessions (user, ended_at, id);
CREATE INDEX jwt_sessions_open ON jwt_sessions (id) WHERE ended_at IS NULL;
CREATE INDEX jwt_sessions_due ON jwt_sessions (due_at) WHERE ended_at IS NULL;
CREATE INDEX jwt_sessions_ended ON jwt_sessions (ended_at) WHERE ended_at IS NOT NULL;

CREATE TABLE jwt_log (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    id BLOB NOT NULL UNIQUE,
    subject TEXT NOT NULL,
    until INTEGER NOT NULL,
    entry TEXT NOT NULL
) STRICT;

CREATE INDEX jwt_log_subject ON jwt_log (subject);
CREATE INDEX jwt_log_until ON jwt_log (until);

CREATE TABLE jwt_leases (
    node BLOB PRIMARY KEY,
    until INTEGER NOT NULL,
    lease TEXT NOT NULL
) STRICT, WITHOUT ROWID;
