//! Ending what is over and forgetting what is old.

use std::time::Duration;

use super::state::{IDLE_SUSPENDED, State};
use crate::clock::UnixTime;
use crate::session::Swept;

impl State {
    pub(super) fn sweep(&mut self, retention: Duration, batch: usize, now: UnixTime) -> Swept {
        self.log.purge(now);
        let over: Vec<_> = self
            .records
            .take_due(now, batch)
            .into_iter()
            .filter_map(|record| Some((record.id, record.expired(now, IDLE_SUSPENDED)?)))
            .collect();
        let (ended, lines) = self.end_over(over, now);
        let committed = self.commit_any(lines, now);
        let old: Vec<_> = self
            .records
            .ended_before(now - retention)
            .take(batch)
            .collect();
        let forgotten = old.len() as u64;
        for id in old {
            self.records.forget(id);
        }
        let more = self.records.any_listed(now)
            || self.records.ended_before(now - retention).next().is_some();
        Swept {
            ended,
            committed,
            forgotten,
            more,
        }
    }
}
