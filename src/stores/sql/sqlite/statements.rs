//! Statements through one connection, and what undoes those of a write that fails.
//!
//! Every statement is a trip to the thread that SQLite runs on, which costs more than most of what
//! is done there. SQLite undoes a failed statement by itself, so a write that makes one change
//! needs no savepoint around it; only one that makes several gets one.

use std::fmt;
use std::ops::DerefMut;

use sqlx::query::Query;
use sqlx::sqlite::{Sqlite, SqliteArguments, SqliteConnection, SqliteRow};
use sqlx::{Row as _, query};

use super::columns;
use super::error::{failed, told};
use super::values::{bytes, text};
use crate::clock::UnixTime;
use crate::error::{StoreError, StoreErrorKind};
use crate::revocation::EntryId;
use crate::session::{Counters, SessionRecord};
use crate::stores::sql::rows::{Found, Row};
use crate::token::UserId;

/// Replaces the record of an open session, which is found in this way.
macro_rules! update {
    ($index:literal, $user:literal) => {
        concat!(
            "UPDATE jwt_sessions",
            $index,
            " SET due_at = ?1, ended_at = ?2, ended_by = ?3, record = ?4 \
             WHERE id = ?5 AND ended_at IS NULL",
            $user
        )
    };
}

/// The tables, through one connection.
pub(super) struct Tables<C> {
    pub(super) connection: C,
    /// Whether a line was added to the log since this was last set to `false`.
    pub(super) log_grew: bool,
    /// What the last look before a sign-in told of its user, until something is changed.
    pub(super) known: Option<(UserId, Counters, bool)>,
    /// When the write under way is made.
    pub(super) now: UnixTime,
    changed: Changed,
}

/// What a write has changed so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Changed {
    Nothing,
    /// One thing, with no savepoint before it.
    One,
    /// Anything, after a savepoint.
    Guarded,
}

pub(super) type Statement = Query<'static, Sqlite, SqliteArguments>;

impl<C: DerefMut<Target = SqliteConnection> + Send> Tables<C> {
    pub(super) fn new(connection: C) -> Self {
        Self {
            connection,
            log_grew: false,
            known: None,
            now: UnixTime::EPOCH,
            changed: Changed::Nothing,
        }
    }

    /// The number of the last entry that was ever written; 0 before the first.
    pub(super) async fn log_end(&mut self) -> Result<u64, StoreError> {
        let sql = "SELECT seq FROM sqlite_sequence WHERE name = 'jwt_log'";
        let row = self.one(query(sql)).await?;
        let end = row.and_then(|row| row.try_get::<i64, _>(0).ok());
        Ok(end.map_or(0, i64::cast_unsigned))
    }

    pub(super) async fn execute(&mut self, statement: Statement) -> Result<u64, StoreError> {
        let done = statement.execute(&mut *self.connection).await;
        Ok(done.map_err(failed)?.rows_affected())
    }

    /// Makes a change that others may follow.
    pub(super) async fn change(&mut self, statement: Statement) -> Result<u64, StoreError> {
        self.guard().await?;
        self.execute(statement).await
    }

    /// Makes a change that is the only one of most writes.
    pub(super) async fn change_one(&mut self, statement: Statement) -> Result<u64, StoreError> {
        self.known = None;
        let changed = self.execute(statement).await?;
        if self.changed == Changed::Nothing {
            self.changed = Changed::One;
        }
        Ok(changed)
    }

    /// Replaces the record of an open session where its place in the order of what is due may stay:
    /// it lasts longer than it did, and is not due. No index has to be written then, and the sweep
    /// finds out in time.
    pub(super) async fn update_in_place(
        &mut self,
        id: &[u8],
        record: &str,
        due: i64,
    ) -> Result<bool, StoreError> {
        let sql = "UPDATE jwt_sessions SET record = ? \
             WHERE id = ? AND ended_at IS NULL AND due_at > ? AND due_at <= ?";
        let statement = query(sql).bind(record.to_owned()).bind(id.to_vec());
        let statement = statement.bind(columns::integer(self.now)).bind(due);
        Ok(self.change_one(statement).await? > 0)
    }

    /// Replaces the record of an open session in every order, or ends it.
    pub(super) async fn replace(
        &mut self,
        record: &SessionRecord,
        by: Option<EntryId>,
        id: &[u8],
        written: String,
    ) -> Result<(), StoreError> {
        let statement = |sql| {
            let ended_at = record
                .ended
                .as_ref()
                .map(|ended| columns::integer(ended.at));
            query(sql)
                .bind(columns::integer(record.due_at()))
                .bind(ended_at)
                .bind(by.map(|by| bytes(by.as_bytes())))
                .bind(written.clone())
                .bind(id.to_vec())
        };
        let by_id = statement(update!("", ""));
        let Some(_) = by else {
            return self.change_one(by_id).await.map(drop);
        };
        // What ends a session is followed by a line of the log. The index of its user changes with it;
        // that of the ids would be more pages to read, and finds it where the record tells another
        // user than the table does.
        let by_user = update!(" INDEXED BY jwt_sessions_user", " AND user = ?6");
        let by_user = statement(by_user).bind(text(&record.user));
        if self.change(by_user).await? == 0 {
            self.change(by_id).await?;
        }
        Ok(())
    }

    /// Has what follows undone together when the write fails.
    pub(super) async fn guard(&mut self) -> Result<(), StoreError> {
        self.known = None;
        if self.changed == Changed::Nothing {
            self.execute(sqlx::query("SAVEPOINT job")).await?;
            self.changed = Changed::Guarded;
        }
        Ok(())
    }

    /// Keeps what a write has changed, for the transaction to commit.
    pub(super) async fn keep(&mut self) -> Result<(), StoreError> {
        if self.begin_next() == Changed::Guarded {
            self.execute(sqlx::query("RELEASE job")).await?;
        }
        Ok(())
    }

    /// Undoes what a failed write has changed.
    ///
    /// # Errors
    ///
    /// When the whole transaction has to be given up, or SQLite has done so already.
    pub(super) async fn undo(&mut self) -> Result<(), StoreError> {
        let lost = |sentence| told(StoreErrorKind::Unavailable, sentence);
        match self.begin_next() {
            Changed::Guarded => {
                self.execute(sqlx::query("ROLLBACK TO job")).await?;
                self.execute(sqlx::query("RELEASE job")).await.map(drop)
            }
            Changed::One => Err(lost("a write beside it failed midway")),
            // Within a transaction none can be begun: that is how one sees that it is still there.
            Changed::Nothing => match self.execute(sqlx::query("BEGIN")).await {
                Ok(_) => Err(lost("the disk failed a write beside it")),
                Err(_) => Ok(()),
            },
        }
    }

    /// Says what a write has changed, and begins with the next.
    fn begin_next(&mut self) -> Changed {
        self.known = None;
        std::mem::replace(&mut self.changed, Changed::Nothing)
    }

    /// Forgets a transaction that is rolled back.
    pub(super) fn lost(&mut self) {
        self.begin_next();
        self.log_grew = false;
    }

    pub(super) async fn one(
        &mut self,
        statement: Statement,
    ) -> Result<Option<SqliteRow>, StoreError> {
        statement
            .fetch_optional(&mut *self.connection)
            .await
            .map_err(failed)
    }

    pub(super) async fn all(&mut self, statement: Statement) -> Result<Vec<SqliteRow>, StoreError> {
        statement
            .fetch_all(&mut *self.connection)
            .await
            .map_err(failed)
    }

    pub(super) async fn rows(&mut self, statement: Statement) -> Result<Vec<Row>, StoreError> {
        let rows = self.all(statement).await?;
        rows.iter().filter_map(columns::session).map(Ok).collect()
    }

    pub(super) async fn found(&mut self, statement: Statement) -> Result<Vec<Found>, StoreError> {
        let rows = self.rows(statement).await?;
        Ok(rows.into_iter().filter_map(|row| row.found).collect())
    }
}

impl<C> fmt::Debug for Tables<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tables").finish_non_exhaustive()
    }
}
