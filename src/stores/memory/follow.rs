//! Nodes that join the fleet and follow the log.

use super::BACKEND;
use super::state::State;
use crate::clock::UnixTime;
use crate::error::{StoreError, StoreErrorKind};
use crate::revocation::{Attached, FleetLimits, Lease, Poll, PollRequest};

impl State {
    pub(super) fn attach(&mut self, limits: FleetLimits) -> Result<Attached, StoreError> {
        let fleet = *self.limits.get_or_insert(limits);
        let exceeded = limits.access_lifetime > fleet.access_lifetime
            || limits.leeway > fleet.leeway
            || limits.skew > fleet.skew;
        if exceeded {
            return Err(StoreError::new(StoreErrorKind::Configuration, BACKEND)
                .with_source("this node's tokens outlive what the fleet remembers"));
        }
        Ok(Attached {
            deployment: self.deployment,
            limits: fleet,
        })
    }

    pub(super) fn poll(&mut self, request: &PollRequest<'_>, now: UnixTime) -> Poll {
        self.log.purge(now);
        self.highest = self.highest.polled(now).unwrap_or(self.highest);
        let lease = Lease {
            node: request.node,
            history: request.history.unwrap_or(self.history),
            applied: request.since.cloned().unwrap_or_default(),
            until: now + request.lease,
        };
        self.leases.insert(lease.node, lease);
        let same_history = request.history.is_none_or(|known| known == self.history);
        let since = request.since.filter(|_| same_history);
        Poll {
            history: self.history,
            entries: self.log.after(since).cloned().collect(),
            cursor: self.log.cursor(),
            missing: request
                .probes
                .iter()
                .copied()
                .filter(|probe| !self.log.holds(*probe))
                .collect(),
            now,
        }
    }

    /// The leases that have not run out.
    pub(super) fn leases(&mut self, now: UnixTime) -> Vec<Lease> {
        self.leases.retain(|_, lease| now < lease.until);
        self.leases.values().cloned().collect()
    }
}
