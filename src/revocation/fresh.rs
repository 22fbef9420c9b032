//! How long the view may answer.

use std::time::Duration;

use crate::clock::{Instants, UnixTime};
use crate::sync::{AtomicU64, Ordering};

/// Until when the view may answer, on two clocks that must both say yes.
///
/// The wall clock may be set back and the monotonic one stands still while the machine sleeps;
/// no single cheap clock does neither.
#[derive(Debug)]
pub(crate) struct Freshness {
    wall: AtomicU64,
    monotonic: AtomicU64,
}

impl Freshness {
    /// A view that was never complete.
    pub(crate) fn never() -> Self {
        Self {
            wall: AtomicU64::new(0),
            monotonic: AtomicU64::new(0),
        }
    }

    /// Lets the view answer until `bound` after the *start* of a complete poll.
    ///
    /// Call it when everything that the poll read is in the view and the epochs are raised.
    pub(crate) fn extend(&self, started: Instants, bound: Duration) {
        let wall = started.wall + bound;
        let monotonic = started.monotonic.saturating_add(bound);
        self.wall.store(wall.as_micros(), Ordering::Relaxed);
        self.monotonic.store(micros(monotonic), Ordering::Release);
    }

    /// Whether the view may answer at `now`.
    ///
    /// Ask before the epoch is read: an answer that rests on a poll must see its entries.
    pub(crate) fn holds(&self, now: Instants) -> bool {
        micros(now.monotonic) < self.monotonic.load(Ordering::Acquire)
            && now.wall.as_micros() < self.wall.load(Ordering::Relaxed)
    }

    /// How long it still holds by both clocks; zero when it does not.
    pub(crate) fn left(&self, now: Instants) -> Duration {
        let monotonic = Duration::from_micros(self.monotonic.load(Ordering::Acquire));
        let wall = UnixTime::from_micros(self.wall.load(Ordering::Relaxed));
        monotonic
            .saturating_sub(now.monotonic)
            .min(wall.since(now.wall))
    }
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}
