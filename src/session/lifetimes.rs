//! How long tokens and sessions live.

use std::time::Duration;

use crate::error::ConfigError;

/// How long tokens and sessions live.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use tower_jwt_session::Lifetimes;
///
/// let lifetimes = Lifetimes::default().with_idle(Duration::from_secs(30 * 86_400));
/// assert_eq!(lifetimes.access(), Duration::from_secs(7200));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub struct Lifetimes {
    access: Duration,
    refresh: Duration,
    session: Duration,
    idle: Option<Duration>,
}

impl Default for Lifetimes {
    /// Access tokens for 2 hours, refresh tokens for 30 days from each refresh, sessions for 90
    /// days at most, no idle limit: a user who comes once a month stays signed in, and nothing
    /// lives for ever.
    fn default() -> Self {
        Self {
            access: 2 * HOUR,
            refresh: 30 * DAY,
            session: 90 * DAY,
            idle: None,
        }
    }
}

impl Lifetimes {
    /// What the OWASP session management cheat sheet advises for ordinary applications: half an
    /// hour unused, eight hours in all.
    pub fn owasp() -> Self {
        Self {
            access: 15 * MINUTE,
            refresh: 8 * HOUR,
            session: 8 * HOUR,
            idle: Some(30 * MINUTE),
        }
    }

    /// What NIST SP 800-63B, revision 4, allows at AAL2: an hour unused, a day in all.
    pub fn nist_aal2() -> Self {
        Self {
            access: 15 * MINUTE,
            refresh: DAY,
            session: DAY,
            idle: Some(HOUR),
        }
    }

    /// What NIST SP 800-63B, revision 4, allows at AAL3: 15 minutes unused, 12 hours in all.
    pub fn nist_aal3() -> Self {
        Self {
            access: 5 * MINUTE,
            refresh: 12 * HOUR,
            session: 12 * HOUR,
            idle: Some(15 * MINUTE),
        }
    }

    /// Sets how long an access token lives.
    pub fn with_access(mut self, lifetime: Duration) -> Self {
        self.access = lifetime;
        self
    }

    /// Sets how long a refresh token lives, counted anew from each refresh.
    pub fn with_refresh(mut self, lifetime: Duration) -> Self {
        self.refresh = lifetime;
        self
    }

    /// Sets how long a session lives at most, however often it is refreshed.
    pub fn with_session(mut self, lifetime: Duration) -> Self {
        self.session = lifetime;
        self
    }

    /// Sets how long a session may stay unused. Refreshes in the background are no use.
    pub fn with_idle(mut self, lifetime: Duration) -> Self {
        self.idle = Some(lifetime);
        self
    }

    /// How long an access token lives.
    #[must_use]
    pub fn access(&self) -> Duration {
        self.access
    }

    /// How long a refresh token lives.
    #[must_use]
    pub fn refresh(&self) -> Duration {
        self.refresh
    }

    /// How long a session lives at most.
    #[must_use]
    pub fn session(&self) -> Duration {
        self.session
    }

    /// How long a session may stay unused.
    #[must_use]
    pub fn idle(&self) -> Option<Duration> {
        self.idle
    }

    pub(crate) fn check(&self, problems: &mut ConfigError) {
        if self.access < MINUTE / 60 {
            problems.add(
                format!(
                    "the access token lifetime ({}) is below a second",
                    show(self.access)
                ),
                "set JWT_ACCESS_TOKEN_EXPIRY to a second or more, as 2h",
            );
        }
        if self.refresh < self.access {
            problems.add(
                format!(
                    "JWT_REFRESH_TOKEN_EXPIRY ({}) is shorter than JWT_ACCESS_TOKEN_EXPIRY ({})",
                    show(self.refresh),
                    show(self.access)
                ),
                "make the refresh token live at least as long as the access token",
            );
        }
        if self.session < self.refresh {
            problems.add(
                format!(
                    "JWT_SESSION_EXPIRY ({}) is shorter than JWT_REFRESH_TOKEN_EXPIRY ({})",
                    show(self.session),
                    show(self.refresh)
                ),
                "make the session live at least as long as the refresh token",
            );
        }
        if self.session > 100 * 365 * DAY {
            problems.add(
                format!(
                    "JWT_SESSION_EXPIRY ({}) is longer than a century",
                    show(self.session)
                ),
                "set what you mean, as 90d",
            );
        }
        if let Some(idle) = self.idle
            && idle < MINUTE
        {
            problems.add(
                format!(
                    "JWT_SESSION_IDLE_EXPIRY ({}) is shorter than a minute",
                    show(idle)
                ),
                "uses are written down once a minute; set a minute or more",
            );
        }
    }
}

/// A duration in the largest unit that shows it whole, as people write it in a configuration.
pub(crate) fn show(duration: Duration) -> String {
    let secs = duration.as_secs();
    if duration.subsec_nanos() != 0 || secs == 0 {
        return humantime::format_duration(duration).to_string();
    }
    let units = [(86_400, 'd'), (3_600, 'h'), (60, 'm')];
    let whole = units
        .into_iter()
        .find(|(unit, _)| secs.is_multiple_of(*unit));
    match whole {
        Some((unit, name)) => format!("{}{name}", secs / unit),
        None => format!("{secs}s"),
    }
}

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3_600);
const DAY: Duration = Duration::from_secs(86_400);

#[cfg(test)]
mod tests {
    use super::*;

    fn problems(lifetimes: Lifetimes) -> usize {
        let mut problems = ConfigError::default();
        lifetimes.check(&mut problems);
        problems.len()
    }

    #[test]
    fn durations_are_shown_as_people_write_them() {
        for (secs, shown) in [
            (90, "90s"),
            (900, "15m"),
            (7_200, "2h"),
            (40 * 86_400, "40d"),
        ] {
            assert_eq!(show(Duration::from_secs(secs)), shown);
        }
        assert_eq!(show(Duration::from_millis(250)), "250ms");
        assert_eq!(show(Duration::from_millis(1_500)), "1s 500ms");
        assert_eq!(show(Duration::ZERO), "0s");
    }

    #[test]
    fn every_preset_is_sound() {
        for preset in [
            Lifetimes::default(),
            Lifetimes::owasp(),
            Lifetimes::nist_aal2(),
            Lifetimes::nist_aal3(),
        ] {
            assert_eq!(problems(preset), 0, "{preset:?}");
        }
    }

    #[test]
    fn every_preset_is_what_its_document_says() {
        let ends = |preset: Lifetimes| (preset.idle(), preset.session());
        assert_eq!(ends(Lifetimes::owasp()), (Some(30 * MINUTE), 8 * HOUR));
        assert_eq!(ends(Lifetimes::nist_aal2()), (Some(HOUR), DAY));
        assert_eq!(ends(Lifetimes::nist_aal3()), (Some(15 * MINUTE), 12 * HOUR));
    }

    #[test]
    fn what_is_just_allowed_is_and_a_second_beyond_is_not() {
        const SECOND: Duration = Duration::from_secs(1);
        let century = 100 * 365 * DAY;
        let short = Lifetimes::default().with_access(SECOND);
        assert_eq!(problems(short), 0);
        assert_eq!(problems(short.with_access(SECOND - SECOND / 1000)), 1);
        let same = Lifetimes::default().with_access(HOUR).with_refresh(HOUR);
        let same = same.with_session(HOUR).with_idle(MINUTE);
        assert_eq!(problems(same), 0);
        assert_eq!(problems(same.with_access(HOUR + SECOND)), 1);
        assert_eq!(problems(same.with_session(HOUR - SECOND)), 1);
        assert_eq!(problems(same.with_idle(MINUTE - SECOND)), 1);
        assert_eq!(problems(same.with_session(century)), 0);
        assert_eq!(problems(same.with_session(century + SECOND)), 1);
    }

    #[test]
    fn a_refresh_token_that_outlives_less_than_its_access_token_is_a_problem() {
        let lifetimes = Lifetimes::default().with_refresh(HOUR);
        assert_eq!(problems(lifetimes), 1);
    }

    #[test]
    fn all_problems_are_found_at_once() {
        let lifetimes = Lifetimes::default()
            .with_refresh(HOUR)
            .with_session(MINUTE)
            .with_idle(Duration::from_secs(5));
        assert_eq!(problems(lifetimes), 3);
    }
}
