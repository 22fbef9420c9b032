//! Writes that put somebody out.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::oneshot;

use super::Revocations;
use super::backoff::Backoff;
use super::entry::RevocationEntry;
use super::store::Committed;
use crate::BoxFuture;
use crate::error::{StoreError, StoreErrorKind};

impl Revocations {
    /// Runs a write that puts somebody out, so that it holds here when it returns.
    ///
    /// `tentative` entries hold here from now on. `write` runs in a task that survives the caller,
    /// and again, by the same names, until its outcome is known; what it committed is put into the
    /// view, and the epoch is raised, before this returns. `then` hears of the outcome once, also
    /// when the caller is gone or was told that it is not known in time.
    ///
    /// # Errors
    ///
    /// The store's own, when it cannot be helped by trying again; the tentative entries are taken
    /// back. [`Timeout`](StoreErrorKind::Timeout), when the outcome is not known in time: the
    /// write goes on, and the entries hold until it is.
    pub(crate) async fn commit<T, W>(
        self: &Arc<Self>,
        tentative: Vec<RevocationEntry>,
        write: W,
        committed: fn(&T) -> Option<&Committed>,
        then: impl FnOnce(&T) + Send + 'static,
    ) -> Result<T, StoreError>
    where
        T: Send + 'static,
        W: Fn() -> BoxFuture<'static, Result<T, StoreError>> + Send + Sync + 'static,
    {
        for entry in &tentative {
            self.hold(entry.clone());
        }
        let (sender, receiver) = oneshot::channel();
        let this = Arc::clone(self);
        tokio::spawn(async move {
            let outcome = this.write(&write).await;
            if let Some(committed) = outcome.as_ref().ok().and_then(committed) {
                this.committed(committed);
            }
            // After what was committed is in: in between the view must not be without either.
            for entry in &tentative {
                this.local.view().release(entry);
            }
            if let Ok(outcome) = &outcome {
                then(outcome);
            }
            // The caller may be gone.
            let _ = sender.send(outcome);
        });
        match tokio::time::timeout(self.settings.store_timeout.saturating_mul(2), receiver).await {
            Ok(Ok(outcome)) => outcome,
            // Not answered in time, or the store's own code panicked.
            Err(_) | Ok(Err(_)) => Err(self.timed_out()),
        }
    }

    /// Tries until the outcome is known.
    async fn write<T>(
        &self,
        write: &(impl Fn() -> BoxFuture<'static, Result<T, StoreError>> + Send + Sync),
    ) -> Result<T, StoreError> {
        let mut backoff = Backoff::new(FIRST_RETRY);
        loop {
            match self.within(self.settings.store_timeout, write()).await {
                Err(error) if error.is_unavailable() => {
                    tracing::debug!(%error, "a write is tried again");
                    tokio::time::sleep(backoff.next()).await;
                }
                known => return known,
            }
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

    pub(super) fn timed_out(&self) -> StoreError {
        StoreError::new(StoreErrorKind::Timeout, self.store.backend())
    }
}

const FIRST_RETRY: Duration = Duration::from_millis(20);
