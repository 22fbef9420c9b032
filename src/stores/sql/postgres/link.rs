//! One connection for the length of a verb.

use sqlx::pool::PoolConnection;
use sqlx::postgres::{PgRow, Postgres};
use sqlx::{AssertSqlSafe, raw_sql};
use tokio::sync::OwnedSemaphorePermit;

use super::error::{failed, is_conflict, is_gone, is_uprooted};
use crate::error::StoreError;

/// A connection that goes back to its pool only when nothing is open on it. Whoever stops waiting
/// in the middle closes it, and the server rolls back.
pub(super) struct Link {
    connection: PoolConnection<Postgres>,
    _share: OwnedSemaphorePermit,
    clean: bool,
    begun: bool,
    trouble: Option<Trouble>,
}

/// What a failure allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Trouble {
    /// It was in the way of another transaction, and nothing of it remains.
    Conflict,
    /// The connection is gone.
    Gone,
    /// The tables are not where they were.
    Uprooted,
    /// None of these.
    Other,
}

impl Link {
    pub(super) fn new(connection: PoolConnection<Postgres>, share: OwnedSemaphorePermit) -> Self {
        Self {
            connection,
            _share: share,
            clean: true,
            begun: false,
            trouble: None,
        }
    }

    /// Sends statements and reads all that they answer: one round trip.
    pub(super) async fn run(&mut self, statements: String) -> Result<Vec<PgRow>, StoreError> {
        self.clean = false;
        self.trouble = None;
        self.begun |= statements.starts_with("BEGIN");
        tracing::trace!(target: "tower_jwt_session::postgres", "round trip");
        let answer = raw_sql(AssertSqlSafe(statements)).fetch_all(&mut *self.connection);
        answer.await.map_err(|error| {
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

    /// Nothing is open on it any more.
    pub(super) fn finish(&mut self) {
        self.clean = true;
        self.begun = false;
    }

    /// Undoes what was begun.
    pub(super) async fn undo(&mut self) {
        if self.trouble == Some(Trouble::Gone) {
            return;
        }
        let trouble = self.trouble;
        if !self.begun || self.run("ROLLBACK".to_owned()).await.is_ok() {
            self.finish();
        }
        self.trouble = trouble;
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        if !self.clean {
            self.connection.close_on_drop();
        }
    }
}
