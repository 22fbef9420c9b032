//! The audit log in a table.

use std::future::Future;
use std::time::Duration;

use super::rows::Rows;
use super::steps::Steps;
use crate::clock::UnixTime;
use crate::error::StoreError;
use crate::session::{AuditCursor, AuditEntry, AuditPage, AuditRequest};
use crate::token::UserId;

/// A number in the table and the entry that stands there; `None` where it cannot be read.
pub(super) type Numbered = (u64, Option<AuditEntry>);

/// The table of the audit log, as the steps see it.
pub(super) trait AuditRows: Rows {
    /// Adds entries, but for those whose ids are there.
    fn put_audit(
        &mut self,
        entries: &[AuditEntry],
    ) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// The entries of lower numbers that are asked for, the highest first.
    fn audit_before(
        &mut self,
        request: &AuditRequest,
        number: u64,
        limit: usize,
    ) -> impl Future<Output = Result<Vec<Numbered>, StoreError>> + Send;

    /// Removes entries from before an instant, and the oldest of those that are more than `most`:
    /// at most `limit` of each. How many it were.
    fn forget_audit_before(
        &mut self,
        before: UnixTime,
        most: u64,
        limit: usize,
    ) -> impl Future<Output = Result<u64, StoreError>> + Send;

    /// Removes the entries about a user.
    fn forget_audit_of(
        &mut self,
        user: &UserId,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;
}

impl<R: AuditRows> Steps<R> {
    pub(super) async fn put_audit(&mut self, entries: &[AuditEntry]) -> Result<(), StoreError> {
        if entries.is_empty() {
            return Ok(());
        }
        self.rows.put_audit(entries).await
    }

    pub(super) async fn audit_page(
        &mut self,
        request: &AuditRequest,
    ) -> Result<AuditPage, StoreError> {
        let limit = request.limit.max(1);
        let before = request.before.map_or(u64::MAX, |cursor| cursor.0[0]);
        let fetch = limit.saturating_add(1);
        let mut read = self.rows.audit_before(request, before, fetch).await?;
        let more = read.len() > limit;
        read.truncate(limit);
        let last = read.last().filter(|_| more);
        let next = last.map(|(number, _)| AuditCursor([*number, 0, 0]));
        let entries = read.into_iter().filter_map(|(_, entry)| entry);
        Ok(AuditPage {
            entries: entries.collect(),
            next,
        })
    }

    pub(super) async fn tidy_audit(
        &mut self,
        keep: Duration,
        most: u64,
        batch: usize,
    ) -> Result<bool, StoreError> {
        let before = self.now - keep;
        let removed = self.rows.forget_audit_before(before, most, batch).await?;
        Ok(removed >= batch as u64)
    }

    pub(super) async fn forget_audit(&mut self, user: &UserId) -> Result<(), StoreError> {
        self.rows.forget_audit_of(user).await
    }
}

/// The entry of a text, and a word in the log where it is none.
pub(super) fn read_entry(number: u64, text: &str) -> Option<AuditEntry> {
    match serde_json::from_str(text) {
        Ok(entry) => Some(entry),
        Err(error) => {
            tracing::error!(number, %error, "skipped an entry of the audit log that cannot be read");
            None
        }
    }
}

/// A bound as a column can be compared with it.
pub(super) fn bound(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
