//! Connections, shared out among what they are for.

use std::sync::Arc;
use std::time::Duration;

use sqlx::ConnectOptions;
use sqlx::postgres::{PgConnectOptions, PgConnection, PgPool};
use tokio::sync::Semaphore;

use super::error::{failed, is_passing};
use super::link::{Connection, Link};
use super::resting::{Owned, Resting};
use crate::clock::{Clock as _, SystemClock};
use crate::error::StoreError;
use crate::revocation::Backoff;

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

/// Where connections come from, with a share for each class. The options hold a password, and nobody
/// prints them.
pub(super) struct Pools {
    source: Source,
    shares: [Arc<Semaphore>; 4],
}

enum Source {
    /// Connections of our own: as many as the shares are together.
    Own {
        options: Box<PgConnectOptions>,
        resting: Arc<Resting<PgConnection>>,
    },
    /// A pool that the application made.
    Shared(PgPool),
}

impl Pools {
    /// Connections of our own.
    pub(super) fn own(options: Box<PgConnectOptions>) -> Self {
        let resting = Arc::default();
        Self::sharing(CONNECTIONS, Source::Own { options, resting })
    }

    /// Shares of a pool that the application made.
    pub(super) fn within(pool: PgPool) -> Self {
        let all = pool.options().get_max_connections();
        Self::sharing(all, Source::Shared(pool))
    }

    fn sharing(all: u32, source: Source) -> Self {
        let all = usize::try_from(all).unwrap_or(usize::MAX);
        let share = |part: usize| (all / part).max(1);
        let (confirm, follow, list) = (share(4), share(8), share(8));
        let write = all.saturating_sub(confirm + follow + list).max(1);
        let shares = [confirm, follow, list, write];
        Self {
            source,
            shares: shares.map(|share| Arc::new(Semaphore::new(share.min(Semaphore::MAX_PERMITS)))),
        }
    }

    /// How connections are made.
    pub(super) fn options(&self) -> PgConnectOptions {
        match &self.source {
            Source::Own { options, .. } => PgConnectOptions::clone(options),
            Source::Shared(pool) => PgConnectOptions::clone(&pool.connect_options()),
        }
    }

    /// How many connections may turn out to be gone one after the other. Each that does is closed:
    /// in a pool as many as there can be, and of our own all those that were made before it.
    pub(super) fn most(&self) -> u32 {
        match &self.source {
            Source::Own { .. } => MADE_ANEW,
            Source::Shared(pool) => pool.options().get_max_connections(),
        }
    }

    /// A connection, as soon as one of the class is free.
    pub(super) async fn acquire(&self, class: Class) -> Result<Link, StoreError> {
        let share = self.shares[class as usize].clone().acquire_owned();
        let share = match tokio::time::timeout(PATIENCE, share).await {
            Ok(Ok(share)) => share,
            Ok(Err(_)) | Err(_) => return Err(not_in_time()),
        };
        let connection = match &self.source {
            Source::Own { options, resting } => {
                let now = SystemClock.instants().monotonic;
                let owned = match resting.take(now) {
                    Some(owned) => owned,
                    None => {
                        let begun = resting.begin(now);
                        Owned::new(connect(options).await?, begun)
                    }
                };
                Connection::Own(owned, resting.clone())
            }
            Source::Shared(pool) => match pool.acquire().await {
                Ok(connection) => Connection::Pooled(connection),
                Err(sqlx::Error::PoolTimedOut) if pool.size() == 0 => {
                    return Err(self.reason().await);
                }
                Err(error) => return Err(failed(error)),
            },
        };
        Ok(Link::new(connection, share))
    }

    /// Why there is no connection: a pool tries again where it is refused, and forgets why.
    async fn reason(&self) -> StoreError {
        match tokio::time::timeout(PATIENCE, self.options().connect()).await {
            Ok(Err(error)) => failed(error),
            Ok(Ok(_)) | Err(_) => not_in_time(),
        }
    }
}

/// A new connection. Where there may be one a moment later, it is waited for.
async fn connect(options: &PgConnectOptions) -> Result<PgConnection, StoreError> {
    let mut refused = None;
    let trying = async {
        let mut backoff = Backoff::new(FIRST_WAIT);
        loop {
            match options.connect().await {
                Err(error) if is_passing(&error) => {
                    refused = Some(error);
                    tokio::time::sleep(backoff.next()).await;
                }
                answer => return answer,
            }
        }
    };
    match tokio::time::timeout(PATIENCE, trying).await {
        Ok(Ok(wire)) => Ok(wire),
        Ok(Err(error)) => Err(failed(error)),
        Err(_) => Err(refused.map_or_else(not_in_time, failed)),
    }
}

fn not_in_time() -> StoreError {
    failed(sqlx::Error::PoolTimedOut)
}

/// How many connections a node makes unless it is given a pool, and one beside them to listen.
const CONNECTIONS: u32 = 16;
/// Whoever asks has a shorter deadline of their own; this one is for work in the background.
const PATIENCE: Duration = Duration::from_secs(5);
const FIRST_WAIT: Duration = Duration::from_millis(10);
/// A connection that was just made is gone only where the server goes again.
const MADE_ANEW: u32 = 4;
