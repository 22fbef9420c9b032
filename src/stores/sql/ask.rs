//! Answers about single tokens.

use super::rows::Rows;
use super::steps::Steps;
use crate::error::StoreError;
use crate::revocation::{About, Answer, Effect, Question};
use crate::session::SessionRecord;
use crate::stores::codec;
use crate::verify::TokenFacts;

/// An answer, and the session that has to be written down as used first.
#[derive(Debug)]
pub(super) struct Look {
    pub(super) answer: Answer,
    pub(super) mark: Option<SessionRecord>,
}

impl From<Answer> for Look {
    fn from(answer: Answer) -> Self {
        Self { answer, mark: None }
    }
}

impl<R: Rows> Steps<R> {
    /// Answers, and marks the generation used where it has to be.
    pub(super) async fn ask(&mut self, question: &Question) -> Result<Answer, StoreError> {
        let look = self.look(question).await?;
        if let Some(record) = look.mark {
            self.rows.update(&record, None).await?;
        }
        Ok(look.answer)
    }

    /// Answers without writing anything.
    ///
    /// It may run beside all transactions, without a snapshot: what it reads only ever goes from
    /// alive to not alive, so a "yes" held when it began.
    pub(super) async fn look(&mut self, question: &Question) -> Result<Look, StoreError> {
        let logged = self.ask_log(&question.facts).await?;
        if logged != Answer::Alive || question.about == About::Log {
            return Ok(logged.into());
        }
        self.ask_session(&question.facts).await
    }

    async fn ask_log(&mut self, facts: &TokenFacts) -> Result<Answer, StoreError> {
        let subjects = codec::subjects_of(facts);
        let entries = self.rows.log_about(&subjects, self.now).await?;
        if entries.is_empty() {
            return Ok(Answer::Alive);
        }
        let limits = self.rows.fleet().await?.limits;
        let skew = limits.map(|limits| limits.skew).unwrap_or_default();
        let mut answer = Answer::Alive;
        for entry in entries {
            match entry.effect_on(facts, skew) {
                Some(Effect::Revoked(reason)) => return Ok(Answer::Revoked(reason)),
                Some(Effect::Stale) => answer = Answer::Stale,
                None => {}
            }
        }
        Ok(answer)
    }

    async fn ask_session(&mut self, facts: &TokenFacts) -> Result<Look, StoreError> {
        let found = match facts.session {
            Some(id) => self.rows.session(id).await?,
            None => None,
        };
        let Some(found) = found.filter(|found| found.record.user == facts.user) else {
            return Ok(Answer::Unknown.into());
        };
        let excused = self.excuses([&found.record], self.now).await?;
        if let Some(reason) = found.over(self.now, excused) {
            return Ok(Answer::Revoked(reason).into());
        }
        let stale = facts
            .binding
            .is_some_and(|binding| binding.roles_gen < found.counters.roles_gen);
        if stale {
            return Ok(Answer::Stale.into());
        }
        let generation = facts.binding.map(|binding| binding.generation);
        let mut record = found.record;
        let is_current = generation == Some(record.refresh.generation);
        let marked = record.refresh.ever_used && (record.refresh.used || !is_current);
        record.refresh.ever_used = true;
        record.refresh.used |= is_current;
        Ok(Look {
            answer: Answer::Alive,
            mark: (!marked).then_some(record),
        })
    }
}
