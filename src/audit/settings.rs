//! What is written down, and for how long.

use std::time::Duration;

use crate::error::ConfigError;

/// What the audit log keeps.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct AuditSettings {
    pub(crate) level: AuditLevel,
    pub(crate) keep: Duration,
    pub(crate) most: Option<u64>,
    pub(crate) backlog: usize,
}

/// How much is written down.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum AuditLevel {
    /// Everything but refused requests, and refreshes that failed and are nobody's: those anybody can cause as often as
    /// they like. An entry for each refresh.
    All,
    /// Nothing.
    Off,
    /// The same without what happens all the time and changes nothing: refreshes as they should be, and
    /// answers to them that were given again to the same client. The default.
    #[default]
    On,
}

impl AuditSettings {
    /// How much is written down.
    pub fn with_level(mut self, level: AuditLevel) -> Self {
        self.level = level;
        self
    }

    /// How long an entry is kept. Defaults to 90 days.
    pub fn with_retention(mut self, keep: Duration) -> Self {
        self.keep = keep;
        self
    }

    /// How many entries are kept at most, roughly. Defaults to a million, in Redis to a hundred thousand. The
    /// memory store keeps ten thousand at most.
    pub fn with_max_entries(mut self, most: u64) -> Self {
        self.most = Some(most);
        self
    }

    /// How many entries wait at most on this node while the store is away; some 300 bytes each.
    /// Defaults to 100,000.
    pub fn with_backlog(mut self, backlog: usize) -> Self {
        self.backlog = backlog;
        self
    }

    /// Notes what cannot work.
    pub(crate) fn check(&self, problems: &mut ConfigError) {
        if self.level == AuditLevel::Off {
            return;
        }
        if self.keep < Duration::from_secs(60) {
            problems.add(
                "SESSION_AUDIT_RETENTION is below a minute",
                "write one as 90d, or SESSION_AUDIT=off",
            );
        }
        if self.most == Some(0) || self.backlog == 0 {
            problems.add(
                "SESSION_AUDIT_MAX_ENTRIES leaves room for no entry",
                "write a number as 1000000, or SESSION_AUDIT=off",
            );
        }
    }
}

impl Default for AuditSettings {
    fn default() -> Self {
        Self {
            level: AuditLevel::default(),
            keep: Duration::from_secs(90 * 86_400),
            most: None,
            backlog: 100_000,
        }
    }
}
