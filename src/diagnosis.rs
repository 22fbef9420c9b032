//! What was looked at, how it stands, and what to do about it.

use std::fmt;

use serde::Serialize;

use crate::clock::UnixTime;
use crate::revocation::FleetLimits;

/// One thing that was looked at. Holds no secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Check {
    /// What was looked at, as `"store eviction"`.
    pub name: &'static str,
    /// How it stands.
    pub state: CheckState,
    /// What was seen.
    pub seen: String,
    /// What to do, where there is something.
    pub fix: Option<String>,
}

/// How something stands that was looked at; the worst is the greatest.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum CheckState {
    /// As it should.
    #[default]
    Ok,
    /// It works, and should not stay so in production.
    Warn,
    /// It does not work, or lets somebody in who must stay out.
    Fail,
}

/// Everything that was looked at. Looking changes nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
#[must_use = "it is to be shown"]
pub struct Diagnosis {
    checks: Vec<Check>,
}

/// What a store says of itself.
#[derive(Clone, Debug, Default)]
pub struct StoreReport {
    /// What it is, as `"PostgreSQL 15.5"`; `None` where that is not known.
    pub version: Option<String>,
    /// Names the deployment whose data it holds; `None` where nothing was made yet.
    pub deployment: Option<u128>,
    /// The limits of the fleet; `None` where no node has joined yet.
    pub limits: Option<FleetLimits>,
    /// Its clock beside that of this machine; `None` where they are one.
    pub clock: Option<ClockReading>,
    /// What was looked at.
    pub checks: Vec<Check>,
}

/// A question for the time, and when it was asked by the clock of this machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClockReading {
    /// When it was asked.
    pub asked: UnixTime,
    /// What the store's clock said.
    pub said: UnixTime,
    /// When the answer came.
    pub answered: UnixTime,
}

impl Check {
    /// Something that is as it should be.
    #[must_use]
    pub fn ok(name: &'static str, seen: impl Into<String>) -> Self {
        Self {
            name,
            state: CheckState::Ok,
            seen: seen.into(),
            fix: None,
        }
    }

    /// Something that should not stay so in production.
    #[must_use]
    pub fn warn(name: &'static str, seen: impl Into<String>, fix: impl Into<String>) -> Self {
        Self {
            state: CheckState::Warn,
            fix: Some(fix.into()),
            ..Self::ok(name, seen)
        }
    }

    /// Something that does not work.
    #[must_use]
    pub fn fail(name: &'static str, seen: impl Into<String>, fix: impl Into<String>) -> Self {
        Self {
            state: CheckState::Fail,
            ..Self::warn(name, seen, fix)
        }
    }
}

impl CheckState {
    /// Its name, as `"ok"`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warn => "warn",
            Self::Fail => "fail",
        }
    }
}

impl fmt::Display for CheckState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl Diagnosis {
    /// Adds what was looked at.
    pub fn add(&mut self, check: Check) {
        self.checks.push(check);
    }

    /// All of it, in the order in which it was looked at.
    #[must_use]
    pub fn checks(&self) -> &[Check] {
        &self.checks
    }

    /// The worst of it.
    #[must_use]
    pub fn state(&self) -> CheckState {
        let states = self.checks.iter().map(|check| check.state);
        states.max().unwrap_or_default()
    }
}

impl Extend<Check> for Diagnosis {
    fn extend<T: IntoIterator<Item = Check>>(&mut self, checks: T) {
        self.checks.extend(checks);
    }
}

impl ClockReading {
    /// How far the store's clock is from this machine's at least, whatever the way took: zero where
    /// it may be right.
    #[must_use]
    pub fn apart(&self) -> std::time::Duration {
        let ahead = self.said.since(self.answered);
        ahead.max(self.asked.since(self.said))
    }

    /// Whether the store's clock is the later one.
    #[must_use]
    pub fn is_ahead(&self) -> bool {
        self.said > self.answered
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn the_worst_of_all_is_the_state_of_the_whole() {
        let mut diagnosis = Diagnosis::default();
        assert_eq!(diagnosis.state(), CheckState::Ok);
        diagnosis.add(Check::warn("a", "b", "c"));
        diagnosis.add(Check::ok("a", "b"));
        assert_eq!(diagnosis.state(), CheckState::Warn);
        diagnosis.add(Check::fail("a", "b", "c"));
        assert_eq!(diagnosis.state(), CheckState::Fail);
    }

    #[test]
    fn a_clock_is_apart_by_no_less_than_what_the_way_cannot_explain() {
        let at = UnixTime::from_secs;
        let reading = |said| ClockReading {
            asked: at(100),
            said: at(said),
            answered: at(104),
        };
        assert_eq!(reading(102).apart(), Duration::ZERO);
        assert_eq!(reading(110).apart(), Duration::from_secs(6));
        assert!(reading(110).is_ahead());
        assert_eq!(reading(90).apart(), Duration::from_secs(10));
        assert!(!reading(90).is_ahead());
    }
}
