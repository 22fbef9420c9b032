//! A node whose wall clock can be set.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use tower_jwt_session::{Clock, Instants, SystemClock, UnixTime};

/// The clocks of the machine, the wall clock off by so many seconds.
#[derive(Clone, Debug, Default)]
pub struct Stepping(Arc<AtomicI64>);

impl Stepping {
    pub fn step_to(&self, seconds: i64) {
        self.0.store(seconds, Ordering::SeqCst);
    }

    fn off(&self, at: UnixTime) -> UnixTime {
        let seconds = self.0.load(Ordering::SeqCst);
        let by = Duration::from_secs(seconds.unsigned_abs());
        if seconds < 0 { at - by } else { at + by }
    }
}

impl Clock for Stepping {
    fn now(&self) -> UnixTime {
        self.off(SystemClock.now())
    }

    fn instants(&self) -> Instants {
        let instants = SystemClock.instants();
        Instants {
            wall: self.off(instants.wall),
            ..instants
        }
    }
}
