//! The tables in PostgreSQL.
//!
//! What only writes waits until something has to be read, or for the commit: a verb sends its
//! statements in as few round trips as its questions allow.

use std::fmt::{self, Write as _};
use std::sync::Arc;

use sqlx::postgres::PgRow;

use super::columns::{self, Greeting};
use super::error::BACKEND;
use super::known::{self, Known};
use super::link::Link;
use super::literal::Text;
use super::names::{Lock, Names};
use super::tag;
use crate::clock::UnixTime;
use crate::error::{StoreError, StoreErrorKind};
use crate::session::Counters;
use crate::stores::sql::rows::{Fleet, Found, Line, Row};
use crate::token::UserId;

/// The tables, through one connection.
pub(super) struct Tables {
    pub(super) link: Link,
    pub(super) names: Arc<Names>,
    pub(super) fleet: Fleet,
    pub(super) now: UnixTime,
    pub(super) lock: Lock,
    unsent: String,
    /// The last statement of it, where that takes further rows, and the length of its end.
    growing: Option<(Growing, usize)>,
    pub(super) known: Known,
    /// Whether it writes one session, by a procedure that the server planned before.
    pub(super) alone: bool,
    /// The lines of the log that were written, as they stand.
    pub(super) standing: Vec<Line>,
    /// Whether a line was added to the log.
    pub(super) log_grew: bool,
    /// Whether the answer needs what stands after the commit.
    pub(super) looks_back: bool,
}

/// A statement about several rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Growing {
    Insert,
    Update,
}

impl Tables {
    pub(super) fn new(link: Link, names: Arc<Names>, greeting: Greeting, lock: Lock) -> Self {
        Self {
            link,
            names,
            fleet: greeting.fleet,
            now: greeting.now,
            lock,
            unsent: String::new(),
            growing: None,
            known: Known::default(),
            alone: false,
            standing: Vec::new(),
            log_grew: false,
            looks_back: false,
        }
    }

    /// Takes what was not sent yet.
    pub(super) fn unsent(&mut self) -> String {
        self.growing = None;
        std::mem::take(&mut self.unsent)
    }

    /// Sorts out the lines that were written from what a question brought.
    pub(super) fn note(&mut self, rows: &[PgRow]) {
        self.standing.extend(known::lines(rows, tag::PUT, self.now));
    }

    pub(super) async fn ask(&mut self, question: &str) -> Result<Vec<PgRow>, StoreError> {
        let mut statements = self.unsent();
        statements.push_str(question);
        let rows = self.link.run(statements).await?;
        self.note(&rows);
        Ok(rows)
    }

    pub(super) async fn ask_of(
        &mut self,
        kind: i32,
        question: &str,
    ) -> Result<Vec<PgRow>, StoreError> {
        let mut rows = self.ask(question).await?;
        rows.retain(|row| columns::tag(row) == Some(kind));
        Ok(rows)
    }

    pub(super) fn later(&mut self, statement: fmt::Arguments<'_>) {
        self.growing = None;
        // Writing to a string does not fail.
        let _ = write!(self.unsent, "{statement}; ");
    }

    /// Writes counters, or makes of those that are there what is said.
    pub(super) fn later_counters(&mut self, user: &UserId, counters: Counters, known: &str) {
        let names = self.names.clone();
        self.later(format_args!(
            "INSERT INTO {} AS u (id, revoked_gen, roles_gen) VALUES ({}, {}, {}) \
             ON CONFLICT (id) DO UPDATE SET {known}",
            names.users,
            Text(user.as_str()),
            counters.revoked_gen.as_u64().cast_signed(),
            counters.roles_gen.as_u64().cast_signed(),
        ));
    }

    /// Adds a row to the statement that came last, where that is of the same kind, or begins one.
    pub(super) fn later_row(
        &mut self,
        kind: Growing,
        head: fmt::Arguments<'_>,
        row: fmt::Arguments<'_>,
        tail: &'static str,
    ) {
        match self.growing {
            Some((growing, end)) if growing == kind => {
                self.unsent.truncate(self.unsent.len() - end);
                let _ = write!(self.unsent, ", {row}{tail}; ");
            }
            _ => {
                let _ = write!(self.unsent, "{head}{row}{tail}; ");
            }
        }
        self.growing = Some((kind, tail.len() + "; ".len()));
    }

    pub(super) async fn rows(&mut self, rest: &str, lock: Lock) -> Result<Vec<Row>, StoreError> {
        let question = self.names.session_rows(tag::SESSION, rest, lock);
        let rows = self.ask_of(tag::SESSION, &question).await?;
        Ok(rows.iter().filter_map(columns::session).collect())
    }

    pub(super) async fn found(&mut self, rest: &str) -> Result<Vec<Found>, StoreError> {
        let rows = self.rows(rest, self.lock).await?;
        Ok(rows.into_iter().filter_map(|row| row.found).collect())
    }

    pub(super) async fn user(&mut self, user: &UserId) -> Result<(Counters, bool), StoreError> {
        let rows = self.ask_of(tag::USER, &self.names.user(user)).await?;
        let row = rows.first();
        Ok(row.map_or((Counters::default(), false), |row| {
            (columns::counters(row), columns::flag(row, "known"))
        }))
    }

    /// What is passed over where somebody else is at it.
    pub(super) fn lock_of_many(&self) -> Lock {
        match self.lock {
            Lock::None => Lock::None,
            Lock::Wait | Lock::Skip => Lock::Skip,
        }
    }
}

impl fmt::Debug for Tables {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tables").finish_non_exhaustive()
    }
}

pub(super) fn unwritable(error: serde_json::Error) -> StoreError {
    StoreError::new(StoreErrorKind::Corrupt, BACKEND).with_source(error)
}

pub(super) const PURGED_AT_ONCE: usize = 10_000;
