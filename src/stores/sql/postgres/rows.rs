//! What the steps ask of the tables.

use super::columns;
use super::cursor::position;
use super::error::{BACKEND, told};
use super::known;
use super::literal::{Bytes, Id, Maybe, Text, count, instant};
use super::names::{LINE, Lock, Now, behind, key_of};
use super::tables::{Growing, PURGED_AT_ONCE, Tables, unwritable};
use super::tag;
use crate::clock::UnixTime;
use crate::error::{StoreError, StoreErrorKind};
use crate::revocation::{Cursor, EntryId, FleetLimits, Highest, Lease, Pieces, RevocationEntry};
use crate::session::{Counters, Idleness, Population, SessionRecord};
use crate::stores::codec;
use crate::stores::sql::rows::{Fleet, Found, Line, Row, Rows, StoredRow};
use crate::token::{SessionId, UserId};

impl Rows for Tables {
    const BACKEND: &'static str = BACKEND;

    async fn fleet(&mut self) -> Result<Fleet, StoreError> {
        Ok(self.fleet)
    }

    async fn set_limits(&mut self, limits: FleetLimits) -> Result<(), StoreError> {
        let text = serde_json::to_string(&limits).map_err(unwritable)?;
        let meta = self.names.clone();
        self.later(format_args!(
            "UPDATE {} SET limits = {}",
            meta.meta,
            Text(&text)
        ));
        self.fleet.limits = Some(limits);
        Ok(())
    }

    async fn set_clocks(&mut self, idleness: Idleness, highest: Highest) -> Result<(), StoreError> {
        let meta = self.names.clone();
        self.later(format_args!(
            "UPDATE {} SET covered_until = greatest(covered_until, {}), \
             settles_at = greatest(settles_at, {}), highest = greatest(highest, {})",
            meta.meta,
            instant(idleness.covered_until),
            instant(idleness.settles_at),
            instant(highest.at())
        ));
        (self.fleet.idleness, self.fleet.highest) = (idleness, highest);
        Ok(())
    }

    async fn counters(&mut self, user: &UserId) -> Result<Counters, StoreError> {
        if let Some(counters) = self.known.counters.get(user) {
            return Ok(*counters);
        }
        Ok(self.user(user).await?.0)
    }

    async fn set_counters(&mut self, user: &UserId, counters: Counters) -> Result<(), StoreError> {
        let taken = "revoked_gen = excluded.revoked_gen, roles_gen = excluded.roles_gen";
        self.later_counters(user, counters, taken);
        self.known.counters.insert(user.clone(), counters);
        Ok(())
    }

    async fn raise_counters(
        &mut self,
        user: &UserId,
        counters: Counters,
    ) -> Result<(), StoreError> {
        let higher = "revoked_gen = greatest(u.revoked_gen, excluded.revoked_gen), \
             roles_gen = greatest(u.roles_gen, excluded.roles_gen)";
        self.later_counters(user, counters, higher);
        self.known.counters.remove(user);
        Ok(())
    }

    async fn knows(&mut self, user: &UserId) -> Result<(Counters, bool), StoreError> {
        let known = self.known.users.get(user);
        let counters = self.known.counters.get(user);
        if let (Some(known), Some(counters)) = (known, counters) {
            return Ok((*counters, *known));
        }
        self.user(user).await
    }

    async fn session(&mut self, id: SessionId) -> Result<Option<Found>, StoreError> {
        if let Some(found) = self.known.sessions.remove(&id) {
            return Ok(found);
        }
        let rest = format!("s.id = {}", Id(id.as_bytes()));
        Ok(self.found(&rest).await?.pop())
    }

    async fn before_sign_in(
        &mut self,
        user: &UserId,
        operation: &[u8; 32],
    ) -> Result<(Vec<Found>, Option<Found>), StoreError> {
        if let Some(before) = self.known.before_sign_in.remove(user) {
            return Ok(before);
        }
        let question = self.names.before_sign_in(user, operation, self.lock);
        let rows = self.ask_of(tag::OPEN, &question).await?;
        Ok(known::before_sign_in(rows.iter()))
    }

    async fn open_of(&mut self, user: &UserId) -> Result<Vec<Found>, StoreError> {
        let user = Text(user.as_str());
        self.found(&format!(
            "s.user_id = {user} AND s.ended_at IS NULL ORDER BY s.id"
        ))
        .await
    }

    async fn ended_of(&mut self, user: &UserId) -> Result<Vec<Found>, StoreError> {
        let user = Text(user.as_str());
        let rest = format!(
            "s.user_id = {user} AND s.ended_at IS NOT NULL ORDER BY s.ended_at DESC, s.id DESC"
        );
        let rows = self.rows(&rest, Lock::None).await?;
        Ok(rows.into_iter().filter_map(|row| row.found).collect())
    }

    async fn open_after(
        &mut self,
        user: Option<&UserId>,
        after: Option<SessionId>,
        limit: usize,
    ) -> Result<Vec<Row>, StoreError> {
        let mut rest = "s.ended_at IS NULL".to_owned();
        if let Some(user) = user {
            rest.push_str(&format!(" AND s.user_id = {}", Text(user.as_str())));
        }
        rest.push_str(&behind(after, limit));
        self.rows(&rest, self.lock).await
    }

    async fn all_after(
        &mut self,
        after: Option<SessionId>,
        limit: usize,
    ) -> Result<Vec<StoredRow>, StoreError> {
        let question = self.names.all_after(after, limit);
        let rows = self.ask_of(tag::SESSION, &question).await?;
        let read = |row| Some((columns::session(row)?, columns::operation(row)));
        Ok(rows.iter().filter_map(read).collect())
    }

    async fn due(&mut self, now: UnixTime, limit: usize) -> Result<Vec<Row>, StoreError> {
        let rest = format!(
            "s.ended_at IS NULL AND s.due_at <= {} ORDER BY s.due_at LIMIT {}",
            instant(now),
            count(limit)
        );
        self.rows(&rest, self.lock_of_many()).await
    }

    async fn population(&mut self, now: UnixTime) -> Result<Population, StoreError> {
        let question = self.names.population(now);
        let rows = self.ask_of(tag::POPULATION, &question).await?;
        let counted = |name| rows.first().and_then(|row| columns::count(row, name));
        match (counted("count"), counted("users")) {
            (Some(sessions), Some(users)) => Ok(Population { sessions, users }),
            _ => Err(told(
                StoreErrorKind::Corrupt,
                "the sessions could not be counted",
            )),
        }
    }

    async fn insert(
        &mut self,
        record: &SessionRecord,
        operation: &[u8; 32],
    ) -> Result<(), StoreError> {
        let text = codec::encode_session(record).map_err(unwritable)?;
        let names = self.names.clone();
        let row = format_args!(
            "({}, {}, {}, {}, {}, {})",
            Id(record.id.as_bytes()),
            Text(record.user.as_str()),
            key_of(record.user.as_str()),
            Bytes(operation),
            instant(record.due_at()),
            Text(&text),
        );
        if self.alone {
            self.later(format_args!("CALL {}{row}", names.make));
            return Ok(());
        }
        let head = format_args!(
            "INSERT INTO {} (id, user_id, user_key, operation, due_at, record) VALUES ",
            names.sessions
        );
        self.later_row(Growing::Insert, head, row, "");
        Ok(())
    }

    async fn update(
        &mut self,
        record: &SessionRecord,
        by: Option<EntryId>,
    ) -> Result<(), StoreError> {
        let text = codec::encode_session(record).map_err(unwritable)?;
        let names = self.names.clone();
        let (id, due) = (Id(record.id.as_bytes()), instant(record.due_at()));
        if let Some(ended) = &record.ended {
            self.later(format_args!(
                "UPDATE {} SET due_at = {due}, ended_at = {}, ended_by = {}, record = {} \
                 WHERE id = {id} AND ended_at IS NULL",
                names.sessions,
                instant(ended.at),
                Maybe(by.as_ref().map(|by| Id(by.as_bytes()))),
                Text(&text),
            ));
            return Ok(());
        }
        if self.alone {
            let (now, text) = (instant(self.now), Text(&text));
            self.later(format_args!(
                "CALL {}({id}, {due}, {now}, {text})",
                names.go_on
            ));
            return Ok(());
        }
        // What lasts longer than it did keeps its place until that is due: no index has to be
        // written, and the sweep finds out then.
        let head = format_args!(
            "UPDATE {} s SET record = v.record, due_at = \
             CASE WHEN s.due_at > {} THEN least(s.due_at, v.due_at) ELSE v.due_at END FROM (VALUES ",
            names.sessions,
            instant(self.now),
        );
        let row = format_args!("({id}, {due}::bigint, {})", Text(&text));
        let tail = ") v (id, due_at, record) WHERE s.id = v.id AND s.ended_at IS NULL";
        self.later_row(Growing::Update, head, row, tail);
        Ok(())
    }

    async fn forget(&mut self, id: SessionId) -> Result<(), StoreError> {
        let names = self.names.clone();
        let id = Id(id.as_bytes());
        self.later(format_args!(
            "DELETE FROM {} WHERE id = {id}",
            names.sessions
        ));
        Ok(())
    }

    async fn forget_ended_of(&mut self, user: &UserId) -> Result<(), StoreError> {
        let names = self.names.clone();
        self.later(format_args!(
            "DELETE FROM {} WHERE user_id = {} AND ended_at IS NOT NULL",
            names.sessions,
            Text(user.as_str())
        ));
        Ok(())
    }

    async fn forget_ended_before(
        &mut self,
        before: UnixTime,
        limit: usize,
    ) -> Result<(u64, bool), StoreError> {
        let (sessions, before) = (&self.names.sessions, instant(before));
        let old = format!("ended_at IS NOT NULL AND ended_at < {before}");
        let question = format!(
            "WITH gone AS (DELETE FROM {sessions} WHERE id IN (SELECT id FROM {sessions} \
             WHERE {old} ORDER BY ended_at, id LIMIT {} FOR UPDATE SKIP LOCKED) RETURNING 1) \
             SELECT {} AS q, count(*) AS count, false AS more FROM gone; \
             SELECT {} AS q, 0::bigint AS count, EXISTS (SELECT 1 FROM {sessions} WHERE {old}) AS more; ",
            count(limit),
            tag::COUNT,
            tag::COUNT,
        );
        let rows = self.ask_of(tag::COUNT, &question).await?;
        let counted = rows.iter().filter_map(|row| columns::count(row, "count"));
        Ok((
            counted.sum(),
            rows.iter().any(|row| columns::flag(row, "more")),
        ))
    }

    async fn log_put(
        &mut self,
        entry: &RevocationEntry,
        now: UnixTime,
    ) -> Result<Line, StoreError> {
        let (text, names) = (codec::encode_entry(entry), self.names.clone());
        // A line that stands keeps its place, however long it lives: who has read it does not read it again.
        self.later(format_args!(
            "INSERT INTO {} AS l (id, xid, subject, until, entry) \
             VALUES ({}, pg_current_xact_id(), {}, {}, {}) ON CONFLICT (id) DO UPDATE SET \
             until = greatest(l.until, excluded.until), \
             xid = CASE WHEN l.until <= {} THEN excluded.xid ELSE l.xid END \
             RETURNING {} AS q, {LINE}",
            names.log,
            Id(entry.id.as_bytes()),
            Text(&codec::subject_of(&entry.revoked)),
            instant(entry.until),
            Text(&text.map_err(unwritable)?),
            instant(now),
            tag::PUT,
        ));
        self.log_grew = true;
        self.known.lines.remove(&entry.id);
        // How it stands is known when it was sent, and told after the commit.
        Ok(Line {
            entry: entry.clone(),
            at: position(u64::MAX),
        })
    }

    async fn log_get(&mut self, id: EntryId, now: UnixTime) -> Result<Option<Line>, StoreError> {
        if let Some(line) = self.known.lines.remove(&id) {
            return Ok(line);
        }
        let question = self.names.lines_of(tag::PROBE, &[id], Now::At(now));
        let rows = self.ask(&question).await?;
        Ok(known::lines(&rows, tag::PROBE, now).pop())
    }

    async fn log_since(
        &mut self,
        since: Option<&Cursor>,
        _now: UnixTime,
        _pieces: Option<&Pieces>,
    ) -> Result<(Vec<Line>, Cursor), StoreError> {
        match self.known.log.take() {
            Some((asked, lines, cursor)) if asked.as_ref() == since => Ok((lines, cursor)),
            _ => Err(told(
                StoreErrorKind::Unavailable,
                "the history of the log changed while it was read",
            )),
        }
    }

    async fn log_all(&mut self, now: UnixTime) -> Result<Vec<Line>, StoreError> {
        let question = self.names.lines(tag::LINE, "true", Now::At(now));
        let rows = self.ask(&question).await?;
        Ok(known::lines(&rows, tag::LINE, now))
    }

    async fn log_about(
        &mut self,
        subjects: &[String; 3],
        now: UnixTime,
    ) -> Result<Vec<RevocationEntry>, StoreError> {
        if let Some(entries) = self.known.about.take() {
            return Ok(entries);
        }
        let question = self.names.lines_about(subjects, Now::At(now));
        let rows = self.ask(&question).await?;
        let lines = known::lines(&rows, tag::LINE, now).into_iter();
        Ok(lines.map(|line| line.entry).collect())
    }

    async fn purge(&mut self, now: UnixTime) -> Result<(), StoreError> {
        let (names, now) = (self.names.clone(), instant(now));
        for (table, key) in [(&names.log, "number"), (&names.leases, "node")] {
            self.later(format_args!(
                "DELETE FROM {table} WHERE {key} IN (SELECT {key} FROM {table} \
                 WHERE until <= {now} LIMIT {PURGED_AT_ONCE} FOR UPDATE SKIP LOCKED)"
            ));
        }
        Ok(())
    }

    async fn put_lease(&mut self, lease: &Lease) -> Result<(), StoreError> {
        let text = serde_json::to_string(lease).map_err(unwritable)?;
        let names = self.names.clone();
        self.later(format_args!(
            "INSERT INTO {} (node, until, lease) VALUES ({}, {}, {}) \
             ON CONFLICT (node) DO UPDATE SET until = excluded.until, lease = excluded.lease",
            names.leases,
            Id(&lease.node.0.to_be_bytes()),
            instant(lease.until),
            Text(&text),
        ));
        Ok(())
    }

    async fn leases(&mut self, now: UnixTime) -> Result<Vec<Lease>, StoreError> {
        if self.lock != Lock::None {
            // A node that joins before the commit and after this question would be left out, and
            // not have seen it: they are read after the commit.
            self.looks_back = true;
            return Ok(Vec::new());
        }
        let rows = self
            .ask_of(tag::LEASE, &self.names.live_leases(Now::At(now)))
            .await?;
        let history = self.fleet.history;
        Ok(rows
            .iter()
            .map(|row| columns::lease(row, history))
            .collect())
    }
}
