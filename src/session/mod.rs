//! Step 4: the [`Session`] that a handler receives, and the verbs around it.

mod activity;
mod audit;
mod claims;
mod coordinates;
pub(crate) mod core;
mod device;
pub(crate) mod failures;
mod guarded;
mod idleness;
mod lifetimes;
mod limit;
mod manage;
mod mark;
mod mint;
mod pages;
mod place;
mod population;
mod record;
pub mod refresh;
mod renewals;
mod requests;
pub mod risk;
mod rotation;
mod store;
mod upkeep;

use std::any::{Any, TypeId};
use std::fmt;
use std::marker::PhantomData;
use std::time::Duration;

pub(crate) use activity::Activity;
pub use audit::{AuditCursor, AuditEntry, AuditLog, AuditPage, AuditRequest, InvalidAuditCursor};
pub(crate) use claims::DynClaimsSource;
pub use claims::{ClaimsSource, Grants, NoGrants};
pub use coordinates::Coordinates;
pub use device::{Device, DeviceKind};
pub use failures::{FailureCounts, RefreshFailure};
pub(crate) use guarded::Guarded;
pub use idleness::Idleness;
pub use lifetimes::Lifetimes;
pub use limit::{LimitDecision, LimitPolicy, SessionLimit};
#[cfg(feature = "browser")]
pub(crate) use manage::UserDevices;
pub use manage::{
    CleanedUp, Done, EndAll as EndAllSessions, IssueUntracked, RefreshTokenInfo, SessionError,
    SessionInfo, SessionStatistics, Sessions, SignIn, SignInTicket, SignedIn, Tokens,
    UntrackedToken,
};
pub(crate) use mark::DeviceCookies;
pub use mark::{DeviceCookie, DeviceMark};
pub(crate) use place::Placing;
pub use place::{AddressDetail, Gateway, Locator, Place};
pub use population::Population;
pub use record::{Authentication, Ended, SessionRecord, Transport};
pub use rotation::Rotation;
pub use store::{
    Counters, EndAll, EndAllOutcome, EndOutcome, EndSession, Granted, Listing, NewSession, Page,
    PageRequest, RefreshAttempt, RefreshOutcome, SessionChange, SessionStore, SignInOutcome, Swept,
    Use,
};
pub use upkeep::{Export, ExportCursor, Imported, StoredSession, Upkeep};

use crate::clock::UnixTime;
use crate::rejection::Rejection;
use crate::revocation::{ActiveToken, EndReason};
use crate::token::{SessionId, TokenId, UserId};
use crate::verify::{CustomClaims, NoClaims, TokenClaims};

/// Who sent a request, on which session: what a handler receives.
///
/// It exists only behind a [`JwtSessionLayer`](crate::JwtSessionLayer) that verified the token and
/// found it not revoked. Cloning is cheap.
pub struct Session<C = NoClaims> {
    active: ActiveToken,
    claims: PhantomData<fn() -> C>,
}

impl Session {
    pub(crate) fn from_active(active: ActiveToken) -> Self {
        Self {
            active,
            claims: PhantomData,
        }
    }

    /// The same session with the application's own claims.
    ///
    /// # Errors
    ///
    /// [`Rejection::Misconfigured`] when the layer was built for another type of claims.
    pub fn with_claims<C: CustomClaims>(self) -> Result<Session<C>, Rejection> {
        let wanted = TypeId::of::<C>();
        if wanted != TypeId::of::<NoClaims>() && self.token().custom::<C>().is_none() {
            return Err(Rejection::Misconfigured {
                what: "the handler asks for another type of claims than the layer was built for",
            });
        }
        Ok(Session {
            active: self.active,
            claims: PhantomData,
        })
    }
}

impl<C> Session<C> {
    /// The user: the `sub` claim.
    #[must_use]
    pub fn subject(&self) -> &UserId {
        &self.token().facts().user
    }

    /// The session; `None` for other issuers' tokens that name none.
    #[must_use]
    pub fn id(&self) -> Option<SessionId> {
        self.token().facts().session
    }

    /// The token's id.
    #[must_use]
    pub fn token_id(&self) -> Option<&TokenId> {
        self.token().facts().token.as_ref()
    }

    /// When the token expires; the session may go on by a refresh.
    #[must_use]
    pub fn expires_at(&self) -> UnixTime {
        self.token().facts().expires_at
    }

    /// The registered claims of the token.
    #[must_use]
    pub fn token(&self) -> &TokenClaims {
        self.active.claims()
    }

    /// Whether the user has a role, compared byte by byte.
    #[must_use]
    pub fn has_role(&self, role: &str) -> bool {
        self.token().roles().any(|have| have == role)
    }

    /// Whether the token has a scope.
    #[must_use]
    pub fn has_scope(&self, scope: &str) -> bool {
        self.token().scopes().any(|have| have == scope)
    }

    /// Lets only users with a role pass.
    ///
    /// # Errors
    ///
    /// [`Rejection::InsufficientRole`], a 403.
    pub fn require_role(&self, role: &str) -> Result<(), Rejection> {
        if self.has_role(role) {
            Ok(())
        } else {
            Err(Rejection::InsufficientRole)
        }
    }

    /// Lets only users with one of several roles pass.
    ///
    /// # Errors
    ///
    /// [`Rejection::InsufficientRole`], a 403.
    pub fn require_any_role<'r>(
        &self,
        roles: impl IntoIterator<Item = &'r str>,
    ) -> Result<(), Rejection> {
        if roles.into_iter().any(|role| self.has_role(role)) {
            Ok(())
        } else {
            Err(Rejection::InsufficientRole)
        }
    }

    /// Lets only tokens with a scope pass.
    ///
    /// # Errors
    ///
    /// [`Rejection::InsufficientScope`], a 403.
    pub fn require_scope(&self, scope: &str) -> Result<(), Rejection> {
        if self.has_scope(scope) {
            Ok(())
        } else {
            Err(Rejection::InsufficientScope {
                scope: scope.to_owned(),
            })
        }
    }

    /// Lets only users pass who proved who they are less than `max_age` ago.
    ///
    /// A token that does not say when that was, is not fresh.
    ///
    /// # Errors
    ///
    /// [`Rejection::InsufficientAuthentication`], a 401 that asks for a new sign-in (RFC 9470).
    pub fn require_fresh(&self, max_age: Duration) -> Result<(), Rejection> {
        let now = || Some(self.active.revocations()?.clock().instants().wall);
        let fresh = self
            .token()
            .authenticated_at()
            .and_then(|at| now().map(|now| now < at + max_age))
            .unwrap_or(false);
        if fresh {
            Ok(())
        } else {
            Err(Rejection::InsufficientAuthentication { max_age })
        }
    }

    /// Asks the store whether the session is alive, whatever the layer is set to.
    ///
    /// # Errors
    ///
    /// [`Rejection::TokenRevoked`] and [`Rejection::TokenStale`] when it is not,
    /// [`Rejection::StoreUnavailable`] when the store cannot say.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future takes the question back.
    pub fn confirm(&self) -> impl Future<Output = Result<(), Rejection>> + Send + use<C> {
        let active = self.active.clone();
        async move {
            let Some(revocations) = active.revocations() else {
                return Err(Rejection::Misconfigured {
                    what: "a session whose store is gone cannot be confirmed",
                });
            };
            revocations.confirm(active).await?;
            Ok(())
        }
    }

    /// Resolves when the session is over for this token: ended, or the token expired and the
    /// session was not refreshed by then. With [`EndReason::Unconfirmed`] when this node cannot
    /// tell any more, unless its terms are to go on without the store.
    ///
    /// For answers that go on for long, as event streams and downloads: select between it and the
    /// work. It reads what this node knows, and asks the store where that has become too old and
    /// when the token expires. [`EndReason::RolesChanged`] and [`EndReason::Replaced`] concern the
    /// token: its session goes on with the one that a refresh brings.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future is all it takes to stop waiting.
    pub fn ended(&self) -> impl Future<Output = EndReason> + Send + use<C> {
        let active = self.active.clone();
        async move {
            match active.revocations() {
                Some(revocations) => revocations.ended(active).await,
                None => EndReason::Expired,
            }
        }
    }

    pub(crate) fn active(&self) -> &ActiveToken {
        &self.active
    }
}

impl<C: CustomClaims> Session<C> {
    /// The application's own claims.
    #[must_use]
    pub fn claims(&self) -> &C {
        const NONE: NoClaims = NoClaims {};
        self.token()
            .custom()
            .or_else(|| (&NONE as &dyn Any).downcast_ref())
            .expect("with_claims has seen that they are of this type")
    }
}

impl<C> Clone for Session<C> {
    fn clone(&self) -> Self {
        Self {
            active: self.active.clone(),
            claims: PhantomData,
        }
    }
}

impl<C> fmt::Debug for Session<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Session").field(self.token()).finish()
    }
}
