//! Connections, shared out among what they are for.

use std::sync::Arc;
use std::time::Duration;

use sqlx::ConnectOptions;
use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};
use tokio::sync::Semaphore;

use super::error::{failed, told};
use super::link::Link;
use crate::error::{StoreError, StoreErrorKind};

/// What a connection is for. None can take the others' share.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Class {
    /// Requests that wait for an answer about their token.
    Confirm,
    /// Following the log.
    Follow,
    /// Lists and pages.
    List,
    /// Everything that writes, and sign-ins.
    Write,
}

/// One pool with a share for each class.
#[derive(Debug)]
pub(super) struct Pools {
    pool: PgPool,
    shares: [Arc<Semaphore>; 4],
}

impl Pools {
    /// A pool of our own.
    pub(super) fn connect(options: PgConnectOptions) -> Self {
        let pool = PgPoolOptions::new()
            .max_connections(CONNECTIONS)
            .acquire_timeout(PATIENCE)
            .idle_timeout(IDLE)
            .test_before_acquire(false);
        Self::within(pool.connect_lazy_with(options))
    }

    /// Shares of a pool that the application made.
    pub(super) fn within(pool: PgPool) -> Self {
        let all = usize::try_from(pool.options().get_max_connections()).unwrap_or(usize::MAX);
        let share = |part: usize| (all / part).max(1);
        let (confirm, follow, list) = (share(4), share(8), share(8));
        let write = all.saturating_sub(confirm + follow + list).max(1);
        let shares = [confirm, follow, list, write];
        Self {
            pool,
            shares: shares.map(|share| Arc::new(Semaphore::new(share.min(Semaphore::MAX_PERMITS)))),
        }
    }

    /// How connections are made.
    pub(super) fn options(&self) -> PgConnectOptions {
        PgConnectOptions::clone(&self.pool.connect_options())
    }

    /// How many connections may turn out to be gone one after the other: as many as there can be. Each
    /// that does is closed, so that those which there are just now become fewer meanwhile.
    pub(super) fn most(&self) -> u32 {
        self.pool.options().get_max_connections()
    }

    /// A connection, as soon as one of the class is free.
    pub(super) async fn acquire(&self, class: Class) -> Result<Link, StoreError> {
        let share = self.shares[class as usize].clone().acquire_owned();
        let share = match tokio::time::timeout(PATIENCE, share).await {
            Ok(Ok(share)) => share,
            Ok(Err(_)) | Err(_) => {
                let what = "no connection came free in time";
                return Err(told(StoreErrorKind::Unavailable, what));
            }
        };
        match self.pool.acquire().await {
            Ok(connection) => Ok(Link::new(connection, share)),
            Err(sqlx::Error::PoolTimedOut) if self.pool.size() == 0 => Err(self.reason().await),
            Err(error) => Err(failed(error)),
        }
    }

    /// Why there is no connection: a pool tries again where it is refused, and forgets why.
    async fn reason(&self) -> StoreError {
        let options = self.options();
        match tokio::time::timeout(PATIENCE, options.connect()).await {
            Ok(Err(error)) => failed(error),
            Ok(Ok(_)) | Err(_) => failed(sqlx::Error::PoolTimedOut),
        }
    }
}

/// How many connections a node makes unless it is given a pool, and one beside them to listen.
const CONNECTIONS: u32 = 16;
/// Whoever asks has a shorter deadline of their own; this one is for work in the background.
const PATIENCE: Duration = Duration::from_secs(5);
const IDLE: Duration = Duration::from_secs(10 * 60);
