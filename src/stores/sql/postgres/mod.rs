//! The PostgreSQL store: many nodes on one server.

mod address;
mod ahead;
mod audit;
mod batch;
mod columns;
mod cursor;
mod error;
mod known;
mod link;
mod literal;
mod marks;
mod names;
mod news;
mod open;
mod opened;
mod outcome;
mod pieces;
mod pools;
mod resting;
mod rows;
mod run;
mod tables;
mod tag;
#[cfg(test)]
mod tests;
mod upkeep;
mod verbs;

use std::fmt;
use std::sync::Arc;

use sqlx::postgres::PgPool;

use self::open::LAYOUT;
use self::opened::{Server, Shared};
use crate::clock::Clock;
use crate::error::StoreError;
use crate::session::{NewSession, RefreshAttempt, RefreshOutcome, SignInOutcome};
use crate::stores::together::Together;

/// Keeps everything in a PostgreSQL database (13 or newer), which any number of nodes may share.
///
/// What it acknowledged survives the process, and the server as far as `synchronous_commit` is
/// on, which is looked at and said aloud where it is not. The store's clock is the server's. The
/// tables are named `jwt_…` and made where there are none, in the first schema of the
/// `search_path` or in the one that [`in_schema`](Self::in_schema) names.
///
/// A revocation is pushed to the other nodes (`NOTIFY`) and read by each from the log. Every poll
/// writes its lease first and then reads, on the same connection, so that a standby, or a server
/// that cannot commit any more, extends nothing. A standby that was promoted, and a restored
/// backup, have another timeline: every node reads the whole log again and writes back what was
/// lost. Single questions about a token read without writing; a former primary that was cut off
/// from its cluster and does not know it yet answers them from what it has, until the next poll
/// fails there. Where that matters, fence it, or have it wait for a standby
/// (`synchronous_standby_names`).
///
/// A node makes at most 16 connections and one to listen, or takes its share of a pool that it is
/// given. Statements need no preparation, so that a pooler in transaction mode may stand in
/// between; the push does not reach through one, and the log is then read by polling.
///
/// Cloning shares the connections.
///
/// # Examples
///
/// ```no_run
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// use tower_jwt_session::{JwtSession, PostgresStore};
///
/// let store = PostgresStore::new("postgres://app:secret@db.example/app")?;
/// let auth = JwtSession::builder()
///     .hmac_secret(b"an example; 32 random bytes in earnest, the same on every node")
///     .store(store)
///     .build()?;
/// # let _ = auth;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct PostgresStore {
    clock: Option<Arc<dyn Clock>>,
    shared: Arc<Shared>,
    sign_ins: Arc<Together<NewSession, Result<SignInOutcome, StoreError>>>,
    refreshes: Arc<Together<RefreshAttempt, Result<RefreshOutcome, StoreError>>>,
}

impl PostgresStore {
    /// A store at an address, which is connected to, and its tables made where there are none,
    /// when it is first needed: by [`JwtSession::start`](crate::JwtSession::start), or else by
    /// the first request.
    ///
    /// The address is a URL as `postgres://user:password@host:5432/database`, with the parameters
    /// of libpq (`sslmode`, `sslrootcert`, `host` for a socket, `options`, …) behind a `?`.
    /// Beyond one machine say `sslmode=verify-full`, with the feature `tls`: unless told otherwise
    /// the connection is plain where the server wants no encryption, and any server is believed.
    ///
    /// # Errors
    ///
    /// A [`StoreError`] of the kind [`Configuration`](crate::StoreErrorKind::Configuration) when
    /// it is no such address. It does not repeat it.
    pub fn new(address: &str) -> Result<Self, StoreError> {
        Ok(Self::at(Server::At(Box::new(address::options(address)?))))
    }

    /// The same, connected to at once.
    ///
    /// # Errors
    ///
    /// A [`StoreError`] whose source says what to do: of the kind
    /// [`Configuration`](crate::StoreErrorKind::Configuration) when the address cannot be read,
    /// user, password or database are wrong, the server is older than 13, a permission is missing,
    /// or the tables were written by a newer version or are not ours;
    /// [`Unavailable`](crate::StoreErrorKind::Unavailable) when the server cannot be reached or
    /// is a standby.
    pub async fn connect(address: &str) -> Result<Self, StoreError> {
        let store = Self::new(address)?;
        store.shared.opened().await?;
        Ok(store)
    }

    /// A store on connections of the application's own pool.
    ///
    /// It takes at most the whole pool, in shares, so that lists do not keep requests waiting;
    /// what else uses the pool may. One further connection is made to listen, by the pool's
    /// options. Statements hold what is known of users: whoever does not want them logged turns
    /// that off in the pool's options (`disable_statement_logging`).
    #[must_use]
    pub fn from_pool(pool: PgPool) -> Self {
        Self::at(Server::Through(pool))
    }

    /// The same server with the tables in a schema of this name, which is made where there is
    /// none.
    #[must_use]
    pub fn in_schema(self, schema: impl Into<String>) -> Self {
        Self::on(self.clock, self.shared.in_schema(schema.into()))
    }

    /// The same by another clock than the server's, for tests.
    #[must_use]
    pub fn with_clock(self, clock: Arc<dyn Clock>) -> Self {
        Self {
            clock: Some(clock),
            // Those who share a transaction share its instant.
            sign_ins: Arc::new(Together::new()),
            refreshes: Arc::new(Together::new()),
            ..self
        }
    }

    fn at(server: Server) -> Self {
        Self::on(None, Shared::new(server, None, LAYOUT))
    }

    fn on(clock: Option<Arc<dyn Clock>>, shared: Shared) -> Self {
        Self {
            clock,
            shared: Arc::new(shared),
            sign_ins: Arc::new(Together::new()),
            refreshes: Arc::new(Together::new()),
        }
    }
}

impl fmt::Debug for PostgresStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresStore")
            .field("schema", &self.shared.schema())
            .finish_non_exhaustive()
    }
}
