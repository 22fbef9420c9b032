CREATE TABLE jwt_audit (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    id BLOB NOT NULL UNIQUE,
    at INTEGER NOT NULL,
    user TEXT,
    session BLOB,
    entry TEXT NOT NULL
) STRICT;

CREATE INDEX jwt_audit_at ON jwt_audit (at);
CREATE INDEX jwt_audit_user ON jwt_audit (user, number) WHERE user IS NOT NULL;
CREATE INDEX jwt_audit_session ON jwt_audit (session, number) WHERE session IS NOT NULL;
