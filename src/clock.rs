//! The one place that reads a clock; everything else is handed a [`UnixTime`] or a [`Clock`].

use std::fmt;
use std::ops::{Add, Sub};
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};

/// An instant of the wall clock: microseconds since 1970-01-01T00:00:00Z.
///
/// Arithmetic saturates, so no token or setting can overflow it.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use tower_jwt_session::UnixTime;
///
/// let noon = UnixTime::from_secs(43_200);
/// assert_eq!((noon + Duration::from_secs(60)).as_secs(), 43_260);
/// assert_eq!(noon.to_string(), "1970-01-01T12:00:00.000Z");
/// ```
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct UnixTime(u64);

impl UnixTime {
    /// The earliest instant, 1970-01-01T00:00:00Z.
    pub const EPOCH: Self = Self(0);
    /// The latest instant that can be written, some 584,000 years later.
    pub const MAX: Self = Self(u64::MAX);

    /// An instant from whole seconds, as in the `NumericDate` of RFC 7519, section 2.
    #[must_use]
    pub const fn from_secs(secs: u64) -> Self {
        Self(secs.saturating_mul(1_000_000))
    }

    /// An instant from microseconds.
    #[must_use]
    pub const fn from_micros(micros: u64) -> Self {
        Self(micros)
    }

    /// Whole seconds since the epoch, rounded down.
    #[must_use]
    pub const fn as_secs(self) -> u64 {
        self.0 / 1_000_000
    }

    /// Microseconds since the epoch.
    #[must_use]
    pub const fn as_micros(self) -> u64 {
        self.0
    }

    /// The same instant without its fraction of a second, as tokens carry it.
    #[must_use]
    pub const fn floor_to_secs(self) -> Self {
        Self(self.0 - self.0 % 1_000_000)
    }

    /// How long after `earlier` this is; zero when it is not.
    #[must_use]
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_micros(self.0.saturating_sub(earlier.0))
    }
}

impl Add<Duration> for UnixTime {
    type Output = Self;

    fn add(self, rhs: Duration) -> Self {
        Self(self.0.saturating_add(micros(rhs)))
    }
}

impl Sub<Duration> for UnixTime {
    type Output = Self;

    fn sub(self, rhs: Duration) -> Self {
        Self(self.0.saturating_sub(micros(rhs)))
    }
}

impl From<SystemTime> for UnixTime {
    /// Instants before 1970 become [`UnixTime::EPOCH`].
    fn from(time: SystemTime) -> Self {
        Self(
            time.duration_since(SystemTime::UNIX_EPOCH)
                .map_or(0, micros),
        )
    }
}

impl fmt::Display for UnixTime {
    /// RFC 3339 with milliseconds; instants after the year 9999 are shown as its end.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = self.0.min(LAST_OF_RFC_3339);
        let time = SystemTime::UNIX_EPOCH + Duration::from_micros(shown);
        humantime::format_rfc3339_millis(time).fmt(f)
    }
}

impl fmt::Debug for UnixTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// What the request path reads: both coarse clocks at once, some ten to fifteen nanoseconds together.
///
/// `wall` may step and `monotonic` stands still while the machine sleeps, so whoever asks
/// "is this still fresh" has to ask both.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Instants {
    /// The coarse wall clock; behind by at most one kernel tick (1 to 10 ms).
    pub wall: UnixTime,
    /// The coarse monotonic clock, counted from an arbitrary start.
    pub monotonic: Duration,
}

/// Where every instant in this crate comes from.
///
/// [`SystemClock`] in production; `testing::ManualClock` where time is held.
pub trait Clock: fmt::Debug + Send + Sync + 'static {
    /// The precise wall clock, for what is written down.
    fn now(&self) -> UnixTime;

    /// The cheap pair that the request path reads.
    fn instants(&self) -> Instants;
}

/// The clocks of the operating system.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> UnixTime {
        UnixTime::from(SystemTime::now())
    }

    #[cfg(target_os = "linux")]
    fn instants(&self) -> Instants {
        use rustix::time::{ClockId, clock_gettime};

        let wall = clock_gettime(ClockId::RealtimeCoarse);
        let monotonic = clock_gettime(ClockId::MonotonicCoarse);
        Instants {
            wall: UnixTime::from_micros(duration(wall.tv_sec, wall.tv_nsec).as_micros() as u64),
            monotonic: duration(monotonic.tv_sec, monotonic.tv_nsec),
        }
    }

    #[cfg(not(target_os = "linux"))]
    fn instants(&self) -> Instants {
        use std::sync::OnceLock;
        use std::time::Instant;

        static START: OnceLock<Instant> = OnceLock::new();
        Instants {
            wall: self.now(),
            monotonic: START.get_or_init(Instant::now).elapsed(),
        }
    }
}

#[cfg(target_os = "linux")]
fn duration(secs: i64, nanos: i64) -> Duration {
    Duration::new(secs.max(0) as u64, nanos.clamp(0, 999_999_999) as u32)
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

/// 9999-12-31T23:59:59.999999Z in microseconds.
const LAST_OF_RFC_3339: u64 = 253_402_300_799_999_999;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arithmetic_saturates_at_both_ends() {
        assert_eq!(UnixTime::MAX + Duration::MAX, UnixTime::MAX);
        assert_eq!(UnixTime::EPOCH - Duration::from_secs(1), UnixTime::EPOCH);
        assert_eq!(UnixTime::from_secs(u64::MAX), UnixTime::MAX);
    }

    #[test]
    fn the_latest_instant_can_be_shown() {
        assert_eq!(UnixTime::MAX.to_string(), "9999-12-31T23:59:59.999Z");
    }

    #[test]
    fn the_coarse_wall_clock_follows_the_precise_one() {
        let clock = SystemClock;
        let before = clock.now();
        let coarse = clock.instants().wall;
        let after = clock.now();
        assert!(coarse + Duration::from_secs(1) > before);
        assert!(after + Duration::from_secs(1) > coarse);
    }
}
