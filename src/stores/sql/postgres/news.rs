//! How a node hears that the log has grown.

use std::sync::Arc;
use std::time::Duration;

use sqlx::Executor;
use sqlx::postgres::{PgConnectOptions, PgListener, PgPoolOptions};
use tokio::sync::Notify;
use tokio::time::timeout;

use crate::revocation::Backoff;

/// Wakes who waits for the log to grow.
#[derive(Debug, Default)]
pub(super) struct News {
    grown: Notify,
}

impl News {
    pub(super) fn spread(&self) {
        self.grown.notify_waiters();
    }

    pub(super) fn heard(&self) -> impl Future<Output = ()> + Send {
        self.grown.notified()
    }

    /// Listens for ever on a connection of its own. What was told while it was away nobody
    /// repeats, so that each return is news.
    pub(super) async fn listen(self: Arc<Self>, options: PgConnectOptions, channel: String) {
        let mut backoff = Backoff::new(FIRST_WAIT);
        loop {
            if let Ok(Ok(listener)) = timeout(PATIENCE, connect(&options, &channel)).await {
                backoff.reset();
                self.spread();
                self.pass_on(listener).await;
            }
            tokio::time::sleep(backoff.next()).await;
        }
    }

    /// Passes on what is told until the connection is lost.
    async fn pass_on(&self, mut listener: PgListener) {
        loop {
            match timeout(QUIET, listener.try_recv()).await {
                Ok(Ok(Some(_))) => {
                    while listener.next_buffered().is_some() {}
                    self.spread();
                }
                Ok(Ok(None) | Err(_)) => return,
                // A server that is cut off is as quiet as one without news.
                Err(_) => match timeout(PATIENCE, listener.execute("SELECT 1")).await {
                    Ok(Ok(_)) => {}
                    Ok(Err(_)) | Err(_) => return,
                },
            }
        }
    }
}

async fn connect(options: &PgConnectOptions, channel: &str) -> Result<PgListener, sqlx::Error> {
    let pool = PgPoolOptions::new()
        .max_connections(1)
        .test_before_acquire(false)
        .max_lifetime(None)
        .idle_timeout(None)
        .connect_lazy_with(options.clone());
    let mut listener = PgListener::connect_with(&pool).await?;
    listener.eager_reconnect(false);
    listener.listen(channel).await?;
    Ok(listener)
}

const FIRST_WAIT: Duration = Duration::from_millis(50);
const PATIENCE: Duration = Duration::from_secs(5);
/// How long nothing may be heard before the connection is tried.
const QUIET: Duration = Duration::from_secs(10);
