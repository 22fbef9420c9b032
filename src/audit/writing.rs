//! Writing down what waits.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout, timeout_at};

use super::backlog::Backlog;
use crate::clock::Clock;
use crate::error::{StoreError, StoreErrorKind};
use crate::events::{Event, Observer};
use crate::revocation::Backoff;
use crate::session::{AuditEntry, AuditLog, SessionStore};

/// What writes the audit log.
#[derive(Clone, Debug)]
pub(crate) struct Writing {
    pub(crate) backlog: Arc<Backlog>,
    pub(crate) store: Arc<dyn SessionStore>,
    /// Hears of what was lost.
    pub(crate) observer: Arc<dyn Observer>,
    pub(crate) clock: Arc<dyn Clock>,
}

impl Writing {
    /// Writes down whatever comes until it is to stop, and then what still waits.
    pub(crate) async fn run(self, mut stopped: watch::Receiver<bool>) {
        while !*stopped.borrow() {
            tokio::select! {
                () = self.backlog.came() => {}
                _ = stopped.changed() => break,
            }
            // What comes together is written together.
            tokio::select! {
                () = sleep(WRITE_INTERVAL) => {}
                _ = stopped.changed() => break,
            }
            tokio::select! {
                () = self.write_all() => {}
                _ = stopped.changed() => break,
            }
        }
        self.finish().await;
    }

    /// Writes down what still waits, and says how much the store did not take in five seconds.
    pub(crate) async fn finish(&self) -> usize {
        let deadline = Instant::now() + LAST_WRITES;
        if timeout_at(deadline, self.write_all()).await.is_ok() {
            return 0;
        }
        let entries = self.backlog.waiting().entries.len();
        tracing::error!(
            entries,
            "the store does not take the audit log; these are lost"
        );
        entries
    }

    /// Writes until nothing waits, trying again where the store fails.
    async fn write_all(&self) {
        let Some(log) = self.store.audit_log() else {
            return;
        };
        let mut backoff = Backoff::new(FIRST_RETRY);
        let mut failing = false;
        loop {
            let batch = self.next_batch();
            let Some(last) = batch.last() else { break };
            match self.write(log, &batch).await {
                Ok(()) => {
                    self.wrote(last, batch.len());
                    failing = false;
                    backoff.reset();
                }
                Err(error) => {
                    if !failing {
                        tracing::warn!(%error, "the audit log cannot be written; its entries wait");
                    }
                    failing = true;
                    sleep(backoff.next()).await;
                }
            }
        }
    }

    /// The first that wait. What erases a user is one by itself: what stands before it has to be
    /// written before it is removed.
    fn next_batch(&self) -> Vec<AuditEntry> {
        let waiting = self.backlog.waiting();
        let first = waiting.entries.iter().take(BATCH);
        let mut batch: Vec<_> = first.take_while(|entry| !erases(entry)).cloned().collect();
        if batch.is_empty() {
            batch.extend(waiting.entries.front().cloned());
        }
        batch
    }

    async fn write(&self, log: &dyn AuditLog, batch: &[AuditEntry]) -> Result<(), StoreError> {
        let write = async {
            for erased in batch.iter().filter(|entry| erases(entry)) {
                if let Some(user) = &erased.user {
                    log.forget(user).await?;
                }
            }
            log.record(batch).await
        };
        let late = |_| StoreError::new(StoreErrorKind::Timeout, self.store.backend());
        timeout(PATIENCE, write).await.map_err(late)?
    }

    /// Takes out what was written, and tells what had no room meanwhile.
    fn wrote(&self, last: &AuditEntry, count: usize) {
        let lost = {
            let mut waiting = self.backlog.waiting();
            // Nobody else takes any out; yet a batch must not take others along.
            let latest = count.checked_sub(1).and_then(|at| waiting.entries.get(at));
            if latest.is_some_and(|entry| entry.id == last.id) {
                waiting.entries.drain(..count);
            }
            std::mem::take(&mut waiting.lost)
        };
        if lost > 0 {
            tracing::error!(
                entries = lost,
                "entries of the audit log were lost: it could not be written for too long"
            );
            self.observer
                .observe(self.clock.now(), &Event::AuditLost { entries: lost });
        }
    }
}

fn erases(entry: &AuditEntry) -> bool {
    entry.event == ERASED
}

const ERASED: &str = "erased";

/// How long an entry waits for others to be written with.
pub(super) const WRITE_INTERVAL: Duration = Duration::from_millis(100);
const BATCH: usize = 500;
const FIRST_RETRY: Duration = Duration::from_millis(100);
/// How long one write may take: nobody waits for it.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long whoever stops tries to get rid of what waits.
const LAST_WRITES: Duration = Duration::from_secs(5);
