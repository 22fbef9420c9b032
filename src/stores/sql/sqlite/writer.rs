//! The one writer, and its group commit.
//!
//! Writes queue up. The writer begins a transaction for the first, runs it, and then every other
//! that has come meanwhile, each so that it can be undone alone, and commits them all by one wait
//! for the disk. One alone waits for nobody. Nobody is answered before the commit.

use std::sync::Arc;
use std::time::Duration;

use sqlx::sqlite::SqliteConnection;
use tokio::sync::mpsc;

use super::error::{failed, told};
use super::file::File;
use super::job::{Job, Lost, Writing};
use super::news::News;
use super::open::begin;
use super::statements::Tables;
use crate::clock::UnixTime;
use crate::error::{StoreError, StoreErrorKind};
use crate::stores::sql::rows::Rows;
use crate::stores::sql::steps::Steps;

/// Runs the writes of one open file.
pub(super) struct Writer {
    steps: Writing,
    file: File,
    queue: mpsc::Receiver<Box<dyn Job>>,
    news: Arc<News>,
    purged: Option<UnixTime>,
}

impl Writer {
    pub(super) fn new(
        connection: SqliteConnection,
        file: File,
        queue: mpsc::Receiver<Box<dyn Job>>,
        news: Arc<News>,
    ) -> Self {
        let steps = Steps {
            rows: Tables::new(Box::new(connection)),
            now: UnixTime::EPOCH,
        };
        Self {
            steps,
            file,
            queue,
            news,
            purged: None,
        }
    }

    /// Writes until nobody can ask any more, or the file is not the one that was opened.
    pub(super) async fn run(mut self) {
        while let Some(first) = self.queue.recv().await {
            if self.file.was_replaced() {
                let lost = Lost::from(told(
                    StoreErrorKind::Unavailable,
                    "the file was replaced; what stands in its place is opened next",
                ));
                tracing::error!(path = %self.file.path().display(), "the file of the sessions was replaced");
                first.answer(Err(&lost));
                return;
            }
            let mut jobs = Vec::new();
            let kept = self.transaction(first, &mut jobs).await;
            if let Err(lost) = &kept {
                // There may be none left to roll back.
                let _ = self.execute("ROLLBACK").await;
                self.steps.rows.lost();
                tracing::warn!(error = %lost.error(), writes = jobs.len(), "a transaction was lost");
            }
            let grew = std::mem::take(&mut self.steps.rows.log_grew);
            for job in jobs {
                job.answer(kept.as_ref().map(drop));
            }
            if grew {
                self.news.spread();
            }
        }
    }

    /// Runs a transaction of `first` and all that come while it is open.
    async fn transaction(
        &mut self,
        first: Box<dyn Job>,
        jobs: &mut Vec<Box<dyn Job>>,
    ) -> Result<(), Lost> {
        let now = first.now();
        jobs.push(first);
        begin(&mut self.steps.rows.connection)
            .await
            .map_err(failed)?;
        self.purge(now).await?;
        let mut current = 0;
        while let Some(job) = jobs.get_mut(current) {
            if !job.is_abandoned() {
                run(job.as_mut(), &mut self.steps).await?;
            }
            current += 1;
            if current < MAX_GROUP
                && let Ok(next) = self.queue.try_recv()
            {
                jobs.push(next);
            }
        }
        self.execute("COMMIT").await?;
        Ok(())
    }

    async fn purge(&mut self, now: UnixTime) -> Result<(), StoreError> {
        let lately = |purged| purged <= now && now < purged + PURGE_INTERVAL;
        if !self.purged.is_some_and(lately) {
            self.steps.rows.purge(now).await?;
            self.purged = Some(now);
        }
        Ok(())
    }

    async fn execute(&mut self, statement: &'static str) -> Result<(), StoreError> {
        let done = self.steps.rows.execute(sqlx::query(statement)).await;
        done.map(drop)
    }
}

/// Runs one write, so that nothing of it remains when it fails.
async fn run(job: &mut dyn Job, steps: &mut Writing) -> Result<(), StoreError> {
    let grew = steps.rows.log_grew;
    if job.run(steps).await {
        return steps.rows.keep().await;
    }
    // Fails where SQLite has rolled back everything: then nothing of the others is left either.
    steps.rows.undo().await?;
    steps.rows.log_grew = grew;
    Ok(())
}

/// Bounds how long the first of a group waits for the last.
const MAX_GROUP: usize = 256;
/// How often what is over is taken out of the log; until then it is left out of every answer.
const PURGE_INTERVAL: Duration = Duration::from_secs(1);
