//! A check that nobody notices: what a token is worth, without a use of it.

use std::future::Future;

use super::store::{About, Answer, Question};
use super::{ActiveToken, Confirm, Refusal, Revocations};
use crate::clock::Instants;
use crate::error::StoreError;
use crate::verify::VerifiedToken;

impl Revocations {
    /// Checks a token like [`check`](Self::check) and [`ask`](Self::ask), but leaves no trace:
    /// neither does the store hear of a use, nor is the token taken for admitted afterwards.
    ///
    /// `session` reads whether the session of a token of ours is alive; it is awaited only where
    /// this node does not know. Without the store there is no answer, whatever a route would do:
    /// who asks here passes the answer on.
    pub(crate) async fn inspect(
        &self,
        token: VerifiedToken,
        confirm: Confirm,
        now: Instants,
        session: impl Future<Output = Result<Answer, StoreError>>,
    ) -> Result<ActiveToken, Refusal> {
        let facts = token.claims().facts();
        let ours = facts.is_tracked() && confirm != Confirm::Never;
        let always = confirm == Confirm::Always;
        if !always && self.local.is_still_in(token.standing(), ours, now) {
            return Ok(ActiveToken { token });
        }
        let search = self.local.search(facts, now);
        if let Some(effect) = search.effect {
            return Err(effect.into());
        }
        if (!search.sure || always || ours) && self.is_stranger() {
            return Err(Refusal::StoreUnavailable {
                retry_after: super::check::RETRY_AFTER,
            });
        }
        if !search.sure || always {
            let question = Question {
                facts: facts.clone(),
                about: About::Log,
            };
            let asked = self.store.ask(&question);
            let answer = self.within(self.settings.store_timeout, asked).await;
            heard(answer)?;
        }
        if ours {
            heard(session.await)?;
        }
        // The view again: the answers may be older than what was ended here meanwhile.
        if let Some(effect) = self.local.view().effect(facts) {
            return Err(effect.into());
        }
        self.make_home(token.standing());
        Ok(ActiveToken { token })
    }
}

fn heard(answer: Result<Answer, StoreError>) -> Result<(), Refusal> {
    match answer {
        Ok(Answer::Alive) => Ok(()),
        Ok(Answer::Revoked(reason)) => Err(Refusal::Revoked(reason)),
        Ok(Answer::Stale) => Err(Refusal::Stale),
        Ok(Answer::Unknown) => Err(Refusal::UnknownSession),
        Err(error) => {
            tracing::debug!(%error, "the store could not be asked about a token");
            Err(Refusal::StoreUnavailable {
                retry_after: super::check::RETRY_AFTER,
            })
        }
    }
}
