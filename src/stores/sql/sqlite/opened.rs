//! A file while it is open: its writer, and its readers beside it.

use std::path::Path;
use std::sync::Arc;

use sqlx::pool::PoolConnection;
use sqlx::sqlite::{SqlitePool, SqlitePoolOptions};
use sqlx::{Sqlite, Transaction};
use tokio::sync::{mpsc, oneshot};
use tokio::task::AbortHandle;

use super::error::{failed, told};
use super::file::File;
use super::job::{Asked, Job, Writing};
use super::news::News;
use super::open::{open, options};
use super::writer::Writer;
use crate::BoxFuture;
use crate::clock::Clock;
use crate::error::{StoreError, StoreErrorKind};
use crate::stores::sql::layout::Layout;

/// An open file.
#[derive(Debug)]
pub(super) struct Opened {
    queue: mpsc::Sender<Box<dyn Job>>,
    readers: SqlitePool,
    watch: AbortHandle,
}

impl Opened {
    pub(super) async fn new(
        path: &Path,
        layout: Layout,
        news: Arc<News>,
    ) -> Result<Self, StoreError> {
        let file = File::ensure(path)?;
        let connection = open(&file, layout).await?;
        let options = options(&file).pragma("query_only", "ON");
        let readers = SqlitePoolOptions::new()
            .max_connections(READERS)
            .test_before_acquire(false)
            .connect_lazy_with(options.clone());
        let (queue, jobs) = mpsc::channel(QUEUE);
        // Ends by itself when nobody can ask any more, with all that was asked written.
        tokio::spawn(Writer::new(connection, file, jobs, news.clone()).run());
        let watch = tokio::spawn(news.watch(options)).abort_handle();
        Ok(Self {
            queue,
            readers,
            watch,
        })
    }

    /// Whether its writer has gone: the file was replaced, or the runtime that it ran on is over.
    pub(super) fn is_over(&self) -> bool {
        self.queue.is_closed()
    }

    /// Has the writer run a write, and waits for its commit.
    pub(super) async fn write<T, F>(&self, step: F, clock: Arc<dyn Clock>) -> Result<T, StoreError>
    where
        F: for<'a> FnOnce(&'a mut Writing) -> BoxFuture<'a, Result<T, StoreError>> + Send + 'static,
        T: Send + 'static,
    {
        let gone = || told(StoreErrorKind::Unavailable, "the writer has stopped");
        let (answer, answered) = oneshot::channel();
        let job = Box::new(Asked::new(step, clock, answer));
        self.queue.send(job).await.map_err(|_| gone())?;
        answered.await.map_err(|_| gone())?
    }

    /// A connection to read by.
    pub(super) async fn reader(&self) -> Result<PoolConnection<Sqlite>, StoreError> {
        self.readers.acquire().await.map_err(failed)
    }

    /// The same, within a transaction that sees one state of everything.
    pub(super) async fn snapshot(&self) -> Result<Transaction<'static, Sqlite>, StoreError> {
        self.readers.begin().await.map_err(failed)
    }
}

impl Drop for Opened {
    fn drop(&mut self) {
        self.watch.abort();
    }
}

const READERS: u32 = 4;
/// How many writes may wait; who comes then waits to be let in.
const QUEUE: usize = 1_024;
