//! [`RateLimit`].

use std::time::Duration;

/// How many attempts there may be in which time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RateLimit {
    max: u32,
    window: Duration,
}

impl RateLimit {
    /// So many attempts in a window; none of either is no limit.
    #[must_use]
    pub const fn new(max: u32, window: Duration) -> Self {
        Self { max, window }
    }

    /// No limit.
    #[must_use]
    pub const fn off() -> Self {
        Self::new(0, Duration::ZERO)
    }

    /// Whether nothing is limited.
    #[must_use]
    pub const fn is_off(&self) -> bool {
        self.max == 0 || self.window.is_zero()
    }

    /// How many attempts.
    #[must_use]
    pub const fn max(&self) -> u32 {
        self.max
    }

    /// In which time.
    #[must_use]
    pub const fn window(&self) -> Duration {
        self.window
    }

    /// For one account from one address.
    pub(super) fn of_one_account(self) -> Self {
        let max = (self.max / 4).max(LEAST_FOR_AN_ACCOUNT).min(self.max);
        Self { max, ..self }
    }
}

impl Default for RateLimit {
    /// 100 in a quarter of an hour.
    fn default() -> Self {
        Self::new(100, Duration::from_secs(900))
    }
}

/// Enough for somebody who does not remember which password it was.
const LEAST_FOR_AN_ACCOUNT: u32 = 5;
