//! Refreshing sessions: what [`RefreshState::decide`] says, made atomic.
//!
//! [`RefreshState::decide`]: crate::session::refresh::RefreshState::decide

use super::state::{IDLE_SUSPENDED, Line, State};
use crate::clock::UnixTime;
use crate::revocation::{Committed, EndReason, Revoked};
use crate::session::refresh::{Advance, RefreshDecision, RefreshState};
use crate::session::{Ended, Granted, RefreshAttempt, RefreshOutcome, SessionRecord};
use crate::token::TokenId;

impl State {
    pub(super) fn refresh(&mut self, attempt: &RefreshAttempt, now: UnixTime) -> RefreshOutcome {
        self.log.purge(now);
        let found = self.records.get(attempt.session);
        let Some(record) = found.filter(|record| record.refresh.seed == attempt.seed) else {
            return RefreshOutcome::Unknown;
        };
        if let Some(ended) = &record.ended {
            let reason = ended.reason.clone();
            return self.refresh_of_ended(attempt, reason, now);
        }
        if let Some(reason) = self.over(record, now) {
            let expired = record.expired(now, IDLE_SUSPENDED).is_some();
            let (record, committed) = expired
                .then(|| self.end_found(attempt, reason.clone(), now))
                .flatten()
                .unzip();
            return RefreshOutcome::Over {
                reason,
                record,
                committed,
            };
        }
        let end = record.absolute_expires_at;
        let decision = record
            .refresh
            .decide(&attempt.presented, &attempt.rules, end, now);
        match decision {
            RefreshDecision::Advance {
                state,
                skipped,
                how,
            } => self.advance(attempt, state, skipped, how, now),
            RefreshDecision::Repeat { state, how } => {
                let before = self.committed_before(attempt.entry, now);
                self.grant(attempt, state, Granted::Repeated(how), before)
            }
            RefreshDecision::Expired => RefreshOutcome::Over {
                reason: EndReason::Expired,
                record: None,
                committed: None,
            },
            RefreshDecision::Theft => self
                .end_found(attempt, EndReason::RefreshReused, now)
                .map_or(RefreshOutcome::Unknown, |(record, committed)| {
                    RefreshOutcome::Reused { record, committed }
                }),
            RefreshDecision::TooMany => RefreshOutcome::TooMany,
        }
    }

    /// The answer about an ended session, which an earlier run of this very write may have ended.
    fn refresh_of_ended(
        &mut self,
        attempt: &RefreshAttempt,
        reason: EndReason,
        now: UnixTime,
    ) -> RefreshOutcome {
        let committed = self.committed_before(attempt.entry, now);
        let record = self.records.get(attempt.session).cloned();
        match (record, committed) {
            (Some(record), Some(committed)) if reason == EndReason::RefreshReused => {
                RefreshOutcome::Reused { record, committed }
            }
            (record, committed) => RefreshOutcome::Over {
                reason,
                record: record.filter(|_| committed.is_some()),
                committed,
            },
        }
    }

    fn end_found(
        &mut self,
        attempt: &RefreshAttempt,
        reason: EndReason,
        now: UnixTime,
    ) -> Option<(SessionRecord, Committed)> {
        let ended = Ended {
            at: now,
            reason,
            by: None,
        };
        let (record, line) = self.end_session(attempt.session, ended, attempt.entry)?;
        Some((record, self.commit(vec![line], now)))
    }

    fn advance(
        &mut self,
        attempt: &RefreshAttempt,
        state: RefreshState,
        skipped: Option<u32>,
        how: Advance,
        now: UnixTime,
    ) -> RefreshOutcome {
        let replaced = attempt.replaced(how, skipped);
        let user = self
            .records
            .get(attempt.session)
            .map(|record| record.user.clone());
        let committed = replaced.map(|generation| {
            let line = Line {
                id: attempt.entry,
                revoked: Revoked::Token {
                    token: TokenId::of_generation(attempt.session, generation),
                    user,
                },
                reason: EndReason::Replaced,
            };
            self.commit(vec![line], now)
        });
        self.records.update(attempt.session, |record| {
            record.refresh_count = record.refresh_count.saturating_add(1);
        });
        self.grant(attempt, state, Granted::Advanced(how), committed)
    }

    fn grant(
        &mut self,
        attempt: &RefreshAttempt,
        state: RefreshState,
        how: Granted,
        committed: Option<Committed>,
    ) -> RefreshOutcome {
        self.records
            .update(attempt.session, |record| record.refresh = state);
        let Some(record) = self.records.get(attempt.session).cloned() else {
            return RefreshOutcome::Unknown;
        };
        RefreshOutcome::Granted {
            counters: self.counters(&record.user),
            record,
            how,
            committed,
        }
    }
}
