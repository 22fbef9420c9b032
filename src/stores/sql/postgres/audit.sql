CREATE TABLE {schema}.jwt_audit (
    number BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id UUID NOT NULL UNIQUE,
    at BIGINT NOT NULL,
    user_id TEXT COLLATE "C",
    session_id UUID,
    entry TEXT NOT NULL
);

CREATE INDEX jwt_audit_at ON {schema}.jwt_audit (at);
CREATE INDEX jwt_audit_user ON {schema}.jwt_audit (user_id, number) WHERE user_id IS NOT NULL;
CREATE INDEX jwt_audit_session ON {schema}.jwt_audit (session_id, number) WHERE session_id IS NOT NULL;
