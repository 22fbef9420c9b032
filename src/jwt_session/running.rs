//! The work in the background.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::task::JoinHandle;
use tokio::time::MissedTickBehavior;

use crate::error::{StoreError, StoreErrorKind};
use crate::session::core::Core;
use crate::verify::CustomClaims;

/// The work in the background: following the log, flushing uses, sweeping up.
///
/// Keep it while requests are served, and call [`shutdown`](Self::shutdown) after the last: it
/// flushes. Dropping it stops the work without flushing.
#[must_use = "dropping it stops the work in the background"]
#[derive(Debug)]
pub struct Running {
    follow: JoinHandle<()>,
    keep: JoinHandle<()>,
    stop: tokio::sync::watch::Sender<bool>,
}

impl Running {
    pub(super) async fn start<C: CustomClaims>(core: Arc<Core<C>>) -> Result<Self, StoreError> {
        if core.started.swap(true, Ordering::AcqRel) {
            return Err(
                StoreError::new(StoreErrorKind::Configuration, core.store.backend())
                    .with_source("this JwtSession was started before"),
            );
        }
        if let Err(error) = core.revocations.load().await {
            core.started.store(false, Ordering::Release);
            return Err(error);
        }
        let (stop, mut stopped) = tokio::sync::watch::channel(false);
        let follow = tokio::spawn(core.revocations.clone().follow());
        let keep = tokio::spawn(async move {
            let mut flush = tokio::time::interval(FLUSH_INTERVAL);
            let mut sweep = tokio::time::interval(SWEEP_INTERVAL);
            flush.set_missed_tick_behavior(MissedTickBehavior::Delay);
            sweep.set_missed_tick_behavior(MissedTickBehavior::Delay);
            loop {
                tokio::select! {
                    _ = flush.tick() => core.flush().await,
                    _ = sweep.tick() => core.sweep().await,
                    _ = stopped.changed() => break core.flush().await,
                }
            }
        });
        Ok(Self { follow, keep, stop })
    }

    /// Flushes what is in memory and stops the work in the background.
    pub async fn shutdown(mut self) {
        // Fails only when the task has ended already.
        let _ = self.stop.send(true);
        let _ = (&mut self.keep).await;
        self.follow.abort();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.follow.abort();
        self.keep.abort();
    }
}

impl<C: CustomClaims> Core<C> {
    /// Writes the uses down that were noted since the last time.
    pub(crate) async fn flush(&self) {
        let uses = self.activity.take();
        for batch in uses.chunks(FLUSH_BATCH) {
            if let Err(error) = self.within(self.store.touch(batch)).await {
                tracing::warn!(%error, uses = batch.len(), "uses of sessions not written down yet");
                self.activity.put_back(batch.to_vec());
            }
        }
    }

    /// Ends what is over and forgets what is old, a batch at a time.
    pub(crate) async fn sweep(&self) {
        loop {
            let swept = match self
                .within(self.store.sweep(self.retention, SWEEP_BATCH))
                .await
            {
                Ok(swept) => swept,
                Err(error) => {
                    tracing::warn!(%error, "sessions not swept");
                    return;
                }
            };
            if let Some(committed) = &swept.committed {
                self.revocations.committed(committed);
            }
            self.observe_ends(&swept.ended);
            if !swept.more {
                return;
            }
        }
    }
}

/// A quarter of the interval at which uses are noted, so that what people see is at most a minute
/// and a quarter old.
const FLUSH_INTERVAL: Duration = Duration::from_secs(15);
const FLUSH_BATCH: usize = 1_000;
const SWEEP_INTERVAL: Duration = Duration::from_secs(60);
const SWEEP_BATCH: usize = 500;
