//! The clocks of a story: one hidden true time, and what nodes and the store believe of it.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use tokio::time::Instant;
use tower_jwt_session::{Clock, Instants, UnixTime};

/// Milliseconds of true time since the story began.
pub type Millis = u64;

/// True time zero, in microseconds of the wall clock.
const START: u64 = 1_767_225_600_000_000;

/// The clocks of one process. They go with its runtime, whose time the scheduler holds.
#[derive(Debug)]
pub struct NodeClock {
    /// The runtime's time zero.
    pub began: Instant,
    /// True time at the runtime's zero, and what it was suspended for since.
    pub base: AtomicU64,
    /// How far the wall clock is from true time, in microseconds.
    pub offset: Arc<AtomicI64>,
}

impl NodeClock {
    pub fn new(began: Instant, base: Millis, offset: Arc<AtomicI64>) -> Self {
        Self {
            began,
            base: AtomicU64::new(base),
            offset,
        }
    }

    /// True time, as the process lives through it.
    pub fn true_time(&self) -> Millis {
        let elapsed = self.began.elapsed().as_millis() as u64;
        self.base.load(Ordering::Relaxed) + elapsed
    }
}

impl Clock for NodeClock {
    fn now(&self) -> UnixTime {
        shown(self.true_time(), self.offset.load(Ordering::Relaxed))
    }

    fn instants(&self) -> Instants {
        Instants {
            wall: self.now(),
            monotonic: Duration::from_secs(86_400) + self.began.elapsed(),
        }
    }
}

/// The store's clock: set by whoever runs the store.
#[derive(Clone, Debug, Default)]
pub struct StoreClock {
    micros: Arc<AtomicU64>,
}

impl StoreClock {
    pub fn set(&self, now: Millis, offset: i64) -> UnixTime {
        let shown = shown(now, offset);
        self.put(shown);
        shown
    }

    pub fn put(&self, now: UnixTime) {
        self.micros.store(now.as_micros(), Ordering::Relaxed);
    }
}

impl Clock for StoreClock {
    fn now(&self) -> UnixTime {
        UnixTime::from_micros(self.micros.load(Ordering::Relaxed))
    }

    fn instants(&self) -> Instants {
        Instants {
            wall: self.now(),
            monotonic: Duration::from_secs(86_400),
        }
    }
}

fn shown(now: Millis, offset: i64) -> UnixTime {
    UnixTime::from_micros((START + now * 1000).saturating_add_signed(offset))
}
