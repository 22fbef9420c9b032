//! The check of one token: by the view where that can answer, else by the store.

use std::sync::Arc;
use std::time::Duration;

use super::entry::Effect;
use super::local::Stamp;
use super::policy::{Confirm, OnStoreFailure, Terms};
use super::store::{About, Answer, Question};
use super::{ActiveToken, Refusal, Revocations};
use crate::clock::{Instants, UnixTime};
use crate::verify::{Standing, TokenFacts, VerifiedToken};

/// What the local check says.
#[derive(Debug)]
pub(crate) enum Verdict {
    /// Come in.
    Active(ActiveToken),
    /// The store has to be asked.
    Ask(Box<Pending>),
    /// Stay out.
    Refused(Refusal),
}

/// A check that waits for the store. It says what has to be asked, and holds the stamp that was
/// read before.
#[derive(Debug)]
pub(crate) struct Pending {
    token: VerifiedToken,
    question: Question,
    stamp: Stamp,
    /// Whether the answer to another's question of the same stamp will do; else only to one that
    /// is sent from now on.
    shared: bool,
    asked_at: UnixTime,
    on_store_failure: OnStoreFailure,
}

impl Pending {
    pub(crate) fn token(&self) -> &VerifiedToken {
        &self.token
    }
}

impl Revocations {
    /// Checks a token without leaving the process.
    ///
    /// A token that was admitted before and about whose user nothing changed since costs a few
    /// loads and no allocation.
    pub(crate) fn check(&self, token: VerifiedToken, terms: &Terms, now: Instants) -> Verdict {
        let is_in = |confirmed| self.local.is_still_in(token.standing(), confirmed, now);
        let is_still_in = match terms.confirm {
            Confirm::Always => false,
            // In this order: what was confirmed is let in without a look at what it says.
            Confirm::FirstSight => {
                is_in(true) || !token.claims().facts().is_tracked() && is_in(false)
            }
            Confirm::Never => is_in(false),
        };
        if is_still_in {
            return Verdict::Active(ActiveToken { token });
        }
        self.look(token, terms, now)
    }

    /// Searches the view, and finds out whether the store has to be asked.
    #[inline(never)]
    fn look(&self, token: VerifiedToken, terms: &Terms, now: Instants) -> Verdict {
        let facts = token.claims().facts();
        let search = self.local.search(facts, now);
        if let Some(effect) = search.effect {
            return Verdict::Refused(effect.into());
        }
        let stamp = search.stamp;
        let first_sight = terms.confirm == Confirm::FirstSight
            && facts.is_tracked()
            && !self.local.is_confirmed(token.standing(), stamp.era);
        let must_ask = !search.sure || terms.confirm == Confirm::Always;
        if !must_ask && !first_sight {
            return Verdict::Active(self.admit(token, stamp, false));
        }
        if !must_ask && let Some(answer) = self.answers.get(facts, stamp, now.wall) {
            return match self.settle(token, stamp, About::Session, answer) {
                Ok(active) => Verdict::Active(active),
                Err(refusal) => Verdict::Refused(refusal),
            };
        }
        Verdict::Ask(Box::new(Pending {
            question: Question::of(facts, terms.confirm),
            stamp,
            shared: !must_ask,
            asked_at: now.wall,
            on_store_failure: terms.on_store_failure,
            token,
        }))
    }

    /// Asks the store what the local check could not answer.
    pub(crate) async fn ask(
        self: Arc<Self>,
        pending: Box<Pending>,
    ) -> Result<ActiveToken, Refusal> {
        let answer = if pending.shared {
            let flight = self
                .flights
                .join(&pending.question, pending.stamp, || self.question(&pending));
            // The whole flight, also where it has to be flown again because its first passenger
            // left.
            tokio::time::timeout(self.settings.store_timeout, flight)
                .await
                .unwrap_or_default()
        } else {
            self.question(&pending).await
        };
        match answer {
            Some(answer) => {
                let about = pending.question.about;
                self.settle(pending.token, pending.stamp, about, answer)
            }
            None => self.without_store(*pending),
        }
    }

    /// Asks the store about a token that was already admitted, as for a route that wants it.
    ///
    /// Only an answer to a question sent from now on counts, and without the store there is none.
    pub(crate) async fn confirm(
        self: Arc<Self>,
        token: ActiveToken,
    ) -> Result<ActiveToken, Refusal> {
        let terms = Terms {
            confirm: Confirm::Always,
            on_store_failure: OnStoreFailure::Reject,
        };
        let now = self.clock.instants();
        match self.check(token.token, &terms, now) {
            Verdict::Active(active) => Ok(active),
            Verdict::Ask(pending) => self.ask(pending).await,
            Verdict::Refused(refusal) => Err(refusal),
        }
    }

    /// The answer of the store, if it comes in time.
    async fn question(&self, pending: &Pending) -> Option<Answer> {
        if self.is_stranger() {
            return None;
        }
        let asked = self.store.ask(&pending.question);
        let answer = match self.within(self.settings.store_timeout, asked).await {
            Ok(answer) => answer,
            Err(error) => {
                tracing::debug!(%error, "the store could not be asked about a token");
                return None;
            }
        };
        if pending.question.about == About::Session {
            let facts = &pending.question.facts;
            self.answers
                .put(facts, pending.stamp, pending.asked_at, &answer);
        }
        Some(answer)
    }

    /// What an answer means for a token whose stamp was read before the question was sent.
    fn settle(
        &self,
        token: VerifiedToken,
        stamp: Stamp,
        about: About,
        answer: Answer,
    ) -> Result<ActiveToken, Refusal> {
        match answer {
            Answer::Alive => {}
            Answer::Revoked(reason) => return Err(Refusal::Revoked(reason)),
            Answer::Stale => return Err(Refusal::Stale),
            Answer::Unknown => return Err(Refusal::UnknownSession),
        }
        // The view again: the answer may be older than what was ended here meanwhile.
        match self.local.view().effect(token.claims().facts()) {
            Some(effect) => Err(effect.into()),
            None => Ok(self.admit(token, stamp, about == About::Session)),
        }
    }

    fn without_store(&self, pending: Pending) -> Result<ActiveToken, Refusal> {
        let token = pending.token;
        if let Some(effect) = self.local.view().effect(token.claims().facts()) {
            return Err(effect.into());
        }
        let goes_on = pending.on_store_failure == OnStoreFailure::AcceptVerifiedUntilExpiry
            && self.local.may_go_on(token.standing());
        if goes_on {
            Ok(ActiveToken { token })
        } else {
            Err(Refusal::StoreUnavailable {
                retry_after: RETRY_AFTER,
            })
        }
    }

    fn admit(&self, token: VerifiedToken, stamp: Stamp, confirmed: bool) -> ActiveToken {
        let standing = token.standing();
        self.make_home(standing);
        self.local
            .admit(token.claims().facts(), standing, stamp, confirmed);
        ActiveToken { token }
    }

    /// Lets a token find this view again.
    pub(super) fn make_home(&self, standing: &Standing) {
        if standing.home.get().is_none()
            && let Some(home) = self.me.upgrade()
        {
            // Whoever was first set the same view.
            let _ = standing.home.set(home);
        }
    }
}

impl Question {
    /// What has to be asked about a token. Untracked ones, and those that we did not issue, have no
    /// session here.
    fn of(facts: &TokenFacts, confirm: Confirm) -> Self {
        let about = if facts.is_tracked() && confirm != Confirm::Never {
            About::Session
        } else {
            About::Log
        };
        Self {
            facts: facts.clone(),
            about,
        }
    }
}

impl From<Effect> for Refusal {
    fn from(effect: Effect) -> Self {
        match effect {
            Effect::Revoked(reason) => Self::Revoked(reason),
            Effect::Stale => Self::Stale,
        }
    }
}

/// Long enough for a failover of a connection, short enough that a user still waits.
pub(crate) const RETRY_AFTER: Duration = Duration::from_secs(1);
