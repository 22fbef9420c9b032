//! Nodes that join the fleet and follow the log.

use std::time::Duration;

use super::rows::Rows;
use super::steps::Steps;
use crate::error::{StoreError, StoreErrorKind};
use crate::revocation::{Attached, Cursor, FleetLimits, Glance, Lease, NodeId, Poll, PollRequest};

impl<R: Rows> Steps<R> {
    pub(super) async fn attach(&mut self, limits: FleetLimits) -> Result<Attached, StoreError> {
        let fleet = self.rows.fleet().await?;
        let limits_of_fleet = match fleet.limits {
            Some(known) => known,
            None => {
                self.rows.set_limits(limits).await?;
                limits
            }
        };
        let exceeded = limits.access_lifetime > limits_of_fleet.access_lifetime
            || limits.leeway > limits_of_fleet.leeway
            || limits.skew > limits_of_fleet.skew;
        if exceeded {
            return Err(StoreError::new(StoreErrorKind::Configuration, R::BACKEND)
                .with_source("this node's tokens outlive what the fleet remembers"));
        }
        Ok(Attached {
            deployment: fleet.deployment,
            limits: limits_of_fleet,
        })
    }

    /// Writes down how far a node has read, as `applied` and the history that it follows say.
    pub(super) async fn lease(
        &mut self,
        node: NodeId,
        history: Option<u128>,
        applied: Cursor,
        lifetime: Duration,
    ) -> Result<(), StoreError> {
        let fleet = self.rows.fleet().await?;
        let idleness = fleet.idleness.polled(self.now, lifetime);
        let highest = fleet.highest.polled(self.now);
        if idleness.is_some() || highest.is_some() {
            let idleness = idleness.unwrap_or(fleet.idleness);
            let highest = highest.unwrap_or(fleet.highest);
            self.rows.set_clocks(idleness, highest).await?;
        }
        let lease = Lease {
            node,
            history: history.unwrap_or(fleet.history),
            applied,
            until: self.now + lifetime,
        };
        self.rows.put_lease(&lease).await
    }

    /// Reads the log, in a snapshot that was taken after the [lease](Self::lease) was written.
    pub(super) async fn poll(&mut self, request: &PollRequest<'_>) -> Result<Poll, StoreError> {
        let history = self.rows.fleet().await?.history;
        let same_history = request.history.is_none_or(|known| known == history);
        let since = request.since.filter(|_| same_history);
        let (lines, cursor) = self.rows.log_since(since, self.now, request.pieces).await?;
        let mut missing = Vec::new();
        for probe in request.probes {
            if self.rows.log_get(*probe, self.now).await?.is_none() {
                missing.push(*probe);
            }
        }
        Ok(Poll {
            history,
            entries: lines.into_iter().map(|line| line.entry).collect(),
            cursor,
            missing,
            now: self.now,
        })
    }

    /// Reads what a cursor of this history has not seen.
    pub(super) async fn glance(
        &mut self,
        since: &Cursor,
        history: u128,
    ) -> Result<Glance, StoreError> {
        if self.rows.fleet().await?.history != history {
            return Ok(Glance::default());
        }
        let (lines, cursor) = self.rows.log_since(Some(since), self.now, None).await?;
        Ok(Glance {
            entries: lines.into_iter().map(|line| line.entry).collect(),
            // A log that ends before has lost something, which is for the poll to find.
            cursor: (since.0 <= cursor.0).then_some(cursor),
        })
    }

    pub(super) async fn leases(&mut self) -> Result<Vec<Lease>, StoreError> {
        self.rows.leases(self.now).await
    }
}
