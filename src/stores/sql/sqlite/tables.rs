//! The tables in SQLite.

use std::ops::DerefMut;

use sqlx::sqlite::{SqliteConnection, SqliteRow};
use sqlx::{Row as _, query, query_scalar};

use super::columns::{self, integer};
use super::error::{BACKEND, failed};
use super::statements::Tables;
use super::values::{FLEET, POPULATION, bytes, count, of_user, text, unwritable};
use crate::clock::UnixTime;
use crate::error::{StoreError, StoreErrorKind};
use crate::revocation::{Cursor, EntryId, FleetLimits, Highest, Lease, Pieces, RevocationEntry};
use crate::session::{Counters, Idleness, Population, SessionRecord};
use crate::stores::codec;
use crate::stores::sql::rows::{Fleet, Found, Line, Row, Rows, StoredRow};
use crate::token::{SessionId, UserId};

/// Every column of a session, with the counters of its user.
macro_rules! sessions {
    ($($more:literal)?) => {
        concat!(
            "SELECT s.id, s.record, s.ended_by, u.revoked_gen, u.roles_gen",
            $($more,)?
            " FROM jwt_sessions s LEFT JOIN jwt_users u ON u.id = s.user "
        )
    };
}

impl<C: DerefMut<Target = SqliteConnection> + Send> Rows for Tables<C> {
    const BACKEND: &'static str = BACKEND;

    async fn fleet(&mut self) -> Result<Fleet, StoreError> {
        let row = self.one(query(FLEET)).await?;
        row.as_ref().and_then(columns::fleet).ok_or_else(|| {
            StoreError::new(StoreErrorKind::Corrupt, BACKEND)
                .with_source("the table jwt_meta has lost its row: restore the file from a backup")
        })
    }

    async fn set_limits(&mut self, limits: FleetLimits) -> Result<(), StoreError> {
        let limits = serde_json::to_string(&limits).map_err(unwritable)?;
        self.change(query("UPDATE jwt_meta SET limits = ?").bind(limits))
            .await
            .map(drop)
    }

    async fn set_clocks(&mut self, idleness: Idleness, highest: Highest) -> Result<(), StoreError> {
        let sql = query("UPDATE jwt_meta SET covered_until = ?, settles_at = ?, highest = ?")
            .bind(integer(idleness.covered_until))
            .bind(integer(idleness.settles_at))
            .bind(integer(highest.at()));
        self.execute(sql).await.map(drop)
    }

    async fn counters(&mut self, user: &UserId) -> Result<Counters, StoreError> {
        let sql = "SELECT revoked_gen, roles_gen FROM jwt_users WHERE id = ?";
        let row = self.one(query(sql).bind(text(user))).await?;
        Ok(row.as_ref().map(columns::counters).unwrap_or_default())
    }

    async fn set_counters(&mut self, user: &UserId, counters: Counters) -> Result<(), StoreError> {
        let sql = "INSERT INTO jwt_users (id, revoked_gen, roles_gen) VALUES (?, ?, ?) \
             ON CONFLICT (id) DO UPDATE SET \
             revoked_gen = excluded.revoked_gen, roles_gen = excluded.roles_gen";
        self.change(of_user(sql, user, counters)).await.map(drop)
    }

    async fn raise_counters(
        &mut self,
        user: &UserId,
        counters: Counters,
    ) -> Result<(), StoreError> {
        let sql = "INSERT INTO jwt_users (id, revoked_gen, roles_gen) VALUES (?, ?, ?) \
             ON CONFLICT (id) DO UPDATE SET revoked_gen = max(revoked_gen, excluded.revoked_gen), \
             roles_gen = max(roles_gen, excluded.roles_gen)";
        self.change(of_user(sql, user, counters)).await.map(drop)
    }

    async fn knows(&mut self, user: &UserId) -> Result<(Counters, bool), StoreError> {
        if let Some((_, counters, known)) = self.known.take().filter(|known| known.0 == *user) {
            return Ok((counters, known));
        }
        let sql = "SELECT u.revoked_gen, u.roles_gen, \
             EXISTS (SELECT 1 FROM jwt_sessions s WHERE s.user = one.id) AS known \
             FROM (SELECT ? AS id) one LEFT JOIN jwt_users u ON u.id = one.id";
        let row = self.one(query(sql).bind(text(user))).await?;
        let known = |row: &SqliteRow| row.try_get("known").map_err(failed);
        Ok(match &row {
            Some(row) => (columns::counters(row), known(row)?),
            None => (Counters::default(), false),
        })
    }

    async fn session(&mut self, id: SessionId) -> Result<Option<Found>, StoreError> {
        let sql = concat!(sessions!(), "WHERE s.id = ?");
        Ok(self
            .found(query(sql).bind(bytes(id.as_bytes())))
            .await?
            .pop())
    }

    async fn before_sign_in(
        &mut self,
        user: &UserId,
        operation: &[u8; 32],
    ) -> Result<(Vec<Found>, Option<Found>), StoreError> {
        // What `knows` is asked next of a user without open sessions comes along.
        let sql = concat!(
            sessions!(", s.operation, NULL AS known"),
            "WHERE s.user = ?1 AND s.ended_at IS NULL UNION ALL ",
            sessions!(", s.operation, NULL"),
            "WHERE s.user = ?1 AND s.operation = ?2 AND s.ended_at IS NOT NULL UNION ALL \
             SELECT NULL, NULL, NULL, u.revoked_gen, u.roles_gen, NULL, \
             EXISTS (SELECT 1 FROM jwt_sessions s WHERE s.user = one.id) \
             FROM (SELECT ?1 AS id) one LEFT JOIN jwt_users u ON u.id = one.id ORDER BY 1"
        );
        let statement = query(sql).bind(text(user)).bind(bytes(operation));
        let (mut open, mut made) = (Vec::new(), None);
        for row in &self.all(statement).await? {
            if let Some(known) = row.try_get("known").map_err(failed)? {
                self.known = Some((user.clone(), columns::counters(row), known));
                continue;
            }
            let Some(found) = columns::session(row).and_then(|row| row.found) else {
                continue;
            };
            if columns::operation(row) == Some(operation) {
                made = Some(found.clone());
            }
            if found.record.ended.is_none() {
                open.push(found);
            }
        }
        Ok((open, made))
    }

    async fn open_of(&mut self, user: &UserId) -> Result<Vec<Found>, StoreError> {
        let sql = concat!(
            sessions!(),
            "WHERE s.user = ? AND s.ended_at IS NULL ORDER BY s.id"
        );
        self.found(query(sql).bind(text(user))).await
    }

    async fn ended_of(&mut self, user: &UserId) -> Result<Vec<Found>, StoreError> {
        let sql = concat!(
            sessions!(),
            "WHERE s.user = ? AND s.ended_at IS NOT NULL ORDER BY s.ended_at DESC, s.id DESC"
        );
        self.found(query(sql).bind(text(user))).await
    }

    async fn open_after(
        &mut self,
        user: Option<&UserId>,
        after: Option<SessionId>,
        limit: usize,
    ) -> Result<Vec<Row>, StoreError> {
        let after = after.map_or_else(Vec::new, |after| bytes(after.as_bytes()));
        let statement = match user {
            Some(user) => query(concat!(
                sessions!(),
                "WHERE s.user = ? AND s.ended_at IS NULL AND s.id > ? ORDER BY s.id LIMIT ?"
            ))
            .bind(text(user)),
            None => query(concat!(
                sessions!(),
                "WHERE s.ended_at IS NULL AND s.id > ? ORDER BY s.id LIMIT ?"
            )),
        };
        self.rows(statement.bind(after).bind(count(limit))).await
    }

    async fn all_after(
        &mut self,
        after: Option<SessionId>,
        limit: usize,
    ) -> Result<Vec<StoredRow>, StoreError> {
        let after = after.map_or_else(Vec::new, |after| bytes(after.as_bytes()));
        let sql = concat!(
            sessions!(", s.operation"),
            "WHERE s.id > ? ORDER BY s.id LIMIT ?"
        );
        let rows = self.all(query(sql).bind(after).bind(count(limit))).await?;
        let read =
            |row: &SqliteRow| Some((columns::session(row)?, columns::operation(row).copied()));
        Ok(rows.iter().filter_map(read).collect())
    }

    async fn due(&mut self, now: UnixTime, limit: usize) -> Result<Vec<Row>, StoreError> {
        let sql = concat!(
            sessions!(),
            "WHERE s.ended_at IS NULL AND s.due_at <= ? ORDER BY s.due_at LIMIT ?"
        );
        self.rows(query(sql).bind(integer(now)).bind(count(limit)))
            .await
    }

    async fn population(&mut self, now: UnixTime) -> Result<Population, StoreError> {
        let row = self.one(query(POPULATION).bind(integer(now))).await?;
        let counted = |name| -> Result<u64, StoreError> {
            let value: Option<i64> = row
                .as_ref()
                .map(|row| row.try_get(name))
                .transpose()
                .map_err(failed)?;
            Ok(value.unwrap_or(0).cast_unsigned())
        };
        Ok(Population {
            sessions: counted("sessions")?,
            users: counted("users")?,
        })
    }

    async fn insert(
        &mut self,
        record: &SessionRecord,
        operation: &[u8; 32],
    ) -> Result<(), StoreError> {
        let sql = "INSERT INTO jwt_sessions (id, user, operation, due_at, record) \
             VALUES (?, ?, ?, ?, ?)";
        let statement = query(sql)
            .bind(bytes(record.id.as_bytes()))
            .bind(text(&record.user))
            .bind(bytes(operation))
            .bind(integer(record.due_at()))
            .bind(codec::encode_session(record).map_err(unwritable)?);
        self.change_one(statement).await.map(drop)
    }

    async fn update(
        &mut self,
        record: &SessionRecord,
        by: Option<EntryId>,
    ) -> Result<(), StoreError> {
        let written = codec::encode_session(record).map_err(unwritable)?;
        let (id, due) = (bytes(record.id.as_bytes()), integer(record.due_at()));
        if record.ended.is_none() && self.update_in_place(&id, &written, due).await? {
            return Ok(());
        }
        self.replace(record, by, &id, written).await
    }

    async fn forget(&mut self, id: SessionId) -> Result<(), StoreError> {
        let statement = query("DELETE FROM jwt_sessions WHERE id = ?").bind(bytes(id.as_bytes()));
        self.change(statement).await.map(drop)
    }

    async fn forget_ended_of(&mut self, user: &UserId) -> Result<(), StoreError> {
        let sql = "DELETE FROM jwt_sessions WHERE user = ? AND ended_at IS NOT NULL";
        self.change(query(sql).bind(text(user))).await.map(drop)
    }

    async fn forget_ended_before(
        &mut self,
        before: UnixTime,
        limit: usize,
    ) -> Result<(u64, bool), StoreError> {
        let sql = "DELETE FROM jwt_sessions WHERE rowid IN (SELECT rowid FROM jwt_sessions \
             WHERE ended_at IS NOT NULL AND ended_at < ? ORDER BY ended_at, id LIMIT ?)";
        let statement = query(sql).bind(integer(before)).bind(count(limit));
        let forgotten = self.change(statement).await?;
        let more = query_scalar(
            "SELECT EXISTS (SELECT 1 FROM jwt_sessions WHERE ended_at IS NOT NULL AND ended_at < ?)",
        )
        .bind(integer(before))
        .fetch_one(&mut *self.connection)
        .await
        .map_err(failed)?;
        Ok((forgotten, more))
    }

    async fn log_put(
        &mut self,
        entry: &RevocationEntry,
        now: UnixTime,
    ) -> Result<Line, StoreError> {
        let sql = "INSERT INTO jwt_log (id, subject, until, entry) VALUES (?, ?, ?, ?) \
             ON CONFLICT (id) DO UPDATE SET until = max(until, excluded.until) \
             RETURNING number, id, subject, until, entry";
        let statement = query(sql)
            .bind(bytes(entry.id.as_bytes()))
            .bind(codec::subject_of(&entry.revoked))
            .bind(integer(entry.until))
            .bind(codec::encode_entry(entry).map_err(unwritable)?);
        self.guard().await?;
        self.log_grew = true;
        let row = self.one(statement).await?;
        row.as_ref()
            .and_then(|row| columns::line(row, now))
            .ok_or_else(|| {
                StoreError::new(StoreErrorKind::Corrupt, BACKEND)
                    .with_source("the log holds an entry of this name that cannot be read")
            })
    }

    async fn log_get(&mut self, id: EntryId, now: UnixTime) -> Result<Option<Line>, StoreError> {
        let sql =
            "SELECT number, id, subject, until, entry FROM jwt_log WHERE id = ? AND until > ?";
        let statement = query(sql).bind(bytes(id.as_bytes())).bind(integer(now));
        let row = self.one(statement).await?;
        Ok(row.as_ref().and_then(|row| columns::line(row, now)))
    }

    async fn log_since(
        &mut self,
        since: Option<&Cursor>,
        now: UnixTime,
        pieces: Option<&Pieces>,
    ) -> Result<(Vec<Line>, Cursor), StoreError> {
        let end = self.log_end().await?;
        let read = match since.map(|since| since.0.as_slice()) {
            Some(&[read]) if read <= end => read,
            _ => 0,
        };
        let lines = self.lines_after(read, now, pieces).await?;
        Ok((lines, Cursor(vec![end])))
    }

    async fn log_all(&mut self, now: UnixTime) -> Result<Vec<Line>, StoreError> {
        self.lines_after(0, now, None).await
    }

    async fn log_about(
        &mut self,
        subjects: &[String; 3],
        now: UnixTime,
    ) -> Result<Vec<RevocationEntry>, StoreError> {
        let sql = "SELECT number, id, subject, until, entry FROM jwt_log \
             WHERE subject IN (?, ?, ?) AND until > ? ORDER BY number";
        let [session, token, user] = subjects.clone();
        let statement = query(sql)
            .bind(session)
            .bind(token)
            .bind(user)
            .bind(integer(now));
        let rows = self.all(statement).await?;
        let lines = rows.iter().filter_map(|row| columns::line(row, now));
        Ok(lines.map(|line| line.entry).collect())
    }

    async fn purge(&mut self, now: UnixTime) -> Result<(), StoreError> {
        let log = query("DELETE FROM jwt_log WHERE until <= ?").bind(integer(now));
        self.execute(log).await?;
        let leases = query("DELETE FROM jwt_leases WHERE until <= ?").bind(integer(now));
        self.execute(leases).await.map(drop)
    }

    async fn put_lease(&mut self, lease: &Lease) -> Result<(), StoreError> {
        let sql = "INSERT INTO jwt_leases (node, until, lease) VALUES (?, ?, ?) \
             ON CONFLICT (node) DO UPDATE SET until = excluded.until, lease = excluded.lease";
        let statement = query(sql)
            .bind(bytes(&lease.node.0.to_be_bytes()))
            .bind(integer(lease.until))
            .bind(serde_json::to_string(lease).map_err(unwritable)?);
        self.change_one(statement).await.map(drop)
    }

    async fn leases(&mut self, now: UnixTime) -> Result<Vec<Lease>, StoreError> {
        let sql = "SELECT lease FROM jwt_leases WHERE until > ? ORDER BY node";
        let rows = self.all(query(sql).bind(integer(now))).await?;
        rows.iter()
            .map(|row| {
                let text: &str = row.try_get(0).map_err(failed)?;
                // Leaving a lease out would call a revocation seen by all that one has not seen.
                serde_json::from_str(text).map_err(|error| {
                    StoreError::new(StoreErrorKind::Corrupt, BACKEND).with_source(error)
                })
            })
            .collect()
    }
}
