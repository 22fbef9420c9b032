//! One connection for the length of a verb.

use std::sync::Arc;

use sqlx::pool::PoolConnection;
use sqlx::postgres::{PgConnection, PgRow, Postgres};
use sqlx::{AssertSqlSafe, raw_sql};
use tokio::sync::OwnedSemaphorePermit;

use super::error::{failed, is_conflict, is_gone, is_its_own, is_standby, is_uprooted, standby};
use super::resting::{Owned, Resting};
use crate::clock::{Clock as _, SystemClock};
use crate::error::StoreError;

/// A connection that goes back to where it came from only when nothing is open on it. Whoever stops
/// waiting in the middle closes it, and the server rolls back.
pub(super) struct Link {
    /// There until it is dropped.
    connection: Option<Connection>,
    _share: OwnedSemaphorePermit,
    clean: bool,
    begun: bool,
    /// Whether those that were begun with it are no better.
    bad: bool,
    trouble: Option<Trouble>,
}

/// A connection, and where it goes back to.
pub(super) enum Connection {
    Own(Owned<PgConnection>, Arc<Resting<PgConnection>>),
    Pooled(PoolConnection<Postgres>),
}

/// What a failure allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Trouble {
    /// It was in the way of another transaction, and nothing of it remains.
    Conflict,
    /// The connection is gone.
    Gone,
    /// It leads to a server that cannot be written to.
    Elsewhere,
    /// The tables are not where they were.
    Uprooted,
    /// None of these.
    Other,
}

impl Link {
    pub(super) fn new(connection: Connection, share: OwnedSemaphorePermit) -> Self {
        Self {
            connection: Some(connection),
            _share: share,
            clean: true,
            begun: false,
            bad: false,
            trouble: None,
        }
    }

    /// Sends statements and reads all that they answer: one round trip.
    pub(super) async fn run(&mut self, statements: String) -> Result<Vec<PgRow>, StoreError> {
        self.clean = false;
        self.trouble = None;
        tracing::trace!(target: "tower_jwt_session::postgres", "round trip");
        let wire = match &mut self.connection {
            Some(connection) => connection.wire(),
            None => return Err(failed(sqlx::Error::PoolClosed)),
        };
        let begins = statements.starts_with("BEGIN");
        self.begun |= begins;
        let answer = raw_sql(AssertSqlSafe(statements)).fetch_all(wire);
        answer.await.map_err(|error| {
            if is_standby(&error, begins) {
                self.misled();
                return standby(error);
            }
            self.bad |= is_gone(&error) && !is_its_own(&error);
            self.trouble = Some(match &error {
                error if is_conflict(error) => Trouble::Conflict,
                error if is_gone(error) => Trouble::Gone,
                error if is_uprooted(error) => Trouble::Uprooted,
                _ => Trouble::Other,
            });
            failed(error)
        })
    }

    /// Why the last statements failed.
    pub(super) fn trouble(&self) -> Option<Trouble> {
        self.trouble
    }

    /// It leads to a standby, whatever becomes of that one later.
    pub(super) fn misled(&mut self) {
        self.bad = true;
        self.trouble = Some(Trouble::Elsewhere);
    }

    /// Nothing is open on it any more.
    pub(super) fn finish(&mut self) {
        self.clean = true;
        self.begun = false;
    }

    /// Undoes what was begun.
    pub(super) async fn undo(&mut self) {
        if matches!(self.trouble, Some(Trouble::Gone | Trouble::Elsewhere)) {
            return;
        }
        let trouble = self.trouble;
        if !self.begun || self.run("ROLLBACK".to_owned()).await.is_ok() {
            self.finish();
        }
        self.trouble = trouble;
    }
}

impl Connection {
    fn wire(&mut self) -> &mut PgConnection {
        match self {
            Self::Own(owned, _) => &mut owned.wire,
            Self::Pooled(connection) => connection,
        }
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        let usable = self.clean && !self.bad;
        match self.connection.take() {
            Some(Connection::Own(owned, resting)) if usable => {
                resting.take_back(owned, SystemClock.instants().monotonic);
            }
            Some(Connection::Own(owned, resting)) if self.bad => resting.forget(owned),
            Some(Connection::Pooled(mut connection)) if !usable => connection.close_on_drop(),
            _ => {}
        }
    }
}
