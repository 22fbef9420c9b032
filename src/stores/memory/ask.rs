//! Answers about single tokens.

use super::state::{IDLE_SUSPENDED, State};
use crate::clock::UnixTime;
use crate::revocation::{About, Answer, Effect, EndReason, Question};
use crate::session::SessionRecord;
use crate::verify::TokenFacts;

impl State {
    pub(super) fn ask(&mut self, question: &Question, now: UnixTime) -> Answer {
        self.log.purge(now);
        let logged = self.ask_log(&question.facts);
        if logged != Answer::Alive || question.about == About::Log {
            return logged;
        }
        let answer = self.ask_session(&question.facts, now);
        if answer == Answer::Alive {
            self.mark_used(&question.facts);
        }
        answer
    }

    fn ask_log(&self, facts: &TokenFacts) -> Answer {
        let skew = self.limits.map(|limits| limits.skew).unwrap_or_default();
        let mut answer = Answer::Alive;
        for entry in self.log.about(facts) {
            match entry.effect_on(facts, skew) {
                Some(Effect::Revoked(reason)) => return Answer::Revoked(reason),
                Some(Effect::Stale) => answer = Answer::Stale,
                None => {}
            }
        }
        answer
    }

    fn ask_session(&self, facts: &TokenFacts, now: UnixTime) -> Answer {
        let record = facts.session.and_then(|id| self.records.get(id));
        let Some(record) = record.filter(|record| record.user == facts.user) else {
            return Answer::Unknown;
        };
        if let Some(reason) = self.over(record, now) {
            return Answer::Revoked(reason);
        }
        let roles_gen = self.counters(&facts.user).roles_gen;
        match facts.binding {
            Some(binding) if binding.roles_gen < roles_gen => Answer::Stale,
            _ => Answer::Alive,
        }
    }

    /// Why a session is over, ended or not.
    pub(super) fn over(&self, record: &SessionRecord, now: UnixTime) -> Option<EndReason> {
        let revoked_gen = self.counters(&record.user).revoked_gen;
        record.over(now, revoked_gen, IDLE_SUSPENDED)
    }

    fn mark_used(&mut self, facts: &TokenFacts) {
        let Some(id) = facts.session else { return };
        self.records.update(id, |record| {
            record.refresh.ever_used = true;
            let presented = facts.binding.map(|binding| binding.generation);
            if presented == Some(record.refresh.generation) {
                record.refresh.used = true;
            }
        });
    }
}
