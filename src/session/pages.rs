//! What is listed, and in which pieces.

use super::record::SessionRecord;
use crate::token::{SessionId, UserId};

/// Which sessions of a user to list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Listing {
    /// Those that ended, the latest first.
    Ended,
    /// Those that are alive.
    Live,
}

/// A page to read.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct PageRequest {
    /// Only this user's.
    pub user: Option<UserId>,
    /// Only those after this one.
    pub after: Option<SessionId>,
    /// At most so many.
    pub limit: usize,
}

/// A page of live sessions.
#[derive(Clone, Debug, Default)]
pub struct Page {
    /// The sessions, by id, which is by time.
    pub records: Vec<SessionRecord>,
    /// Where the next page starts; `None` at the end.
    pub next: Option<SessionId>,
}
