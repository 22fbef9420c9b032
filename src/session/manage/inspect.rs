//! What tokens are worth, found out by reading alone.

use super::Sessions;
use super::error::SessionError;
use crate::clock::UnixTime;
use crate::error::StoreError;
use crate::revocation::Answer;
use crate::session::core::Core;
use crate::session::record::{Authentication, SessionRecord};
use crate::session::refresh::{RefreshDecision, RefreshToken};
use crate::session::store::{Listing, RefreshAttempt};
use crate::token::{SessionId, UserId};
use crate::verify::{CustomClaims, TokenFacts};

/// What is known of a refresh token that would be accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RefreshTokenInfo {
    /// Whose it is.
    pub user: UserId,
    /// The session that it refreshes.
    pub session: SessionId,
    /// Its generation.
    pub generation: u32,
    /// When it was made; known of the current generation alone.
    pub issued_at: Option<UnixTime>,
    /// Until when it would be accepted if nothing happens before.
    pub expires_at: UnixTime,
    /// When the user last proved who they are.
    pub authenticated_at: UnixTime,
    /// How.
    pub authentication: Authentication,
}

impl<C: CustomClaims> Sessions<C> {
    /// What a refresh token is worth, without using it: `None` where
    /// [`refresh`](Self::refresh) would refuse it.
    ///
    /// Changes nothing: a token that was used before ends no session here. At the edges of a
    /// grace the answer is by this node's clock, that of a refresh by the store's.
    ///
    /// # Errors
    ///
    /// [`SessionError::Store`].
    pub async fn inspect_refresh_token(
        &self,
        refresh_token: &str,
    ) -> Result<Option<RefreshTokenInfo>, SessionError> {
        let core = &self.core;
        let keys = core.refresh_keys.load_full();
        let Ok(token) = RefreshToken::decode(refresh_token, &keys) else {
            return Ok(None);
        };
        let found = core.within(core.store.find(token.session())).await?;
        let Some(found) = found.filter(|record| record.ended.is_none()) else {
            return Ok(None);
        };
        let record = core.live_session(&found.user, found.id).await?;
        let genuine = record.filter(|record| record.refresh.seed == token.seed_hash());
        let now = core.clock.now();
        let attempt = core.attempt(&token, now);
        Ok(genuine.and_then(|record| RefreshTokenInfo::of(record, &attempt, now)))
    }
}

impl RefreshTokenInfo {
    /// Decides as the store would, on a copy.
    fn of(record: SessionRecord, attempt: &RefreshAttempt, now: UnixTime) -> Option<Self> {
        let RefreshAttempt {
            presented, rules, ..
        } = attempt;
        let state = &record.refresh;
        let end = record.absolute_expires_at;
        match state.decide(presented, rules, end, now) {
            RefreshDecision::Advance { .. }
            | RefreshDecision::Repeat { .. }
            | RefreshDecision::TooMany => {}
            RefreshDecision::Expired | RefreshDecision::Theft => return None,
        }
        let expires_at = if presented.generation < state.generation {
            state.predecessor_expires_at + rules.grace
        } else {
            state.expires_at
        };
        Some(Self {
            session: record.id,
            generation: presented.generation,
            issued_at: (presented.generation == state.generation).then_some(state.issued_at),
            expires_at: expires_at.min(end),
            authenticated_at: record.authenticated_at,
            authentication: record.authentication,
            user: record.user,
        })
    }
}

impl<C> Core<C> {
    /// Whether the session of one of our access tokens is alive, and its roles are of now. Unlike
    /// a question about a token, this is no use of it.
    pub(crate) async fn read_session(&self, facts: &TokenFacts) -> Result<Answer, StoreError> {
        let (Some(session), Some(binding)) = (facts.session, facts.binding) else {
            return Ok(Answer::Unknown);
        };
        if self.live_session(&facts.user, session).await?.is_none() {
            return Ok(Answer::Unknown);
        }
        let counters = self.within(self.store.counters(&facts.user)).await?;
        if binding.roles_gen < counters.roles_gen {
            return Ok(Answer::Stale);
        }
        Ok(Answer::Alive)
    }

    /// Alive by the store's own clock and counters.
    pub(super) async fn live_session(
        &self,
        user: &UserId,
        id: SessionId,
    ) -> Result<Option<SessionRecord>, StoreError> {
        let live = self.within(self.store.list(user, Listing::Live)).await?;
        Ok(live.into_iter().find(|record| record.id == id))
    }
}
