//! How refresh tokens are rotated.

use std::time::Duration;

use super::lifetimes::{Lifetimes, show};
use crate::error::ConfigError;

/// How refresh tokens are rotated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub struct Rotation {
    grace: Duration,
    suggest_before_expiry: Duration,
    predecessor: PredecessorAccess,
}

/// What becomes of the predecessor's access token when a session is refreshed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum PredecessorAccess {
    #[default]
    LivesOn,
    Revoked,
}

impl Default for Rotation {
    /// A grace of 30 seconds: longer than any retry of a lost answer, short for a thief. A refresh
    /// is suggested 15 minutes before the access token expires.
    fn default() -> Self {
        Self {
            grace: Duration::from_secs(30),
            suggest_before_expiry: Duration::from_secs(15 * 60),
            predecessor: PredecessorAccess::LivesOn,
        }
    }
}

impl Rotation {
    /// No grace at all: every second use of a refresh token is theft, also by a client that lost
    /// an answer.
    pub fn strict() -> Self {
        Self::default().with_grace(Duration::ZERO)
    }

    /// Sets how long the second use of a refresh token is taken for an accident. At most a
    /// quarter of the access token's lifetime.
    pub fn with_grace(mut self, grace: Duration) -> Self {
        self.grace = grace;
        self
    }

    /// Sets how long before its expiry an access token should be refreshed. At most half of its
    /// lifetime.
    pub fn with_suggestion(mut self, before_expiry: Duration) -> Self {
        self.suggest_before_expiry = before_expiry;
        self
    }

    /// Ends the predecessor's access token with each rotation, instead of letting it expire.
    ///
    /// Requests that are in flight with the old token then fail; a client has to be ready for it.
    pub fn revoking_predecessors(self) -> Self {
        self.with_predecessors_revoked(true)
    }

    pub(crate) fn with_predecessors_revoked(mut self, revoked: bool) -> Self {
        self.predecessor = if revoked {
            PredecessorAccess::Revoked
        } else {
            PredecessorAccess::LivesOn
        };
        self
    }

    /// How long the second use of a refresh token is taken for an accident.
    #[must_use]
    pub fn grace(&self) -> Duration {
        self.grace
    }

    /// How long before its expiry an access token should be refreshed.
    #[must_use]
    pub fn suggestion(&self) -> Duration {
        self.suggest_before_expiry
    }

    /// Whether a rotation ends the predecessor's access token.
    #[must_use]
    pub fn revokes_predecessors(&self) -> bool {
        self.predecessor == PredecessorAccess::Revoked
    }

    pub(crate) fn check(&self, lifetimes: &Lifetimes, problems: &mut ConfigError) {
        let access = lifetimes.access();
        if self.grace.saturating_mul(4) > access {
            problems.add(
                format!(
                    "JWT_ROTATION_GRACE ({}) is more than a quarter of JWT_ACCESS_TOKEN_EXPIRY ({})",
                    show(self.grace),
                    show(access)
                ),
                "shorten the grace, or let access tokens live longer",
            );
        }
        if self.suggest_before_expiry.saturating_mul(2) > access {
            problems.add(
                format!(
                    "JWT_AUTO_REFRESH_THRESHOLD ({}) is more than half of JWT_ACCESS_TOKEN_EXPIRY ({})",
                    show(self.suggest_before_expiry),
                    show(access)
                ),
                "shorten the threshold, else every token asks to be refreshed at once",
            );
        }
    }

    /// The same, made to fit shorter access tokens where nobody chose otherwise.
    pub(crate) fn fitted(mut self, lifetimes: &Lifetimes) -> Self {
        self.grace = self.grace.min(lifetimes.access() / 4);
        self.suggest_before_expiry = self.suggest_before_expiry.min(lifetimes.access() / 2);
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn problems(rotation: Rotation, access: Duration) -> usize {
        let mut problems = ConfigError::default();
        rotation.check(&Lifetimes::default().with_access(access), &mut problems);
        problems.len()
    }

    #[test]
    fn strict_is_without_any_grace_and_otherwise_as_usual() {
        assert_eq!(Rotation::strict().grace(), Duration::ZERO);
        let usual = Rotation::default();
        assert_eq!(Rotation::strict().with_grace(usual.grace()), usual);
    }

    #[test]
    fn what_is_just_allowed_is_and_a_moment_beyond_is_not() {
        let (grace, suggestion) = (30 * SECOND, 60 * SECOND);
        let rotation = Rotation::default()
            .with_grace(grace)
            .with_suggestion(suggestion);
        assert_eq!(problems(rotation, 120 * SECOND), 0);
        assert_eq!(
            problems(rotation.with_grace(grace + SECOND), 120 * SECOND),
            1
        );
        assert_eq!(
            problems(rotation.with_suggestion(suggestion + SECOND), 120 * SECOND),
            1
        );
        assert_eq!(
            problems(rotation.with_grace(Duration::MAX), 120 * SECOND),
            1
        );
    }

    #[test]
    fn nobody_chose_otherwise_so_it_is_made_to_fit() {
        let fitted = |access| Rotation::default().fitted(&Lifetimes::default().with_access(access));
        let short = fitted(40 * SECOND);
        assert_eq!(
            (short.grace(), short.suggestion()),
            (10 * SECOND, 20 * SECOND)
        );
        assert_eq!(fitted(7_200 * SECOND), Rotation::default());
    }
}
