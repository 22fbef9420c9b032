//! Signing out by a token.

use super::Sessions;
use super::done::Done;
use super::end::itself;
use super::error::SessionError;
use crate::BoxFuture;
use crate::clock::UnixTime;
use crate::events::Event;
use crate::revocation::{
    Committed, EndReason, EntryId, RETRY_AFTER, RevocationEntry, Revoked, WriteKey,
};
use crate::session::refresh::RefreshToken;
use crate::token::RawToken;
use crate::verify::CustomClaims;

impl<C: CustomClaims> Sessions<C> {
    /// Ends the session of a refresh token, also of one that was used before.
    ///
    /// # Errors
    ///
    /// [`SessionError::InvalidToken`] for a text that is none of ours, or whose session is
    /// forgotten; as for [`end`](Self::end).
    pub async fn end_by_refresh_token(&self, refresh_token: &str) -> Result<Done, SessionError> {
        let core = &self.core;
        let token = RefreshToken::decode(refresh_token, &core.refresh_keys.load())
            .map_err(|_| SessionError::InvalidToken)?;
        let found = core.within(core.store.find(token.session())).await?;
        // The seed as well: the key alone must not be enough to sign somebody out.
        let record = found
            .filter(|record| record.refresh.seed == token.seed_hash())
            .ok_or(SessionError::InvalidToken)?;
        self.end_own(&record.user, record.id, EndReason::SignedOut)
            .await
    }

    /// Ends the session of an access token, also of one that has merely expired.
    ///
    /// A token that we did not issue, that is [untracked](Self::issue_untracked), or that is older than
    /// our sessions, has no session here: it is revoked by the session that it names, or by its own id.
    ///
    /// # Errors
    ///
    /// [`SessionError::InvalidToken`] for a token that is not genuine;
    /// [`SessionError::Overloaded`] when so many bad ones came that it was not looked at;
    /// [`SessionError::InvalidInput`] for one that there is nothing to revoke by; as for
    /// [`end`](Self::end).
    pub async fn end_by_access_token(&self, access_token: &str) -> Result<Done, SessionError> {
        let now = self.core.clock.instants().wall;
        let token = self
            .core
            .verifier
            .verify_ignoring_expiry(RawToken::from_parameter(access_token), now)
            .map_err(|error| match error.is_busy() {
                true => SessionError::Overloaded {
                    retry_after: RETRY_AFTER,
                },
                false => SessionError::InvalidToken,
            })?;
        let facts = token.claims().facts();
        match (facts.binding, facts.session, &facts.token) {
            (Some(_), Some(id), _) => self.end_own(&facts.user, id, EndReason::SignedOut).await,
            (_, Some(session), _) => {
                let user = Some(facts.user.clone());
                self.revoke(Revoked::Session { session, user }, EndReason::SignedOut)
                    .await
            }
            (_, None, Some(token)) => {
                let (token, user) = (token.clone(), Some(facts.user.clone()));
                self.revoke(Revoked::Token { token, user }, EndReason::SignedOut)
                    .await
            }
            (_, None, None) => Err(SessionError::InvalidInput {
                what: "the token names neither a session nor itself, so it cannot be revoked alone",
            }),
        }
    }

    /// Revokes what has no session here.
    pub(super) async fn revoke(
        &self,
        revoked: Revoked,
        reason: EndReason,
    ) -> Result<Done, SessionError> {
        let key = WriteKey::of(&revoked);
        let told = token_revoked(&revoked, &reason);
        let tentative = self.core.tentative(EntryId::random(), revoked, reason);
        let store = self.core.store.clone();
        let entry = RevocationEntry {
            at: UnixTime::EPOCH,
            until: UnixTime::EPOCH,
            ..tentative.clone()
        };
        let write = move || -> BoxFuture<'static, _> {
            let (store, entry) = (store.clone(), entry.clone());
            Box::pin(async move { store.append(vec![entry]).await })
        };
        let revocations = &self.core.revocations;
        let core = self.core.clone();
        let tell = move |_: &Committed| {
            if let Some(event) = &told {
                core.observe(event);
            }
        };
        let written = revocations.commit(key, vec![tentative], write, itself, tell);
        Ok(self.core.done(0, Some(written.await?)))
    }
}

fn token_revoked(revoked: &Revoked, reason: &EndReason) -> Option<Event> {
    let (session, token) = match revoked {
        Revoked::Session { session, .. } => (Some(*session), None),
        Revoked::Token { token, .. } => (None, Some(token.clone())),
        Revoked::Roles { .. } | Revoked::User { .. } => return None,
    };
    Some(Event::TokenRevoked {
        user: revoked.user()?.clone(),
        session,
        token,
        reason: reason.clone(),
    })
}
