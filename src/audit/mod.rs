//! The audit log: what happened, written down durably and off the path of every request.
//!
//! Events become entries where they happen and wait in a bounded backlog, in front of every other observer: one
//! that blocks loses none of them. A task in the background writes them down in batches, to the store that
//! keeps the sessions, and keeps those that the store would not take. What does not fit into
//! the backlog meanwhile is counted, and the count is an entry itself.
//!
//! That the deed and its entry are two writes costs a window: a process that is killed loses what waits,
//! normally that of the last fraction of a second. Who ended which session when and why is no part of it: that is
//! in the record of the session by the same write that ended it.

mod backlog;
mod entries;
mod settings;
#[cfg(test)]
mod tests;
mod writing;

pub(crate) use backlog::Backlog;
pub use entries::KINDS;
pub use settings::{AuditLevel, AuditSettings};
pub(crate) use writing::Writing;
