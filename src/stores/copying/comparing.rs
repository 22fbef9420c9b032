//! What is alive on both sides of a copy, compared.

use std::collections::BTreeSet;

use super::{CopyStage, PAGE, StoreCopy};
use crate::error::StoreError;
use crate::revocation::{EndReason, EntryId};
use crate::session::{EndOutcome, EndSession, Listing, PageRequest, SessionRecord};
use crate::token::SessionId;

/// The walk over the live sessions of the old store, beside the other.
#[derive(Default)]
pub(super) struct Walk {
    after: Option<SessionId>,
    is_over: bool,
    /// Those that the other walk has not come to.
    ahead: BTreeSet<SessionId>,
}

impl StoreCopy {
    /// Ends what is alive in the new store alone. Both stores tell their live sessions by id, so two walks
    /// beside each other find it in as many questions as there are pages.
    pub(super) async fn check(&mut self) -> Result<(), StoreError> {
        let request = PageRequest {
            user: None,
            after: self.checked,
            limit: PAGE,
        };
        let page = self.to.page(request).await?;
        let last = page.records.last().map(|record| record.id);
        while !self.there.is_over && self.there.after < last {
            self.walk().await?;
        }
        let mut live = page.records.len() as u64;
        for record in &page.records {
            if !self.there.ahead.contains(&record.id) && !self.is_there(record).await? {
                live -= 1;
                self.end(record).await?;
            }
        }
        self.report.live_to += live;
        if let Some(last) = last {
            // Only at the end of the step, which may be made again.
            self.there.ahead = self.there.ahead.split_off(&last);
        }
        self.checked = page.next;
        if self.checked.is_none() {
            self.position.stage = CopyStage::Count;
        }
        Ok(())
    }

    /// Reads a page of the old store's live sessions.
    async fn walk(&mut self) -> Result<(), StoreError> {
        let request = PageRequest {
            user: None,
            after: self.there.after,
            limit: PAGE,
        };
        let page = self.from.page(request).await?;
        self.report.live_from += page.records.len() as u64;
        let ids = page.records.iter().map(|record| record.id);
        self.there.ahead.extend(ids);
        self.there.is_over = page.next.is_none();
        self.there.after = page.next;
        Ok(())
    }

    /// Whether a session is alive in the old store that the walk has not met.
    async fn is_there(&self, record: &SessionRecord) -> Result<bool, StoreError> {
        let there = self.from.list(&record.user, Listing::Live).await?;
        Ok(there.iter().any(|other| other.id == record.id))
    }

    async fn end(&mut self, record: &SessionRecord) -> Result<(), StoreError> {
        let ended = self.from.list(&record.user, Listing::Ended).await?;
        let request = EndSession {
            session: record.id,
            owner: Some(record.user.clone()),
            reason: reason_of(record, &ended),
            by: None,
            entry: EntryId::random(),
        };
        if let EndOutcome::Ended { .. } = self.to.end(request).await? {
            self.report.ended += 1;
        }
        Ok(())
    }

    /// Counts the rest of what is alive in the old store.
    pub(super) async fn count(&mut self) -> Result<(), StoreError> {
        if self.there.is_over {
            self.position.stage = CopyStage::Done;
            return Ok(());
        }
        self.walk().await?;
        self.there.ahead.clear();
        Ok(())
    }
}

/// Why a session is over that is alive in the new store alone.
fn reason_of(record: &SessionRecord, ended: &[SessionRecord]) -> EndReason {
    let there = ended.iter().find(|other| other.id == record.id);
    let ended = there.and_then(|other| other.ended.as_ref());
    ended.map_or(EndReason::AdminRevoked, |ended| ended.reason.clone())
}
