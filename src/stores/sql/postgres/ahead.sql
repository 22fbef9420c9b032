-- What a sign-in or a refresh reads ahead where it is the only one, and what it writes. In
-- functions, because a connection plans their statements once; in PL/pgSQL, because each statement of it sees what was
-- committed before it, and so what the lock waited for. A plan that is made while the tables are
-- small has to do when they are large: no scans of whole tables, and so no costs that would have
-- statements compiled (jit).

CREATE OR REPLACE FUNCTION {schema}.jwt_before_sign_in(lock BIGINT, whose TEXT, made_by BYTEA, at BIGINT)
RETURNS TABLE (
    q INTEGER, key TEXT, held BOOLEAN,
    now BIGINT, standby BOOLEAN, xmax TEXT, deployment TEXT, limits TEXT, covered_until BIGINT,
    settles_at BIGINT, highest BIGINT, system TEXT, timeline TEXT,
    revoked_gen BIGINT, roles_gen BIGINT, known BOOLEAN,
    id TEXT, record TEXT, ended_by TEXT, made BOOLEAN
)
LANGUAGE plpgsql VOLATILE SET enable_seqscan = off SET jit = off AS $$
#variable_conflict use_column
BEGIN
    key := set_config('idle_in_transaction_session_timeout', '5s', true);
    key := set_config('lock_timeout', '100ms', true);
    key := lock::text;
    held := pg_try_advisory_xact_lock(lock);
    SELECT 13, coalesce(at, (extract(epoch FROM clock_timestamp()) * 1000000)::bigint),
        pg_is_in_recovery(), pg_snapshot_xmax(pg_current_snapshot())::text,
        m.deployment::text, m.limits, m.covered_until, m.settles_at, m.highest, '', '',
        u.revoked_gen, u.roles_gen,
        EXISTS (SELECT 1 FROM {schema}.jwt_sessions s WHERE s.user_id = whose)
        INTO q, now, standby, xmax, deployment, limits, covered_until, settles_at, highest,
            system, timeline, revoked_gen, roles_gen, known
        FROM {schema}.jwt_meta m LEFT JOIN {schema}.jwt_users u ON u.id = whose WHERE m.one = 1;
    IF NOT FOUND THEN RETURN; END IF;
    RETURN NEXT;
    -- Who is in the middle of something else is served alone, later; of who is new there is no more.
    IF NOT (held AND known) THEN RETURN; END IF;
    RETURN QUERY SELECT 3, NULL, NULL::boolean,
        NULL::bigint, NULL::boolean, NULL, NULL, NULL, NULL::bigint,
        NULL::bigint, NULL::bigint, NULL, NULL,
        u.revoked_gen, u.roles_gen, NULL::boolean,
        s.id::text, s.record, s.ended_by::text, s.operation = made_by
        FROM {schema}.jwt_sessions s LEFT JOIN {schema}.jwt_users u ON u.id = s.user_id
        WHERE s.user_id = whose AND s.ended_at IS NULL
        ORDER BY s.id FOR UPDATE OF s;
    -- Apart, and in this order, so that each goes by an index of its own and none passes over all
    -- the sessions that have ended.
    RETURN QUERY SELECT 3, NULL, NULL::boolean,
        NULL::bigint, NULL::boolean, NULL, NULL, NULL, NULL::bigint,
        NULL::bigint, NULL::bigint, NULL, NULL,
        u.revoked_gen, u.roles_gen, NULL::boolean,
        s.id::text, s.record, s.ended_by::text, true
        FROM (SELECT * FROM {schema}.jwt_sessions
              WHERE user_id = whose AND operation = made_by OFFSET 0) s
        LEFT JOIN {schema}.jwt_users u ON u.id = s.user_id
        WHERE s.ended_at IS NOT NULL;
END $$;

CREATE OR REPLACE FUNCTION {schema}.jwt_before_refresh(session UUID, line UUID, at BIGINT)
RETURNS TABLE (
    q INTEGER, key TEXT, held BOOLEAN,
    now BIGINT, standby BOOLEAN, xmax TEXT, deployment TEXT, limits TEXT, covered_until BIGINT,
    settles_at BIGINT, highest BIGINT, system TEXT, timeline TEXT,
    revoked_gen BIGINT, roles_gen BIGINT, id TEXT, record TEXT, ended_by TEXT,
    number BIGINT, xid TEXT, subject TEXT, until BIGINT, entry TEXT
)
LANGUAGE plpgsql VOLATILE SET enable_seqscan = off SET jit = off AS $$
#variable_conflict use_column
DECLARE
    instant BIGINT := coalesce(at, (extract(epoch FROM clock_timestamp()) * 1000000)::bigint);
BEGIN
    key := set_config('idle_in_transaction_session_timeout', '5s', true);
    key := set_config('lock_timeout', '100ms', true);
    SELECT s.id::text, pg_try_advisory_xact_lock(s.user_key) INTO key, held
        FROM {schema}.jwt_sessions s WHERE s.id = session;
    RETURN QUERY SELECT 13, key, held,
        instant, pg_is_in_recovery(), pg_snapshot_xmax(pg_current_snapshot())::text,
        m.deployment::text, m.limits, m.covered_until, m.settles_at, m.highest, '', '',
        NULL::bigint, NULL::bigint, l.id::text, NULL, NULL,
        l.number, l.xid::text, l.subject, l.until, l.entry
        FROM {schema}.jwt_meta m LEFT JOIN {schema}.jwt_log l ON l.id = line AND l.until > instant
        WHERE m.one = 1;
    RETURN QUERY SELECT 2, NULL, NULL::boolean,
        NULL::bigint, NULL::boolean, NULL, NULL, NULL, NULL::bigint,
        NULL::bigint, NULL::bigint, NULL, NULL,
        u.revoked_gen, u.roles_gen, s.id::text, s.record, s.ended_by::text,
        NULL::bigint, NULL, NULL, NULL::bigint, NULL
        FROM {schema}.jwt_sessions s LEFT JOIN {schema}.jwt_users u ON u.id = s.user_id
        WHERE s.id = session FOR UPDATE OF s SKIP LOCKED;
END $$;

CREATE OR REPLACE PROCEDURE {schema}.jwt_make(
    session UUID, whose TEXT, lock BIGINT, made_by BYTEA, due BIGINT, what TEXT
) LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO {schema}.jwt_sessions (id, user_id, user_key, operation, due_at, record)
        VALUES (session, whose, lock, made_by, due, what);
END $$;

-- What lasts longer than it did keeps its place until that is due: no index has to be written, and
-- the sweep finds out then. Written like that, no index of open sessions seems to do: where there are
-- few, to read all of one costs the same as to find the one session, and the plan stays when there are many.
CREATE OR REPLACE PROCEDURE {schema}.jwt_go_on(session UUID, due BIGINT, at BIGINT, what TEXT)
LANGUAGE plpgsql SET enable_seqscan = off AS $$
BEGIN
    UPDATE {schema}.jwt_sessions s SET record = what, due_at =
        CASE WHEN s.due_at > at THEN least(s.due_at, due) ELSE due END
        WHERE s.id = session AND coalesce(s.ended_at, -1) = -1;
END $$
