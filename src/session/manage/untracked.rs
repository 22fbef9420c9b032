//! Tokens that no session stands behind.

use std::fmt;
use std::future::IntoFuture;
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;

use super::Sessions;
use super::done::Done;
use super::error::SessionError;
use super::sign_in::{SignInTicket, expiry};
use crate::BoxFuture;
use crate::clock::UnixTime;
use crate::events::Event;
use crate::revocation::{EndReason, Revoked};
use crate::session::Grants;
use crate::session::core::Core;
use crate::session::mint::{AccessToken, StandsFor};
use crate::token::{TokenId, UserId};
use crate::verify::{Binding, CustomClaims, Untracked};

impl<C: CustomClaims> Sessions<C> {
    /// Makes an access token that no session stands behind: nothing is written, so it is neither
    /// counted nor listed, no limit applies, and nothing refreshes it. For what is over in a
    /// while, as a job that acts for a user.
    ///
    /// It ends when it expires, with everything of its user ([`end_all`](Self::end_all),
    /// [`erase`](Self::erase), a sign-in that finds the user gone), by its id
    /// ([`revoke_untracked`](Self::revoke_untracked)) or by its text
    /// ([`end_by_access_token`](Self::end_by_access_token)). After a
    /// [change of roles](Self::roles_changed) it is answered `token_stale`, and has to be made anew.
    ///
    /// # Security
    ///
    /// Off by default. It is made where the policy [accepts such tokens], and good where
    /// a layer [takes them], too; the endpoints of this crate do not. The store is asked about it
    /// only where the view cannot answer or every request asks: with an emptied store, revocations that no
    /// node remembers are forgotten, as with [`Confirm::Never`](crate::revocation::Confirm::Never).
    /// It says nothing of when its user proved who they are, so it passes no
    /// [`RequireFresh`](crate::guard::RequireFresh).
    ///
    /// [accepts such tokens]: crate::verify::TokenPolicy::with_untracked
    /// [takes them]: crate::JwtSessionLayer::with_untracked
    ///
    /// # Examples
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use std::time::Duration;
    /// use tower_jwt_session::verify::{TokenPolicy, Untracked};
    /// use tower_jwt_session::{JwtSession, UserId};
    ///
    /// let auth = JwtSession::builder()
    ///     .hmac_secret("a secret of at least 32 bytes, kept elsewhere")
    ///     .token_policy(TokenPolicy::new("https://id.example", "api").with_untracked(Untracked::Accept))
    ///     .build()?;
    /// let reports = auth.layer().with_untracked(Untracked::Accept); // around what jobs may call
    ///
    /// let ada = UserId::new("ada")?;
    /// let ticket = auth.sessions().ticket(&ada).await?; // before the user is looked at
    /// let issued = auth.sessions().issue_untracked(ticket);
    /// let token = issued.lifetime(Duration::from_secs(600)).await?;
    /// assert_eq!(auth.sessions().count(&ada).await?, 0);
    ///
    /// auth.sessions().revoke_untracked(&ada, &token.id).await?;
    /// assert!(auth.parse(&token.access_token).await.is_err());
    /// # let _ = reports;
    /// # Ok(()) }
    /// ```
    pub fn issue_untracked(&self, ticket: SignInTicket) -> IssueUntracked<C> {
        IssueUntracked {
            lifetime: self.core.lifetimes.access(),
            core: self.core.clone(),
            ticket,
        }
    }

    /// Revokes an untracked token of a user by its id. That it was ever made is known to nobody,
    /// so an unknown id is no error, and a token of a session is not meant: that is
    /// [`revoke_token`](Self::revoke_token).
    ///
    /// # Errors
    ///
    /// [`SessionError::Store`], and then the token is refused here while the write is repeated
    /// until its outcome is known.
    pub async fn revoke_untracked(
        &self,
        user: &UserId,
        token: &TokenId,
    ) -> Result<Done, SessionError> {
        let (token, user) = (token.clone(), Some(user.clone()));
        self.revoke(Revoked::Token { token, user }, EndReason::UserRevoked)
            .await
    }
}

/// An untracked token to make; nothing happens until it is awaited.
///
/// Awaiting it fails with [`SessionError::InvalidInput`] where the policy accepts no such tokens,
/// or the lifetime is none or longer than that of other access tokens;
/// [`SessionError::TicketOutdated`] five minutes after the ticket was taken, or when the token would
/// have expired by now;
/// [`SessionError::UnknownUser`]; [`SessionError::ClaimsSource`] and [`SessionError::Token`].
#[must_use = "nothing happens until it is awaited"]
pub struct IssueUntracked<C> {
    core: Arc<Core<C>>,
    ticket: SignInTicket,
    lifetime: Duration,
}

impl<C> IssueUntracked<C> {
    /// How long it lives from when the ticket was taken, at most as long as other access tokens.
    /// Defaults to that: a revocation is remembered for so long.
    pub fn lifetime(mut self, lifetime: Duration) -> Self {
        self.lifetime = lifetime;
        self
    }
}

/// A token that no session stands behind; serialises as RFC 6749, section 5.1.
#[derive(Clone, Serialize)]
#[non_exhaustive]
pub struct UntrackedToken {
    /// The access token.
    pub access_token: String,
    /// Always `Bearer`.
    pub token_type: &'static str,
    /// Seconds until it expires.
    pub expires_in: u64,
    /// What it is revoked by. Nobody else keeps it.
    #[serde(skip)]
    pub id: TokenId,
    /// When it expires.
    #[serde(skip)]
    pub expires_at: UnixTime,
}

impl<C: CustomClaims> IntoFuture for IssueUntracked<C> {
    type Output = Result<UntrackedToken, SessionError>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.run())
    }
}

impl<C: CustomClaims> IssueUntracked<C> {
    async fn run(self) -> Result<UntrackedToken, SessionError> {
        let core = &self.core;
        if core.verifier.policy().untracked == Untracked::Refuse {
            return Err(SessionError::InvalidInput {
                what: "the policy accepts no untracked tokens",
            });
        }
        if self.lifetime.is_zero() || self.lifetime > core.lifetimes.access() {
            return Err(SessionError::InvalidInput {
                what: "an untracked token lives no longer than other access tokens",
            });
        }
        self.ticket.check(core.clock.now())?;
        let user = &self.ticket.user;
        let Some(grants) = core.grants(user).await? else {
            core.forget_user(user).await?;
            return Err(SessionError::UnknownUser);
        };
        let token = self.mint(&grants)?;
        if token.expires_at <= core.clock.now() {
            return Err(SessionError::TicketOutdated);
        }
        core.observe(&Event::UntrackedIssued {
            user: user.clone(),
            token: token.id.clone(),
            expires_at: token.expires_at,
        });
        Ok(token)
    }

    /// The times are those of before the counters were read, so whatever ends everything of the
    /// user later is remembered for as long as the token lives.
    fn mint(&self, grants: &Grants<C>) -> Result<UntrackedToken, SessionError> {
        let SignInTicket {
            user,
            counters,
            taken_at,
        } = &self.ticket;
        let verifier = &self.core.verifier;
        let id = TokenId::random();
        let expires_at = expiry(*taken_at, self.lifetime);
        let token = AccessToken {
            user,
            stands_for: StandsFor::Itself(&id),
            binding: Binding {
                generation: Binding::NO_GENERATION,
                revoked_gen: counters.revoked_gen,
                roles_gen: counters.roles_gen,
            },
            issued_at: taken_at.floor_to_secs(),
            expires_at,
            roles: &grants.roles,
            scopes: &grants.scopes,
            custom: &grants.custom,
        };
        Ok(UntrackedToken {
            access_token: token.mint(verifier.keys(), verifier.policy())?,
            token_type: "Bearer",
            expires_in: expires_at.since(self.core.clock.now()).as_secs(),
            id,
            expires_at,
        })
    }
}

impl<C> fmt::Debug for IssueUntracked<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IssueUntracked")
            .field("user", self.ticket.user())
            .field("lifetime", &self.lifetime)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for UntrackedToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UntrackedToken")
            .field("id", &self.id)
            .field("expires_in", &self.expires_in)
            .finish_non_exhaustive()
    }
}
