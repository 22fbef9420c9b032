//! Writes that put somebody out.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{oneshot, watch};
use tracing::Instrument;

use super::Revocations;
use super::backoff::Backoff;
use super::breaker::Shed;
use super::entry::RevocationEntry;
use super::store::Committed;
use super::unsettled::{Entered, Heard, MAX_UNSETTLED, WriteKey};
use crate::BoxFuture;
use crate::error::{StoreError, StoreErrorKind};
use crate::tasks;

/// When a write begins, with the entries that hold for it.
enum Turn {
    Now(Vec<RevocationEntry>),
    Later(oneshot::Receiver<Vec<RevocationEntry>>),
}

impl Revocations {
    /// Runs a write that puts somebody out, so that it holds here when it returns.
    ///
    /// `tentative` entries hold here from now on. `write` runs in a task that survives the caller,
    /// and again, by the same names, until its outcome is known; what it committed is put into the
    /// view, and the epoch is raised, before this returns. `then` hears of the outcome once, also
    /// when the caller is gone or was told that it is not known in time.
    ///
    /// While a write of the same `key` is under way, one more waits for its turn and does for all
    /// who ask: `write` and `then` of the others are dropped, and they hear of its outcome.
    ///
    /// # Errors
    ///
    /// The store's own, when it cannot be helped by trying again; the tentative entries are taken
    /// back. [`Timeout`](StoreErrorKind::Timeout), when the outcome is not known in time, and
    /// [`Unavailable`](StoreErrorKind::Unavailable), when the store is known to be away: the
    /// write goes on, and the entries hold until its outcome is known. Who asks for what has failed
    /// already is not kept waiting. Past
    /// [`MAX_UNSETTLED`] such writes a new one is not begun and its entries are not held.
    pub(crate) async fn commit<T, W>(
        self: &Arc<Self>,
        key: WriteKey,
        tentative: Vec<RevocationEntry>,
        write: W,
        committed: fn(&T) -> Option<&Committed>,
        then: impl FnOnce(&T) + Send + 'static,
    ) -> Result<T, StoreError>
    where
        T: Clone + Send + Sync + 'static,
        W: Fn() -> BoxFuture<'static, Result<T, StoreError>> + Send + Sync + 'static,
    {
        // Before it has a place: whoever begins it releases what it holds.
        for entry in &tentative {
            self.hold(entry.clone());
        }
        let failing = self.unsettled.is_failing::<T>(&key);
        let Some((entered, mut outcome)) = self.unsettled.enter(&key, tentative.clone()) else {
            self.release(&tentative);
            let kind = StoreErrorKind::Unavailable;
            return Err(StoreError::new(kind, self.store.backend()).with_source(TooMany));
        };
        let begun = match entered {
            Entered::Begin(tentative, sender) => Some((Turn::Now(tentative), sender)),
            Entered::Wait(turn, sender) => Some((Turn::Later(turn), sender)),
            Entered::Joined(before) => {
                self.release(&before);
                None
            }
        };
        if let Some((turn, sender)) = begun {
            let this = Arc::clone(self);
            let run = async move {
                let tentative = match turn {
                    Turn::Now(tentative) => tentative,
                    Turn::Later(turn) => match turn.await {
                        Ok(tentative) => tentative,
                        Err(_) => return,
                    },
                };
                let run = this.run(key, tentative, write, committed, then, sender);
                run.await;
            };
            tasks::spawn(Box::pin(run.in_current_span()));
        }
        if failing {
            return Err(self.away());
        }
        self.heard(&mut outcome).await
    }

    /// Waits for the outcome of a write, no longer than a request may.
    async fn heard<T: Clone>(
        &self,
        outcome: &mut watch::Receiver<Heard<T>>,
    ) -> Result<T, StoreError> {
        let known = outcome.wait_for(|heard| !matches!(heard, Heard::Nothing));
        let limit = self.settings.store_timeout.saturating_mul(2);
        match tokio::time::timeout(limit, known).await {
            Ok(Ok(heard)) => match &*heard {
                Heard::Done(outcome) => outcome.clone(),
                Heard::Shed | Heard::Nothing => Err(self.away()),
            },
            // Not answered in time, or the store's own code panicked.
            Err(_) | Ok(Err(_)) => Err(self.timed_out()),
        }
    }

    /// Runs a write whose turn it is, and takes in what it did.
    async fn run<T, W>(
        self: Arc<Self>,
        key: WriteKey,
        tentative: Vec<RevocationEntry>,
        write: W,
        committed: fn(&T) -> Option<&Committed>,
        then: impl FnOnce(&T) + Send + 'static,
        outcome: watch::Sender<Heard<T>>,
    ) where
        T: Clone + Send + Sync + 'static,
        W: Fn() -> BoxFuture<'static, Result<T, StoreError>> + Send + Sync + 'static,
    {
        let turn = self.unsettled.turn::<T>(&key);
        let known = self
            .write(&write, |shed| {
                turn.failing();
                if shed {
                    outcome.send_replace(Heard::Shed);
                }
            })
            .await;
        if let Some(committed) = known.as_ref().ok().and_then(committed) {
            self.committed(committed);
        }
        // After what was committed is in: in between the view must not be without either.
        self.release(&tentative);
        if let Ok(known) = &known {
            then(known);
        }
        outcome.send_replace(Heard::Done(known));
    }

    /// Tries until the outcome is known, and tells of each try that failed whether the store was
    /// tried at all.
    async fn write<T>(
        &self,
        write: &(impl Fn() -> BoxFuture<'static, Result<T, StoreError>> + Send + Sync),
        failed: impl Fn(bool) + Send + Sync,
    ) -> Result<T, StoreError> {
        let mut backoff = Backoff::begun_at(FIRST_RETRY, self.clock.now());
        loop {
            match self.within(self.settings.store_timeout, write()).await {
                Err(error) if error.is_unavailable() => {
                    failed(Shed::is(&error));
                    tracing::debug!(%error, "a write is tried again");
                    tokio::time::sleep(backoff.next()).await;
                }
                known => return known,
            }
        }
    }

    /// Holds entries no more whose writes are settled, or that others stand for.
    fn release(&self, entries: &[RevocationEntry]) {
        for entry in entries {
            self.local.view().release(entry);
        }
    }

    /// Takes in what this node wrote, so that it holds here. It is raised also where it was known, because whoever put
    /// it there may not have raised yet.
    pub(crate) fn committed(&self, committed: &Committed) {
        for entry in &committed.entries {
            self.apply(entry.clone());
        }
        self.tidy(committed.now);
        self.progress().wrote(committed);
    }

    fn away(&self) -> StoreError {
        StoreError::new(StoreErrorKind::Unavailable, self.store.backend()).with_source(Shed)
    }

    pub(super) fn timed_out(&self) -> StoreError {
        StoreError::new(StoreErrorKind::Timeout, self.store.backend())
    }
}

/// Why a write was not begun.
#[derive(Debug)]
struct TooMany;

impl fmt::Display for TooMany {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{MAX_UNSETTLED} writes wait for it already")
    }
}

impl std::error::Error for TooMany {}

const FIRST_RETRY: Duration = Duration::from_millis(20);
