//! Making sessions.

use super::rows::Rows;
use super::steps::Steps;
use crate::error::StoreError;
use crate::revocation::EndReason;
use crate::session::{LimitDecision, NewSession, SignInOutcome};

impl<R: Rows> Steps<R> {
    pub(super) async fn sign_in(&mut self, new: NewSession) -> Result<SignInOutcome, StoreError> {
        let (open, made) = self.rows.before_sign_in(&new.user, &new.operation).await?;
        if let Some(found) = made {
            let excused = self.excuses([&found.record], self.now).await?;
            return Ok(if found.is_alive(self.now, excused) {
                SignInOutcome::Repeated {
                    record: found.record,
                }
            } else {
                SignInOutcome::Superseded
            });
        }
        let (counters, known) = match open.first() {
            Some(found) => (found.counters, true),
            None => self.rows.knows(&new.user).await?,
        };
        if counters.revoked_gen != new.revoked_gen {
            return Ok(SignInOutcome::TicketOutdated);
        }
        let records: Vec<_> = open.iter().map(|found| &found.record).collect();
        let excused = self.excuses(records, self.now).await?;
        let (mut over, mut live) = (Vec::new(), Vec::new());
        for found in open {
            match found.record.expired(self.now, excused) {
                Some(reason) => over.push((found.record, reason)),
                None if found.is_alive(self.now, excused) => live.push(found.record),
                None => {}
            }
        }
        let (mut ended, mut lines) = self.end_over(over).await?;
        let decision = new.limit.decide(&live.iter().collect::<Vec<_>>());
        let LimitDecision::Admit { evict } = decision else {
            let committed = self.commit_any(lines).await?;
            return Ok(SignInOutcome::LimitReached { ended, committed });
        };
        let evict: Vec<_> = evict
            .into_iter()
            .filter_map(|id| live.iter().find(|record| record.id == id))
            .map(|record| (record.clone(), EndReason::Evicted))
            .collect();
        let (evicted, more) = self.end_over(evict).await?;
        ended.extend(evicted);
        lines.extend(more);
        let committed = self.commit_any(lines).await?;
        let operation = new.operation;
        let record = new.into_record(self.now);
        self.rows.insert(&record, &operation).await?;
        Ok(SignInOutcome::Created {
            record,
            ended,
            committed,
            first: !known,
        })
    }
}
