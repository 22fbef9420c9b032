//! How long to wait before trying again.

use std::hash::BuildHasher;
use std::time::Duration;

use foldhash::quality::{FixedState, RandomState};

use crate::clock::UnixTime;

/// Waits that double up to a bound, each at least half of its length and else at random, so that
/// nodes which failed together do not come back together.
#[derive(Debug)]
pub(crate) struct Backoff {
    first: Duration,
    next: Duration,
    tries: u64,
    /// What its waits are drawn from.
    seed: u64,
}

impl Backoff {
    /// Starts at `first`, or the longest wait if that is shorter.
    pub(crate) fn new(first: Duration) -> Self {
        Self::drawn_from(first, RandomState::default().hash_one(0))
    }

    /// The same for work that began at `began`. No two nodes begin at the same microsecond, and
    /// where the clock is held the waits are the same each time.
    pub(crate) fn begun_at(first: Duration, began: UnixTime) -> Self {
        Self::drawn_from(first, began.as_micros())
    }

    fn drawn_from(first: Duration, seed: u64) -> Self {
        let first = first.min(LONGEST);
        Self {
            first,
            next: first,
            tries: 0,
            seed,
        }
    }

    /// The next wait.
    pub(crate) fn next(&mut self) -> Duration {
        let whole = self.next;
        self.next = (whole * 2).min(LONGEST);
        self.tries += 1;
        let share = FixedState::with_seed(self.seed).hash_one(self.tries) >> 32;
        whole / 2 + (whole / 2).mul_f64(share as f64 / f64::from(u32::MAX))
    }

    /// It worked; the next failure starts anew.
    pub(crate) fn reset(&mut self) {
        self.next = self.first;
    }
}

/// Half of the second in which everything is to be well after the store's return.
const LONGEST: Duration = Duration::from_millis(500);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_half_a_second_and_start_anew_after_success() {
        let mut backoff = Backoff::new(Duration::from_millis(100));
        for whole in [100, 200, 400, 500, 500] {
            let wait = backoff.next();
            assert!(wait >= Duration::from_millis(whole / 2), "{wait:?}");
            assert!(wait <= Duration::from_millis(whole), "{wait:?}");
        }
        backoff.reset();
        assert!(backoff.next() <= Duration::from_millis(100));
    }

    #[test]
    fn nodes_that_fail_together_do_not_try_again_together() {
        let mut backoff = Backoff::begun_at(LONGEST, UnixTime::EPOCH);
        let waits: std::collections::BTreeSet<_> = (0..8).map(|_| backoff.next()).collect();
        assert!(waits.len() > 4, "{waits:?}");
    }
}
