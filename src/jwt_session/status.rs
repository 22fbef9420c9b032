//! How a node fares, for a readiness check or a dashboard.

use crate::audit::Backlog;
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
    /// How many entries of the audit log wait to be written.
    pub audit_waiting: usize,
    /// How many had no room while it could not be written, and are lost.
    pub audit_lost: u64,
}

impl NodeStatus {
    pub(super) fn of(revocations: &Revocations, breakers: &Breakers, audit: &Backlog) -> Self {
        let (audit_waiting, audit_lost) = audit.counts();
        Self {
            view: revocations.status(),
            store: breakers.status(),
            lenient: revocations.is_lenient(),
            audit_waiting,
            audit_lost,
        }
    }
}
