//! Waiting until a write holds on every node.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use super::Revocations;
use super::store::{Committed, Lease, NodeId};
use crate::error::StoreError;

impl Revocations {
    /// Waits until every live node has applied a committed write, or cannot answer any more.
    ///
    /// It is bounded: a node that does not poll stops answering when its lease, as it stood at
    /// the commit, has run out. It does not survive a failover that loses the entry before any
    /// node wrote it back. A failover may lose leases, too: when this node has seen the history
    /// change, it also waits for as long as anybody may answer from the one before.
    ///
    /// # Errors
    ///
    /// The store's own, when trying again cannot help.
    pub(crate) async fn everywhere(
        self: Arc<Self>,
        committed: Committed,
    ) -> Result<(), StoreError> {
        let nobody_left = Instant::now() + self.left_of_the_history_before(&committed);
        self.read_by_all(committed).await?;
        sleep_until(nobody_left).await;
        Ok(())
    }

    /// Waits for the nodes whose leases are known.
    async fn read_by_all(&self, committed: Committed) -> Result<(), StoreError> {
        let called = Instant::now();
        let mut histories: HashSet<u128> = committed.leases.iter().map(|l| l.history).collect();
        histories.insert(committed.history);
        let followed = self.progress().history();
        if followed.is_some_and(|history| !histories.contains(&history)) {
            tokio::time::sleep(self.longest_answering(&committed)).await;
            return Ok(());
        }
        let mut behind: Vec<&Lease> = committed
            .leases
            .iter()
            .filter(|lease| lease.node != self.node && !self.has_applied(lease, &committed))
            .collect();
        let (mut pause, mut looks) = (FIRST_PAUSE, 0);
        loop {
            // What was left of a lease at the commit is left at most now.
            behind.retain(|lease| called + lease.until.since(committed.now) > Instant::now());
            let Some(last) = behind.iter().map(|lease| lease.until).max() else {
                return Ok(());
            };
            let until = called + last.since(committed.now);
            match self.applied(&committed, &histories).await {
                Ok(Some(applied)) => behind.retain(|lease| !applied.contains(&lease.node)),
                Ok(None) => {
                    tokio::time::sleep(self.longest_answering(&committed)).await;
                    return Ok(());
                }
                Err(error) if error.is_unavailable() => {}
                Err(error) => return Err(error),
            }
            if !behind.is_empty() {
                sleep_until(until.min(Instant::now() + pause)).await;
                looks += 1;
                if looks >= QUICK_LOOKS {
                    pause = (pause + pause / 2).min(LONGEST_PAUSE);
                }
            }
        }
    }

    /// How long a node of which no lease is left may go on answering from what it read before the
    /// history changed.
    fn left_of_the_history_before(&self, committed: &Committed) -> Duration {
        let Some(changed) = self.progress().changed() else {
            return Duration::ZERO;
        };
        let since = self.clock.instants().monotonic;
        let since = since.saturating_sub(changed.monotonic);
        self.longest_answering(committed).saturating_sub(since)
    }

    /// How long any node may go on answering from what it read before the history changed: this
    /// one's bound, or that of a node with a longer one, as its lease shows.
    fn longest_answering(&self, committed: &Committed) -> Duration {
        let leases = committed.leases.iter();
        let left = leases.map(|lease| lease.until.since(committed.now)).max();
        self.settings.max_staleness.max(left.unwrap_or_default())
    }

    /// The nodes that have applied a write; `None` when the log has another history than any
    /// that was known at the commit, so that nobody's cursor tells anything.
    async fn applied(
        &self,
        committed: &Committed,
        histories: &HashSet<u128>,
    ) -> Result<Option<HashSet<NodeId>>, StoreError> {
        let read = self.store.leases();
        let leases = self.within(self.settings.store_timeout, read).await?;
        let changed = leases
            .iter()
            .any(|lease| !histories.contains(&lease.history));
        let applied = leases
            .iter()
            .filter(|lease| self.has_applied(lease, committed));
        Ok((!changed).then(|| applied.map(|lease| lease.node).collect()))
    }

    fn has_applied(&self, lease: &Lease, committed: &Committed) -> bool {
        let has_read = |position| self.store.has_read(&lease.applied, position);
        lease.history == committed.history && committed.positions.iter().copied().all(has_read)
    }
}

/// Pushed entries are applied within milliseconds, so that is how often it is looked at first.
const FIRST_PAUSE: Duration = Duration::from_millis(2);
/// How often it is: where everybody is well, that is enough, and nobody waits a long pause for it.
const QUICK_LOOKS: u32 = 10;
const LONGEST_PAUSE: Duration = Duration::from_millis(250);
