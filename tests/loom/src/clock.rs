//! As much of the crate's times as the explored files use.

use std::ops::Add;
use std::time::Duration;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct UnixTime(u64);

#[derive(Clone, Copy, Debug)]
pub(crate) struct Instants {
    pub(crate) wall: UnixTime,
    pub(crate) monotonic: Duration,
}

impl UnixTime {
    pub(crate) fn from_micros(micros: u64) -> Self {
        Self(micros)
    }

    pub(crate) fn as_micros(self) -> u64 {
        self.0
    }

    pub(crate) fn since(self, earlier: Self) -> Duration {
        Duration::from_micros(self.0.saturating_sub(earlier.0))
    }
}

impl Add<Duration> for UnixTime {
    type Output = Self;

    fn add(self, rhs: Duration) -> Self {
        Self(self.0 + rhs.as_micros() as u64)
    }
}
