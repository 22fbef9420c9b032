//! Where the tables are, and the statements that go by it.

use std::fmt;

use super::literal::{Bytes, Id, Maybe, Name, Text, count, instant, list};
use super::tag;
use crate::clock::UnixTime;
use crate::crypto::digest;
use crate::revocation::EntryId;
use crate::session::NewSession;
use crate::token::{SessionId, UserId};

/// The tables of one schema, quoted.
#[derive(Debug)]
pub(super) struct Names {
    pub(super) meta: String,
    pub(super) users: String,
    pub(super) sessions: String,
    pub(super) log: String,
    pub(super) leases: String,
    pub(super) audit: String,
    before_sign_in: String,
    before_refresh: String,
    pub(super) make: String,
    pub(super) go_on: String,
    /// Where the log's growth is told.
    pub(super) channel: String,
    /// An expression for the timeline of the server.
    pub(super) timeline: &'static str,
    /// An expression for the identity of the server.
    pub(super) system: &'static str,
}

/// How rows of sessions are locked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lock {
    None,
    Wait,
    Skip,
}

/// An instant by which something has run out.
#[derive(Clone, Copy, Debug)]
pub(super) enum Now {
    At(UnixTime),
    /// What the server's clock says when it comes to that.
    Server,
}

impl Now {
    /// What is given to functions, which ask the server's clock themselves.
    fn given(self) -> Maybe<i64> {
        match self {
            Self::At(now) => Maybe(Some(instant(now))),
            Self::Server => Maybe(None),
        }
    }
}

impl fmt::Display for Now {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::At(now) => instant(*now).fmt(f),
            Self::Server => {
                f.write_str("(extract(epoch FROM clock_timestamp()) * 1000000)::bigint")
            }
        }
    }
}

impl Lock {
    fn clause(self) -> &'static str {
        match self {
            Self::None => "",
            Self::Wait => " FOR UPDATE OF s",
            Self::Skip => " FOR UPDATE OF s SKIP LOCKED",
        }
    }
}

impl Names {
    pub(super) fn new(schema: &str, timeline: &'static str, system: &'static str) -> Self {
        let table = |name| format!("{}.{}", Name(schema), name);
        let digest = digest::digest(&digest::SHA256, schema.as_bytes());
        let mark = u128::from_be_bytes(first(digest.as_ref()));
        Self {
            meta: table("jwt_meta"),
            users: table("jwt_users"),
            sessions: table("jwt_sessions"),
            log: table("jwt_log"),
            leases: table("jwt_leases"),
            audit: table("jwt_audit"),
            before_sign_in: table("jwt_before_sign_in"),
            before_refresh: table("jwt_before_refresh"),
            make: table("jwt_make"),
            go_on: table("jwt_go_on"),
            channel: format!("jwt_log_{mark:032x}"),
            timeline,
            system,
        }
    }

    /// What the whole fleet shares, the server's clock, and which server it is.
    pub(super) fn fleet(&self) -> String {
        self.fleet_on("", self.system, self.timeline)
    }

    /// The begin of what is read in a snapshot of its own: which server it is, and what the
    /// snapshot shows.
    pub(super) fn snapshot(&self) -> String {
        let snapshot = "pg_current_snapshot()::text AS snapshot, ";
        let fleet = self.fleet_on(snapshot, self.system, self.timeline);
        format!("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; {fleet}")
    }

    /// What the fleet shares without which server it is: to tell costs more than all the rest, and a write
    /// needs it only with what it added to the log.
    pub(super) fn fleet_alone(&self) -> String {
        self.fleet_on("", "''", "''")
    }

    fn fleet_on(&self, snapshot: &str, system: &str, timeline: &str) -> String {
        format!(
            "SELECT {} AS q, {} AS now, {snapshot}\
             pg_is_in_recovery() AS standby, pg_snapshot_xmax(pg_current_snapshot())::text AS xmax, \
             m.deployment::text AS deployment, m.limits, m.covered_until, m.settles_at, m.highest, {system} AS system, \
             CASE WHEN pg_is_in_recovery() THEN '' ELSE {timeline} END AS timeline FROM {} m; ",
            tag::FLEET,
            Now::Server,
            self.meta
        )
    }

    /// All that a sign-in needs, its lock included, which is told where it is free.
    pub(super) fn all_before_sign_in(
        &self,
        user: &UserId,
        operation: &[u8; 32],
        now: Now,
    ) -> String {
        format!(
            "SELECT * FROM {}({}, {}, {}, {}); ",
            self.before_sign_in,
            key_of(user.as_str()),
            Text(user.as_str()),
            Bytes(operation),
            now.given()
        )
    }

    /// All that a refresh needs, and the lock of its user as with a sign-in.
    pub(super) fn all_before_refresh(
        &self,
        session: SessionId,
        entry: EntryId,
        now: Now,
    ) -> String {
        format!(
            "SELECT * FROM {}({}, {}, {}); ",
            self.before_refresh,
            Id(session.as_bytes()),
            Id(entry.as_bytes()),
            now.given()
        )
    }

    /// Sessions with the counters of their users, by a condition over `s`.
    pub(super) fn session_rows(&self, tag: i32, rest: &str, lock: Lock) -> String {
        self.session_rows_with("", tag, rest, lock)
    }

    pub(super) fn session_rows_with(&self, more: &str, tag: i32, rest: &str, lock: Lock) -> String {
        format!(
            "SELECT {tag} AS q, s.id::text AS id, s.record, s.ended_by::text AS ended_by, \
             u.revoked_gen, u.roles_gen{more} FROM {} s LEFT JOIN {} u ON u.id = s.user_id \
             WHERE {rest}{}; ",
            self.sessions,
            self.users,
            lock.clause()
        )
    }

    pub(super) fn sessions_of(&self, ids: &[SessionId], lock: Lock) -> String {
        let ids = list(ids.iter().map(|id| Id(id.as_bytes())));
        let rest = format!("s.id IN ({ids}) ORDER BY s.id");
        self.session_rows(tag::SESSION, &rest, lock)
    }

    /// Everybody's sessions, with the operations of their sign-ins.
    pub(super) fn all_after(&self, after: Option<SessionId>, limit: usize) -> String {
        let rest = format!("true{}", behind(after, limit));
        self.session_rows_with(", s.operation", tag::SESSION, &rest, Lock::None)
    }

    /// The open sessions of a user, and the one that is made by the operation.
    pub(super) fn before_sign_in(&self, user: &UserId, operation: &[u8; 32], lock: Lock) -> String {
        let operation = Bytes(operation);
        let made = format!(", s.operation = {operation} AS made");
        let user = Text(user.as_str());
        let rest = format!(
            "s.user_id = {user} AND (s.ended_at IS NULL OR s.operation = {operation}) ORDER BY s.id"
        );
        self.session_rows_with(&made, tag::OPEN, &rest, lock)
    }

    /// The same of several users: their open sessions, and then those that are made.
    pub(super) fn before_sign_ins(&self, new: &[NewSession], lock: Lock) -> String {
        let users = list(new.iter().map(|new| Text(new.user.as_str())));
        let open = format!("s.user_id IN ({users}) AND s.ended_at IS NULL ORDER BY s.id");
        let pair =
            |new: &NewSession| format!("({}, {})", Text(new.user.as_str()), Bytes(&new.operation));
        let made = format!(
            "(s.user_id, s.operation) IN ({})",
            list(new.iter().map(pair))
        );
        self.session_rows(tag::OPEN, &open, lock) + &self.session_rows(tag::MADE, &made, Lock::None)
    }

    /// The counters of several users, and whether there is a record of any session of theirs.
    pub(super) fn users(&self, new: &[NewSession]) -> String {
        format!(
            "SELECT {} AS q, one.id, u.revoked_gen, u.roles_gen, \
             EXISTS (SELECT 1 FROM {} s WHERE s.user_id = one.id) AS known \
             FROM unnest(ARRAY[{}]) one (id) LEFT JOIN {} u ON u.id = one.id; ",
            tag::USER,
            self.sessions,
            list(new.iter().map(|new| Text(new.user.as_str()))),
            self.users
        )
    }

    /// A user's counters, and whether there is a record of any session of theirs.
    pub(super) fn user(&self, user: &UserId) -> String {
        format!(
            "SELECT {} AS q, u.revoked_gen, u.roles_gen, \
             EXISTS (SELECT 1 FROM {} s WHERE s.user_id = one.id) AS known \
             FROM (SELECT {} AS id) one LEFT JOIN {} u ON u.id = one.id; ",
            tag::USER,
            self.sessions,
            Text(user.as_str()),
            self.users
        )
    }

    /// How many open sessions there are, and of how many users; each from an index alone.
    pub(super) fn population(&self, now: UnixTime) -> String {
        let sessions = &self.sessions;
        format!(
            "SELECT {} AS q, \
             (SELECT count(*) FROM {sessions} WHERE ended_at IS NULL AND due_at > {}) AS count, \
             (SELECT count(*) FROM (SELECT DISTINCT user_id FROM {sessions} \
             WHERE ended_at IS NULL) one) AS users; ",
            tag::POPULATION,
            instant(now)
        )
    }

    /// Unexpired lines of the log, by a condition over `l`.
    pub(super) fn lines(&self, tag: i32, rest: &str, now: Now) -> String {
        format!(
            "SELECT {tag} AS q, {LINE} FROM {} l WHERE l.until > {} AND {rest} ORDER BY l.number; ",
            self.log, now
        )
    }

    pub(super) fn lines_of(&self, tag: i32, ids: &[EntryId], now: Now) -> String {
        let ids = list(ids.iter().map(|id| Id(id.as_bytes())));
        self.lines(tag, &format!("l.id IN ({ids})"), now)
    }

    /// The lines about any of the subjects.
    pub(super) fn lines_about(&self, subjects: &[String; 3], now: Now) -> String {
        let subjects = list(subjects.iter().map(|subject| Text(subject)));
        self.lines(tag::LINE, &format!("l.subject IN ({subjects})"), now)
    }

    /// The leases, and which server it is that says so.
    pub(super) fn after_commit(&self, now: Now) -> String {
        format!(
            "SELECT {} AS q, {} AS system, {} AS timeline; {}",
            tag::WRITTEN,
            self.system,
            self.timeline,
            self.live_leases(now)
        )
    }

    pub(super) fn live_leases(&self, now: Now) -> String {
        format!(
            "SELECT {} AS q, node::text AS node, until, lease FROM {} WHERE until > {} ORDER BY node; ",
            tag::LEASE,
            self.leases,
            now
        )
    }

    /// Takes the locks of users that are free, and says which.
    pub(super) fn try_lock(&self, keys: &[i64]) -> String {
        format!(
            "SELECT {} AS q, key::text AS key, pg_try_advisory_xact_lock(key) AS held \
             FROM unnest(ARRAY[{}]::bigint[]) key; ",
            tag::LOCKED,
            list(keys)
        )
    }

    /// The same of the users of sessions.
    pub(super) fn try_lock_of(&self, sessions: &[SessionId]) -> String {
        format!(
            "SELECT {} AS q, s.id::text AS key, pg_try_advisory_xact_lock(s.user_key) AS held \
             FROM {} s WHERE s.id IN ({}); ",
            tag::LOCKED,
            self.sessions,
            list(sessions.iter().map(|id| Id(id.as_bytes())))
        )
    }

    /// Waits for the locks of users, known by their keys or by their sessions, in one order for
    /// everybody.
    pub(super) fn lock(&self, keys: &[i64], sessions: &[SessionId]) -> String {
        match (keys, sessions) {
            ([key], []) => {
                return format!(
                    "SELECT {} AS q, pg_advisory_xact_lock({key})::text; ",
                    tag::LOCKED
                );
            }
            ([], [session]) => {
                return format!(
                    "SELECT {} AS q, pg_advisory_xact_lock(user_key)::text FROM {} WHERE id = {}; ",
                    tag::LOCKED,
                    self.sessions,
                    Id(session.as_bytes())
                );
            }
            _ => {}
        }
        let mut sources: Vec<String> = Vec::new();
        if !keys.is_empty() {
            sources.push(format!(
                "SELECT unnest(ARRAY[{}]::bigint[]) AS key",
                list(keys)
            ));
        }
        if !sessions.is_empty() {
            let ids = list(sessions.iter().map(|id| Id(id.as_bytes())));
            let sessions = &self.sessions;
            sources.push(format!(
                "SELECT user_key AS key FROM {sessions} WHERE id IN ({ids})"
            ));
        }
        if sources.is_empty() {
            return String::new();
        }
        format!(
            "SELECT {} AS q, pg_advisory_xact_lock(key)::text FROM \
             (SELECT DISTINCT key FROM ({}) every ORDER BY key OFFSET 0) ordered; ",
            tag::LOCKED,
            sources.join(" UNION ALL ")
        )
    }
}

/// The columns of a line.
pub(super) const LINE: &str =
    "l.number, l.xid::text AS xid, l.id::text AS id, l.subject, l.until, l.entry";

/// What names a user's lock, the same for every node and for ever.
pub(super) fn key_of(user: &str) -> i64 {
    let digest = digest::digest(&digest::SHA256, user.as_bytes());
    i64::from_be_bytes(first(digest.as_ref()))
}

fn first<const N: usize>(digest: &[u8]) -> [u8; N] {
    let mut bytes = [0; N];
    bytes.copy_from_slice(&digest[..N]);
    bytes
}

/// Those sessions alone that come after one, by id, and so many of them.
pub(super) fn behind(after: Option<SessionId>, limit: usize) -> String {
    let after = after.map_or_else(String::new, |after| {
        format!(" AND s.id > {}", Id(after.as_bytes()))
    });
    format!("{after} ORDER BY s.id LIMIT {}", count(limit))
}
