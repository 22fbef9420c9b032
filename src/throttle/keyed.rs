//! Counts by key, in a bounded amount of memory.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use governor::Quota;
use governor::clock::Clock as GovernorClock;
use governor::middleware::StateInformationMiddleware;
use governor::state::keyed::DashMapStateStore;

use super::{Allowance, Exceeded, RateLimit};
use crate::clock::Clock;

/// One limit, counted for each of many keys.
pub(super) struct Keyed {
    counts:
        governor::RateLimiter<u64, DashMapStateStore<u64>, Monotonic, StateInformationMiddleware>,
    clock: Monotonic,
    // When nothing of a key is left to remember, in whole seconds of the clock.
    swept_at: AtomicU64,
    window: Duration,
    max_keys: usize,
}

/// Our clock as the counts read it: the one that does not step.
#[derive(Clone, Debug)]
struct Monotonic(Arc<dyn Clock>);

impl GovernorClock for Monotonic {
    type Instant = Duration;

    fn now(&self) -> Duration {
        self.0.instants().monotonic
    }
}

impl Keyed {
    pub(super) fn new(limit: RateLimit, clock: &Arc<dyn Clock>) -> Option<Self> {
        Self::with_max_keys(limit, clock, MAX_KEYS)
    }

    fn with_max_keys(limit: RateLimit, clock: &Arc<dyn Clock>, max_keys: usize) -> Option<Self> {
        let max = NonZeroU32::new(limit.max()).filter(|_| !limit.is_off())?;
        let each = (limit.window() / max.get()).max(Duration::from_nanos(1));
        let quota = Quota::with_period(each)?.allow_burst(max);
        let clock = Monotonic(clock.clone());
        let counts = governor::RateLimiter::new(quota, DashMapStateStore::default(), clock.clone());
        Some(Self {
            counts,
            swept_at: AtomicU64::new(clock.now().as_secs()),
            clock,
            window: limit.window(),
            max_keys,
        })
    }

    /// Takes one of what a key has.
    pub(super) fn take(&self, key: u64) -> Result<Allowance, Exceeded> {
        let now = self.clock.now();
        self.sweep(now);
        let key = if self.counts.len() < self.max_keys {
            key
        } else {
            self.sweep_when_full(now);
            self.key_or_shared(key)
        };
        match self.counts.check_key(&key) {
            Ok(state) => Ok(allowance(state.quota(), state.remaining_burst_capacity())),
            Err(refused) => Err(Exceeded {
                allowance: allowance(refused.quota(), 0),
                retry_after: refused.wait_time_from(now),
            }),
        }
    }

    /// Where there is no room for one more, a key shares the count of others, which is as long as
    /// any: strangers can make each other wait, and cannot make this node grow.
    fn key_or_shared(&self, key: u64) -> u64 {
        if self.counts.len() < self.max_keys {
            key
        } else {
            key % SHARED
        }
    }

    /// Forgets those of whom nothing is left to remember, now and then.
    fn sweep(&self, now: Duration) {
        let interval = self.window.as_secs().clamp(1, SWEEP_INTERVAL);
        self.sweep_after(now, interval);
    }

    fn sweep_when_full(&self, now: Duration) {
        self.sweep_after(now, 1);
    }

    fn sweep_after(&self, now: Duration, interval: u64) {
        let now = now.as_secs();
        let last = self.swept_at.load(Ordering::Relaxed);
        let due = now >= last.saturating_add(interval);
        let exchange = || {
            self.swept_at
                .compare_exchange(last, now, Ordering::Relaxed, Ordering::Relaxed)
        };
        if due && exchange().is_ok() {
            self.counts.retain_recent();
            self.counts.shrink_to_fit();
        }
    }
}

fn allowance(quota: Quota, remaining: u32) -> Allowance {
    let limit = quota.burst_size().get();
    Allowance {
        limit,
        remaining,
        reset: quota.replenish_interval() * limit.saturating_sub(remaining),
    }
}

pub(super) const IS_BUILT: bool = true;

/// Some megabytes.
const MAX_KEYS: usize = 100_000;
const SHARED: u64 = 4_096;
const SWEEP_INTERVAL: u64 = 60;

#[cfg(test)]
mod tests;
