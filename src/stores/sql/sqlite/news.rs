//! How a node hears that the log has grown, by its own process or by another.

use std::sync::Arc;
use std::time::Duration;

use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{ConnectOptions, query_scalar};
use tokio::sync::Notify;
use tokio::time::MissedTickBehavior;

use super::statements::Tables;
use crate::error::StoreError;

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

    /// Looks into the file for what other processes have written, for ever.
    ///
    /// The file says cheaply whether anybody wrote at all. Only a log that has grown is news:
    /// every poll writes its lease, so that else two nodes would keep each other polling.
    pub(super) async fn watch(self: Arc<Self>, options: SqliteConnectOptions) {
        let mut every = tokio::time::interval(WATCH_INTERVAL);
        every.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut watched: Option<Watched> = None;
        loop {
            every.tick().await;
            let looked = match &mut watched {
                Some(watched) => watched.look().await,
                None => match Watched::new(&options).await {
                    Ok(new) => {
                        watched = Some(new);
                        Ok(true)
                    }
                    Err(error) => Err(error),
                },
            };
            match looked {
                Ok(true) => self.spread(),
                Ok(false) => {}
                // The follower polls by itself meanwhile, and tells what is wrong.
                Err(_) => watched = None,
            }
        }
    }
}

struct Watched {
    tables: Tables<Box<SqliteConnection>>,
    version: i64,
    end: u64,
}

impl Watched {
    async fn new(options: &SqliteConnectOptions) -> Result<Self, StoreError> {
        let connection = options.connect().await.map_err(super::error::failed)?;
        let mut watched = Self {
            tables: Tables::new(Box::new(connection)),
            version: -1,
            end: 0,
        };
        watched.look().await?;
        Ok(watched)
    }

    /// Whether the log has grown since the last look.
    async fn look(&mut self) -> Result<bool, StoreError> {
        let version = query_scalar("PRAGMA data_version")
            .fetch_one(&mut *self.tables.connection)
            .await
            .map_err(super::error::failed)?;
        if version == self.version {
            return Ok(false);
        }
        self.version = version;
        let end = self.tables.log_end().await?;
        let grew = end > self.end;
        self.end = end;
        Ok(grew)
    }
}

const WATCH_INTERVAL: Duration = Duration::from_millis(20);
