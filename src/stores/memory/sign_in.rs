//! Making sessions.

use super::BACKEND;
use super::state::{IDLE_SUSPENDED, State};
use crate::clock::UnixTime;
use crate::error::{StoreError, StoreErrorKind};
use crate::revocation::EndReason;
use crate::session::{LimitDecision, NewSession, SignInOutcome};
use crate::token::{SessionId, UserId};

impl State {
    pub(super) fn sign_in(
        &mut self,
        new: NewSession,
        now: UnixTime,
    ) -> Result<SignInOutcome, StoreError> {
        if let Some(record) = self.records.of_operation(&new.user, &new.operation) {
            return Ok(if self.is_alive(record, now) {
                SignInOutcome::Repeated {
                    record: record.clone(),
                }
            } else {
                SignInOutcome::Superseded
            });
        }
        if self.counters(&new.user).revoked_gen != new.revoked_gen {
            return Ok(SignInOutcome::TicketOutdated);
        }
        if self.records.get(new.id).is_some() {
            return Err(StoreError::new(StoreErrorKind::Unavailable, BACKEND)
                .with_source("a session of this id exists"));
        }
        let first = !self.records.knows(&new.user);
        let over = self.found_over(&new.user, now);
        let (mut ended, mut lines) = self.end_over(over, now);
        let live: Vec<_> = self.live(&new.user, now).collect();
        let LimitDecision::Admit { evict } = new.limit.decide(&live) else {
            let committed = self.commit_any(lines, now);
            return Ok(SignInOutcome::LimitReached { ended, committed });
        };
        let evict = evict.into_iter().map(|id| (id, EndReason::Evicted));
        let (evicted, more) = self.end_over(evict, now);
        ended.extend(evicted);
        lines.extend(more);
        let committed = self.commit_any(lines, now);
        let operation = new.operation;
        let record = new.into_record(now);
        self.records.insert(record.clone(), operation);
        Ok(SignInOutcome::Created {
            record,
            ended,
            committed,
            first,
        })
    }

    /// The open sessions of a user that are over.
    fn found_over(&self, user: &UserId, now: UnixTime) -> Vec<(SessionId, EndReason)> {
        self.records
            .open_of(user)
            .filter_map(|record| Some((record.id, record.expired(now, IDLE_SUSPENDED)?)))
            .collect()
    }
}
