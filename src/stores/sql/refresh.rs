//! Refreshing sessions: what [`RefreshState::decide`] says, made atomic.
//!
//! [`RefreshState::decide`]: crate::session::refresh::RefreshState::decide

use super::rows::{Found, Rows};
use super::steps::{NewLine, Steps};
use crate::error::StoreError;
use crate::revocation::{Committed, EndReason, Revoked};
use crate::session::refresh::{Advance, RefreshDecision, RefreshState};
use crate::session::{Granted, RefreshAttempt, RefreshOutcome, SessionRecord};
use crate::token::TokenId;

impl<R: Rows> Steps<R> {
    pub(super) async fn refresh(
        &mut self,
        attempt: &RefreshAttempt,
    ) -> Result<RefreshOutcome, StoreError> {
        let found = self.rows.session(attempt.session).await?;
        let Some(found) = found.filter(|found| found.record.refresh.seed == attempt.seed) else {
            return Ok(RefreshOutcome::Unknown);
        };
        if let Some(ended) = &found.record.ended {
            let reason = ended.reason.clone();
            return self.refresh_of_ended(attempt, found.record, reason).await;
        }
        let excused = self.excuses([&found.record], self.now).await?;
        if let Some(reason) = found.over(self.now, excused) {
            let record = found.record;
            return self.refresh_of_over(attempt, record, reason, excused).await;
        }
        let end = found.record.absolute_expires_at;
        let state = &found.record.refresh;
        match state.decide(&attempt.presented, &attempt.rules, end, self.now) {
            RefreshDecision::Advance {
                state,
                skipped,
                how,
            } => self.advance(attempt, found, state, skipped, how).await,
            RefreshDecision::Repeat { state, how } => {
                let before = self.committed_before(attempt.entry).await?;
                self.grant(found, state, Granted::Repeated(how), before)
                    .await
            }
            RefreshDecision::Expired => Ok(RefreshOutcome::Over {
                reason: EndReason::Expired,
                record: None,
                committed: None,
            }),
            RefreshDecision::Theft => {
                let reason = EndReason::RefreshReused;
                let (record, committed) = self.end_found(attempt, found.record, reason).await?;
                Ok(RefreshOutcome::Reused { record, committed })
            }
            RefreshDecision::TooMany => Ok(RefreshOutcome::TooMany),
        }
    }

    /// The answer about an ended session, which an earlier run of this very write may have ended.
    async fn refresh_of_ended(
        &mut self,
        attempt: &RefreshAttempt,
        record: SessionRecord,
        reason: EndReason,
    ) -> Result<RefreshOutcome, StoreError> {
        Ok(match self.committed_before(attempt.entry).await? {
            Some(committed) if reason == EndReason::RefreshReused => {
                RefreshOutcome::Reused { record, committed }
            }
            committed => RefreshOutcome::Over {
                reason,
                record: committed.is_some().then_some(record),
                committed,
            },
        })
    }

    /// The answer about a session that is over although nobody ended it.
    async fn refresh_of_over(
        &mut self,
        attempt: &RefreshAttempt,
        record: SessionRecord,
        reason: EndReason,
        excused: bool,
    ) -> Result<RefreshOutcome, StoreError> {
        if record.expired(self.now, excused).is_none() {
            return Ok(RefreshOutcome::Over {
                reason,
                record: None,
                committed: None,
            });
        }
        let (record, committed) = self.end_found(attempt, record, reason.clone()).await?;
        Ok(RefreshOutcome::Over {
            reason,
            record: Some(record),
            committed: Some(committed),
        })
    }

    async fn end_found(
        &mut self,
        attempt: &RefreshAttempt,
        record: SessionRecord,
        reason: EndReason,
    ) -> Result<(SessionRecord, Committed), StoreError> {
        let ended = self.ended(reason);
        let (record, line) = self.end_session(record, ended, attempt.entry).await?;
        Ok((record, self.commit(vec![line]).await?))
    }

    async fn advance(
        &mut self,
        attempt: &RefreshAttempt,
        mut found: Found,
        state: RefreshState,
        skipped: Option<u32>,
        how: Advance,
    ) -> Result<RefreshOutcome, StoreError> {
        let line = attempt.replaced(how, skipped).map(|generation| NewLine {
            id: attempt.entry,
            revoked: Revoked::Token {
                token: TokenId::of_generation(attempt.session, generation),
                user: Some(found.record.user.clone()),
            },
            reason: EndReason::Replaced,
        });
        let committed = self.commit_any(line.into_iter().collect()).await?;
        found.record.refresh_count = found.record.refresh_count.saturating_add(1);
        self.grant(found, state, Granted::Advanced(how), committed)
            .await
    }

    async fn grant(
        &mut self,
        found: Found,
        state: RefreshState,
        how: Granted,
        committed: Option<Committed>,
    ) -> Result<RefreshOutcome, StoreError> {
        let mut record = found.record;
        record.refresh = state;
        self.rows.update(&record, None).await?;
        Ok(RefreshOutcome::Granted {
            record,
            counters: found.counters,
            how,
            committed,
        })
    }
}
