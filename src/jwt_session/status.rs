//! How a node fares, for a readiness check or a dashboard.

use crate::revocation::{Breakers, Revocations, StoreStatus, ViewStatus};

/// How this node stands with the log and with the store. Holds no name and no secret.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct NodeStatus {
    /// How it stands with the revocation log.
    pub view: ViewStatus,
    /// How calls to the store fare.
    pub store: StoreStatus,
    /// Whether any route goes on with tokens that were admitted before while the store is away.
    pub lenient: bool,
}

impl NodeStatus {
    pub(super) fn of(revocations: &Revocations, breakers: &Breakers) -> Self {
        Self {
            view: revocations.status(),
            store: breakers.status(),
            lenient: revocations.is_lenient(),
        }
    }
}
