//! How much the store is asked, and what happens when it is away.

use std::time::Duration;

use super::store::FleetLimits;
use crate::error::ConfigError;

/// How much a route asks the store.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Confirm {
    /// Every request asks the store.
    Always,
    /// The first time this node sees a token it asks the store once; from then on the log keeps
    /// it current. The default: a session that the store does not know fails closed.
    #[default]
    FirstSight,
    /// Signature and revocation log only.
    Never,
}

/// What a route does when the store has to be asked and cannot be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnStoreFailure {
    /// Goes on admitting tokens that this node admitted before, until they expire, **including
    /// tokens that were revoked since and that this node could not hear of**. Everything else is
    /// refused with 503.
    AcceptVerifiedUntilExpiry,
    /// Refuses with 503 and `Retry-After`. The default.
    #[default]
    Reject,
}

/// The terms of one route.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Terms {
    /// How much the store is asked.
    pub confirm: Confirm,
    /// What happens when it is away.
    pub on_store_failure: OnStoreFailure,
}

impl Terms {
    /// Terms of so much asking, which refuse while the store is away.
    #[must_use]
    pub const fn new(confirm: Confirm) -> Self {
        Self {
            confirm,
            on_store_failure: OnStoreFailure::Reject,
        }
    }

    /// The same with what happens when the store is away.
    #[must_use]
    pub const fn with_on_store_failure(mut self, on_store_failure: OnStoreFailure) -> Self {
        self.on_store_failure = on_store_failure;
        self
    }
}

/// How a node follows the log.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct RevocationSettings {
    /// How old the view may be and still answer. Defaults to 30 s.
    pub max_staleness: Duration,
    /// How long one question to the store may take. Defaults to 250 ms.
    pub store_timeout: Duration,
    /// How often the log is read when no hint comes. Defaults to a second.
    pub poll_interval: Duration,
    /// How many entries the view holds before it asks the store instead. Defaults to 10 million.
    pub max_entries: usize,
    /// How many answers of the store are remembered. Defaults to 100,000.
    pub max_answers: u64,
    /// This node's limits. A builder takes `skew` from here; the others follow from the policy for
    /// tokens.
    pub limits: FleetLimits,
}

impl RevocationSettings {
    /// The same with how old the view may be and still answer.
    #[must_use]
    pub fn with_max_staleness(mut self, max_staleness: Duration) -> Self {
        self.max_staleness = max_staleness;
        self
    }

    /// The same with how long one question to the store may take.
    #[must_use]
    pub fn with_store_timeout(mut self, store_timeout: Duration) -> Self {
        self.store_timeout = store_timeout;
        self
    }

    /// The same with how often the log is read when no hint comes.
    #[must_use]
    pub fn with_poll_interval(mut self, poll_interval: Duration) -> Self {
        self.poll_interval = poll_interval;
        self
    }

    /// The same with how many entries the view holds before it asks the store instead.
    #[must_use]
    pub fn with_max_entries(mut self, max_entries: usize) -> Self {
        self.max_entries = max_entries;
        self
    }

    /// The same with how far any clock of the fleet may be from true time.
    #[must_use]
    pub fn with_skew(mut self, skew: Duration) -> Self {
        self.limits.skew = skew;
        self
    }

    /// Notes what cannot work.
    pub(crate) fn check(&self, problems: &mut ConfigError) {
        let sound = Duration::from_secs(1)..=Duration::from_secs(3_600);
        if !sound.contains(&self.max_staleness) {
            problems.add(
                "REVOCATION_MAX_STALENESS is below a second or above an hour",
                "30s suits most services: no node answers from an older view",
            );
        }
        let sound = Duration::from_millis(1)..=Duration::from_secs(60);
        if !sound.contains(&self.store_timeout) {
            problems.add(
                "STORE_TIMEOUT is below a millisecond or above a minute",
                "250ms suits most services: no request waits longer for the store",
            );
        }
        if self.poll_interval.is_zero() || self.poll_interval.saturating_mul(2) > self.max_staleness
        {
            problems.add(
                "the revocation log is read less than twice within the staleness bound",
                "shorten the interval, or raise REVOCATION_MAX_STALENESS",
            );
        }
    }
}

impl Default for RevocationSettings {
    fn default() -> Self {
        Self {
            max_staleness: Duration::from_secs(30),
            store_timeout: Duration::from_millis(250),
            poll_interval: Duration::from_secs(1),
            max_entries: 10_000_000,
            max_answers: 100_000,
            limits: FleetLimits {
                access_lifetime: Duration::from_secs(2 * 60 * 60),
                leeway: Duration::from_secs(5),
                skew: Duration::from_secs(2),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);
    const MILLI: Duration = Duration::from_millis(1);

    fn problems(settings: &RevocationSettings) -> usize {
        let mut problems = ConfigError::default();
        settings.check(&mut problems);
        problems.len()
    }

    #[test]
    fn each_setting_is_as_it_was_set_and_no_other_moves() {
        let settings = RevocationSettings::default()
            .with_max_staleness(7 * SECOND)
            .with_store_timeout(8 * SECOND)
            .with_poll_interval(3 * SECOND)
            .with_max_entries(9)
            .with_skew(4 * SECOND);
        assert_eq!(
            (settings.max_staleness, settings.store_timeout),
            (7 * SECOND, 8 * SECOND)
        );
        assert_eq!(
            (settings.poll_interval, settings.max_entries),
            (3 * SECOND, 9)
        );
        assert_eq!(settings.limits.skew, 4 * SECOND);
        assert_eq!(settings.max_answers, 100_000);
    }

    #[test]
    fn what_is_just_allowed_is_and_a_moment_beyond_is_not() {
        let usual = RevocationSettings::default;
        let often = || usual().with_poll_interval(SECOND / 2);
        for (settings, expected) in [
            (usual(), 0),
            (often().with_max_staleness(SECOND), 0),
            (often().with_max_staleness(SECOND - MILLI), 2),
            (usual().with_max_staleness(3_600 * SECOND), 0),
            (usual().with_max_staleness(3_601 * SECOND), 1),
            (usual().with_store_timeout(MILLI), 0),
            (usual().with_store_timeout(MILLI / 2), 1),
            (usual().with_store_timeout(60 * SECOND), 0),
            (usual().with_store_timeout(61 * SECOND), 1),
            (usual().with_poll_interval(15 * SECOND), 0),
            (usual().with_poll_interval(15 * SECOND + MILLI), 1),
            (usual().with_poll_interval(Duration::ZERO), 1),
            (usual().with_poll_interval(Duration::MAX), 1),
        ] {
            assert_eq!(problems(&settings), expected, "{settings:?}");
        }
    }
}
