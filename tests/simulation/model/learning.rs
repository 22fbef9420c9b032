//! What the model learns of what the store did, and what is wrong with that already.

use std::collections::{HashMap, HashSet};

use tower_jwt_session::SessionId;
use tower_jwt_session::revocation::{EndReason, RevocationEntry};
use tower_jwt_session::session::refresh::Advance;
use tower_jwt_session::session::{
    Granted, LimitPolicy, NewSession, RefreshOutcome, SessionRecord, SignInOutcome,
};

use super::{Known, Model, Out};
use crate::clock::Millis;
use crate::table::Expected;

impl Model {
    pub(super) fn entered(&mut self, at: Millis, ran: u64, entry: RevocationEntry) {
        let known = self.outs.iter_mut().find(|out| out.id == entry.id);
        match known {
            Some(out) if out.lost => {
                out.lost = false;
                out.at = at;
            }
            Some(_) => {}
            None => self.outs.push(Out {
                id: entry.id,
                revoked: entry.revoked,
                at,
                ran,
                lost: false,
            }),
        }
    }

    pub(super) fn signed_in(
        &mut self,
        at: Millis,
        ran: u64,
        new: &NewSession,
        before: &[SessionRecord],
        outcome: SignInOutcome,
    ) {
        let max = new.limit.max().map_or(usize::MAX, |max| max as usize);
        match outcome {
            SignInOutcome::Created { record, ended, .. } => {
                if let Some(first) = self.operations.insert(new.operation, record.id)
                    && !self.lost
                {
                    self.problem(format!("{at}: one sign-in made {first} and {}", record.id));
                }
                let given_way: Vec<_> = ended
                    .iter()
                    .filter(|ended| reason(ended) == Some(&EndReason::Evicted))
                    .collect();
                if before.len() - given_way.len().min(before.len()) + 1 > max {
                    self.problem(format!("{at}: more than {max} sessions of {:?}", new.user));
                }
                self.judge_eviction(at, new, before, &given_way, max);
                self.sessions.insert(
                    record.id,
                    Known {
                        user: record.user.clone(),
                        made: at,
                        ran,
                        lost: false,
                        doomed: None,
                        password: None,
                        stamps: HashMap::new(),
                    },
                );
            }
            SignInOutcome::LimitReached { .. }
                if before.len() < max || new.limit.policy() != LimitPolicy::Reject =>
            {
                self.problem(format!("{at}: refused for a limit that is not reached"));
            }
            _ => {}
        }
    }

    fn judge_eviction(
        &mut self,
        at: Millis,
        new: &NewSession,
        before: &[SessionRecord],
        given_way: &[&SessionRecord],
        max: usize,
    ) {
        let wanted = (before.len() + 1).saturating_sub(max);
        if given_way.len() != wanted {
            self.problem(format!("{at}: {} gave way, not {wanted}", given_way.len()));
        }
        if wanted > 0 && new.limit.policy() == LimitPolicy::Reject {
            self.problem(format!("{at}: somebody gave way although nobody has to"));
        }
        let gone: HashSet<_> = given_way.iter().map(|record| record.id).collect();
        let rank = |record: &SessionRecord| (record.refresh.ever_used, record.last_active_at);
        let (went, stay): (Vec<_>, Vec<_>) =
            before.iter().partition(|record| gone.contains(&record.id));
        let last = went.iter().map(|record| rank(record)).max();
        let first = stay.iter().map(|record| rank(record)).min();
        if let (Some(last), Some(first)) = (last, first)
            && last > first
        {
            self.problem(format!(
                "{at}: a session gave way that was used more than another"
            ));
        }
        for id in gone {
            self.doom(id, "gave way");
        }
    }

    pub(super) fn refreshed(
        &mut self,
        at: Millis,
        session: SessionId,
        presented: u32,
        expected: Expected,
        outcome: &RefreshOutcome,
    ) {
        self.judged += 1;
        if !expected.is(outcome) {
            self.problem(format!(
                "{at}: generation {presented} of {session} should be {expected:?}, and was {outcome:?}"
            ));
        }
        if let RefreshOutcome::Granted {
            how: Granted::Advanced(Advance::Replaced),
            committed: None,
            ..
        } = outcome
        {
            self.problem(format!(
                "{at}: a generation of {session} was replaced and is not out"
            ));
        }
    }

    pub(super) fn ended(&mut self, at: Millis, record: &SessionRecord) {
        let why = reason(record).cloned();
        if !self.is_doomed(record.id) {
            self.problem(format!("{at}: {} ended for no reason: {why:?}", record.id));
        }
    }
}

fn reason(record: &SessionRecord) -> Option<&EndReason> {
    record.ended.as_ref().map(|ended| &ended.reason)
}
