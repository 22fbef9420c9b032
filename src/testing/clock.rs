//! A clock that stands still until it is told to move.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::clock::{Clock, Instants, UnixTime};

/// A clock that stands still until it is told to move. Cloning shares it.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use tower_jwt_session::Clock;
/// use tower_jwt_session::testing::ManualClock;
///
/// let clock = ManualClock::new();
/// let before = clock.now();
/// clock.advance(Duration::from_secs(60));
/// assert_eq!(clock.now().since(before), Duration::from_secs(60));
/// ```
#[derive(Clone, Debug)]
pub struct ManualClock {
    instants: Arc<Mutex<Instants>>,
}

impl ManualClock {
    /// Where [`new`](Self::new) starts: 2026-01-01T00:00:00Z.
    pub const START: UnixTime = UnixTime::from_secs(1_767_225_600);

    /// A clock that shows [`START`](Self::START), and a day on the monotonic clock.
    #[must_use]
    pub fn new() -> Self {
        Self::starting_at(Self::START)
    }

    /// A clock that shows another instant.
    #[must_use]
    pub fn starting_at(wall: UnixTime) -> Self {
        Self {
            instants: Arc::new(Mutex::new(Instants {
                wall,
                monotonic: Duration::from_secs(86_400),
            })),
        }
    }

    /// Lets time pass, on both clocks.
    pub fn advance(&self, by: Duration) {
        self.change(|instants| {
            instants.wall = instants.wall + by;
            instants.monotonic = instants.monotonic.saturating_add(by);
        });
    }

    /// Lets time pass on the monotonic clock alone, as when the wall clock is being held back.
    pub fn advance_monotonic_only(&self, by: Duration) {
        self.change(|instants| instants.monotonic = instants.monotonic.saturating_add(by));
    }

    /// Sets the wall clock forward, as a correction does, or a machine that slept.
    pub fn step_wall(&self, by: Duration) {
        self.change(|instants| instants.wall = instants.wall + by);
    }

    /// Sets the wall clock back, as a correction does.
    pub fn step_wall_back(&self, by: Duration) {
        self.change(|instants| instants.wall = instants.wall - by);
    }

    /// Sets the wall clock.
    pub fn set_wall(&self, wall: UnixTime) {
        self.change(|instants| instants.wall = wall);
    }

    fn change(&self, change: impl FnOnce(&mut Instants)) {
        change(&mut self.instants.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

impl Default for ManualClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for ManualClock {
    fn now(&self) -> UnixTime {
        self.instants().wall
    }

    fn instants(&self) -> Instants {
        *self.instants.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    #[test]
    fn a_clone_shows_the_same_time() {
        let clock = ManualClock::new();
        let other = clock.clone();
        clock.advance(MINUTE);
        assert_eq!(other.now(), ManualClock::START + MINUTE);
        assert_eq!(other.instants(), clock.instants());
    }

    #[test]
    fn a_step_of_the_wall_clock_leaves_the_monotonic_one_alone() {
        let clock = ManualClock::new();
        let before = clock.instants();
        clock.step_wall(MINUTE);
        clock.step_wall_back(2 * MINUTE);
        let after = clock.instants();
        assert_eq!(after.wall, before.wall - MINUTE);
        assert_eq!(after.monotonic, before.monotonic);
        clock.advance_monotonic_only(MINUTE);
        assert_eq!(clock.instants().wall, after.wall);
        assert_eq!(clock.instants().monotonic, after.monotonic + MINUTE);
    }
}
