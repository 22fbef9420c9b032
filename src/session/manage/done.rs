//! A write that holds.

use std::fmt;
use std::sync::Arc;

use super::error::SessionError;
use crate::revocation::{Committed, Revocations};

/// A write that holds on this node: no request that starts from now on is admitted here.
///
/// Connected nodes follow within milliseconds; [`everywhere`](Self::everywhere) waits for them.
pub struct Done {
    count: usize,
    committed: Option<Committed>,
    revocations: Arc<Revocations>,
}

impl Done {
    pub(crate) fn new(
        count: usize,
        committed: Option<Committed>,
        revocations: Arc<Revocations>,
    ) -> Self {
        Self {
            count,
            committed,
            revocations,
        }
    }

    /// How many sessions this call ended.
    #[must_use]
    pub fn count(&self) -> usize {
        self.count
    }

    /// Waits until it holds on every node: each has applied it, or cannot answer any more.
    ///
    /// Bounded by the nodes' leases, so by little more than the staleness bound when one is stopped, or
    /// when the store has failed over.
    /// Does not survive a failover of the store that loses the write before any node knew it.
    ///
    /// # Errors
    ///
    /// [`SessionError::Store`] when the leases cannot be read. The write itself stands.
    pub async fn everywhere(self) -> Result<(), SessionError> {
        match self.committed {
            Some(committed) => Ok(self.revocations.everywhere(committed).await?),
            None => Ok(()),
        }
    }
}

impl fmt::Debug for Done {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Done")
            .field("count", &self.count)
            .finish_non_exhaustive()
    }
}
