//! Tidying up, where nothing runs that does.

use super::Sessions;
use super::error::SessionError;
use crate::error::StoreError;
use crate::session::core::Core;
use crate::session::store::Swept;
use crate::verify::CustomClaims;

/// What a [`clean_up`](Sessions::clean_up) did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct CleanedUp {
    /// How many sessions were over and ended.
    pub ended: u64,
    /// How many were forgotten that had ended long ago.
    pub forgotten: u64,
    /// Whether there is more to do, which may be also where this ended and forgot nothing: it looked at some that went on.
    pub more: bool,
}

impl<C: CustomClaims> Sessions<C> {
    /// Ends some sessions that are over, and forgets some that ended longer ago than the
    /// retention. A [`JwtSession`](crate::JwtSession) that runs does so by itself, every minute.
    ///
    /// # Errors
    ///
    /// [`SessionError::Store`].
    pub async fn clean_up(&self) -> Result<CleanedUp, SessionError> {
        let swept = self.core.swept().await?;
        Ok(CleanedUp {
            ended: swept.ended.len() as u64,
            forgotten: swept.forgotten,
            more: swept.more,
        })
    }
}

impl<C> Core<C> {
    /// Ends a batch of what is over and forgets a batch of what is old, and tells of it.
    pub(crate) async fn swept(&self) -> Result<Swept, StoreError> {
        let swept = self.store.sweep(self.retention, SWEEP_BATCH);
        let swept = self.at_last(swept).await?;
        if let Some(committed) = &swept.committed {
            self.revocations.committed(committed);
        }
        self.observe_ends(&swept.ended);
        Ok(swept)
    }
}

const SWEEP_BATCH: usize = 500;
