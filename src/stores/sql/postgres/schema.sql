CREATE TABLE {schema}.jwt_meta (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    version BIGINT NOT NULL,
    deployment UUID NOT NULL,
    limits TEXT,
    covered_until BIGINT NOT NULL DEFAULT 0,
    settles_at BIGINT NOT NULL DEFAULT 0
);

CREATE TABLE {schema}.jwt_users (
    id TEXT COLLATE "C" PRIMARY KEY,
    revoked_gen BIGINT NOT NULL,
    roles_gen BIGINT NOT NULL
);

CREATE TABLE {schema}.jwt_sessions (
    id UUID PRIMARY KEY,
    user_id TEXT COLLATE "C" NOT NULL,
    user_key BIGINT NOT NULL,
    operation BYTEA NOT NULL,
    due_at BIGINT NOT NULL,
    ended_at BIGINT,
    ended_by UUID,
    record TEXT NOT NULL
) WITH (fillfactor = 70);

CREATE UNIQUE INDEX jwt_sessions_operation ON {schema}.jwt_sessions (user_id, operation);
CREATE INDEX jwt_sessions_open_of ON {schema}.jwt_sessions (user_id, id) WHERE ended_at IS NULL;
CREATE INDEX jwt_sessions_ended_of ON {schema}.jwt_sessions (user_id, ended_at, id) WHERE ended_at IS NOT NULL;
CREATE INDEX jwt_sessions_open ON {schema}.jwt_sessions (id) WHERE ended_at IS NULL;
CREATE INDEX jwt_sessions_due ON {schema}.jwt_sessions (due_at) WHERE ended_at IS NULL;
CREATE INDEX jwt_sessions_ended ON {schema}.jwt_sessions (ended_at, id) WHERE ended_at IS NOT NULL;

CREATE TABLE {schema}.jwt_log (
    number BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id UUID NOT NULL UNIQUE,
    xid XID8 NOT NULL,
    subject TEXT COLLATE "C" NOT NULL,
    until BIGINT NOT NULL,
    entry TEXT NOT NULL
);

CREATE INDEX jwt_log_xid ON {schema}.jwt_log (xid);
CREATE INDEX jwt_log_subject ON {schema}.jwt_log (subject);
CREATE INDEX jwt_log_until ON {schema}.jwt_log (until);

CREATE TABLE {schema}.jwt_leases (
    node UUID PRIMARY KEY,
    until BIGINT NOT NULL,
    lease TEXT NOT NULL
);
