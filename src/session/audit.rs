//! What a store keeps of what happened: the audit log.

use std::borrow::Cow;
use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::BoxFuture;
use crate::clock::UnixTime;
use crate::error::StoreError;
use crate::revocation::{EntryId, NodeId};
use crate::token::{SessionId, UserId};

/// A log of what happened, to which entries are added and never changed.
///
/// Entries go when they are too old or too many, and when all of a user is erased; nothing else removes one.
/// `testing::conformance` checks it for any implementation.
pub trait AuditLog: Send + Sync {
    /// Adds entries, in their order, durably: all of them or none. Entries whose ids are there
    /// are left as they are, so a write can be repeated.
    fn record<'a>(&'a self, entries: &'a [AuditEntry]) -> BoxFuture<'a, Result<(), StoreError>>;

    /// Reads a page, the last that was written first.
    ///
    /// What is written while somebody pages through stands on no later page. A page may hold fewer
    /// than were asked for, even none, and not be the last one.
    fn read(&self, request: AuditRequest) -> BoxFuture<'_, Result<AuditPage, StoreError>>;

    /// Removes what is older than `keep`, by the store's clock, and what exceeds `most` in number,
    /// the oldest first, some `batch` at a time; whether there is more to do.
    ///
    /// The bound is kept roughly: a store may hold a tenth more, or less than it where it counts by numbers that were
    /// given out.
    fn tidy(
        &self,
        keep: Duration,
        most: u64,
        batch: usize,
    ) -> BoxFuture<'_, Result<bool, StoreError>>;

    /// How many entries are kept where nobody says how many.
    fn usual_bound(&self) -> u64 {
        1_000_000
    }

    /// Removes all entries about a user.
    fn forget<'a>(&'a self, user: &'a UserId) -> BoxFuture<'a, Result<(), StoreError>>;
}

/// One entry of the audit log. It holds nothing that could be replayed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditEntry {
    /// The name of the entry; chosen by the writer, so that a write can be repeated.
    pub id: EntryId,
    /// When it happened, by the clock of the node.
    pub at: UnixTime,
    /// The node that tells it: a name for one run of one process.
    pub node: NodeId,
    /// What happened: the [name](crate::events::Event::name) of the event.
    pub event: Cow<'static, str>,
    /// Whom it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<UserId>,
    /// The session that it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<SessionId>,
    /// Who did it, where that was somebody.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<UserId>,
    /// Why, or what of it; a word, or a number of things.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Cow<'static, str>>,
    /// Where it came from, as much of the address as is kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<IpAddr>,
    /// The device, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device: Option<String>,
}

impl AuditEntry {
    /// An entry under a name of its own about nobody in particular.
    #[must_use]
    pub fn new(at: UnixTime, node: NodeId, event: impl Into<Cow<'static, str>>) -> Self {
        Self {
            id: EntryId::random(),
            at,
            node,
            event: event.into(),
            user: None,
            session: None,
            by: None,
            reason: None,
            address: None,
            device: None,
        }
    }
}

/// A page of the audit log to read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct AuditRequest {
    /// Only about this user.
    pub user: Option<UserId>,
    /// Only about this session.
    pub session: Option<SessionId>,
    /// Where the page before ended; the latest entries without it.
    pub before: Option<AuditCursor>,
    /// At most so many; at least one.
    pub limit: usize,
}

impl AuditRequest {
    /// The latest entries about anybody.
    #[must_use]
    pub fn new(limit: usize) -> Self {
        Self {
            limit,
            ..Self::default()
        }
    }

    /// The same about one user alone.
    #[must_use]
    pub fn about_user(mut self, user: impl Into<Option<UserId>>) -> Self {
        self.user = user.into();
        self
    }

    /// The same about one session alone.
    #[must_use]
    pub fn about_session(mut self, session: impl Into<Option<SessionId>>) -> Self {
        self.session = session.into();
        self
    }

    /// The same from where a page ended.
    #[must_use]
    pub fn before(mut self, cursor: impl Into<Option<AuditCursor>>) -> Self {
        self.before = cursor.into();
        self
    }

    /// Whether an entry is asked for.
    #[must_use]
    pub fn is_about(&self, entry: &AuditEntry) -> bool {
        let user = self.user.is_none() || self.user == entry.user;
        user && (self.session.is_none() || self.session == entry.session)
    }
}

/// A page of the audit log.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuditPage {
    /// The entries, the last that was written first.
    pub entries: Vec<AuditEntry>,
    /// Where the next page starts; `None` at the end.
    pub next: Option<AuditCursor>,
}

/// A place in the audit log; only the store that made it can tell what it means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct AuditCursor(pub [u64; 3]);

/// A text that is no [`AuditCursor`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidAuditCursor;

impl fmt::Display for AuditCursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [first, second, third] = self.0;
        write!(f, "{first}-{second}-{third}")
    }
}

impl FromStr for AuditCursor {
    type Err = InvalidAuditCursor;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut numbers = [0; 3];
        let mut parts = text.split('-');
        for number in &mut numbers {
            let digits = parts.next().ok_or(InvalidAuditCursor)?;
            let plain = digits.bytes().all(|byte| byte.is_ascii_digit());
            let parsed = digits.parse().ok().filter(|_| plain);
            *number = parsed.ok_or(InvalidAuditCursor)?;
        }
        match parts.next() {
            None => Ok(Self(numbers)),
            Some(_) => Err(InvalidAuditCursor),
        }
    }
}

impl fmt::Display for InvalidAuditCursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not a place in the audit log")
    }
}

impl std::error::Error for InvalidAuditCursor {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_read_back_as_it_was_written() {
        let cursor = AuditCursor([1_795_000_000_000, 0, u64::MAX]);
        assert_eq!(cursor.to_string().parse(), Ok(cursor));
    }

    #[test]
    fn what_is_no_cursor_is_refused() {
        for text in [
            "",
            "1",
            "1-2",
            "1-2-3-4",
            "1-2-",
            "+1-2-3",
            "1--3",
            "1-2-18446744073709551616",
        ] {
            assert_eq!(
                text.parse::<AuditCursor>(),
                Err(InvalidAuditCursor),
                "{text:?}"
            );
        }
        assert_eq!(
            InvalidAuditCursor.to_string(),
            "not a place in the audit log"
        );
    }

    #[test]
    fn a_log_of_which_nothing_else_is_said_keeps_a_million_entries() {
        let store = crate::stores::MemoryStore::new();
        assert_eq!(AuditLog::usual_bound(&store), 1_000_000);
    }
}
