//! What a verified token says.

mod members;
mod payload;
mod rules;
mod shared;
mod times;
mod values;

use std::any::Any;
use std::fmt;
use std::sync::Arc;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::clock::UnixTime;
use crate::token::{SessionId, TokenId, UserId};

pub(crate) use members::Known;
pub(super) use payload::{ReadPayload, Reading, peek, read};
pub(super) use rules::judge;
pub(super) use shared::Usual;
pub(super) use times::{Times, Window};

/// The claims of a verified token, each in its own type.
///
/// Registered claims are those of RFC 7519, section 4.1, and RFC 9068, section 2.2.
pub struct TokenClaims {
    pub(crate) facts: TokenFacts,
    pub(super) parties: Arc<shared::Parties>,
    pub(super) granted: Arc<shared::Granted>,
    pub(crate) authenticated_at: Option<UnixTime>,
    pub(crate) rare: Option<Box<Rare>>,
    pub(crate) custom: Box<dyn Any + Send + Sync>,
}

/// What few tokens have.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Rare {
    not_before: Option<UnixTime>,
    acr: Option<Box<str>>,
    amr: Box<[Box<str>]>,
}

/// What decides whether a verified token is still welcome; all that revocation ever looks at.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct TokenFacts {
    /// The `sub` claim.
    pub user: UserId,
    /// The session id claim (`sid` unless configured otherwise). A token of ours without one is
    /// [untracked](Self::is_untracked).
    pub session: Option<SessionId>,
    /// The `jti` claim.
    pub token: Option<TokenId>,
    /// Where in its session's history the token stands; only tokens that we issued know.
    pub binding: Option<Binding>,
    /// The `iat` claim.
    pub issued_at: Option<UnixTime>,
    /// The `exp` claim.
    pub expires_at: UnixTime,
}

/// What ties one of our own tokens to its session: the claims `gen`, `ugen` and `rgen`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Binding {
    /// The generation of the session that this token belongs to; rotation raises it. An untracked
    /// token belongs to none and has [`NO_GENERATION`](Self::NO_GENERATION).
    pub generation: u32,
    /// The user's revocation counter that the session, or the untracked token, was made under.
    pub revoked_gen: Counter,
    /// The user's role counter that the token's roles were read under.
    pub roles_gen: Counter,
}

impl Binding {
    /// In the place of a generation where a token belongs to no session: sessions begin at 1.
    pub const NO_GENERATION: u32 = 0;
}

impl TokenFacts {
    /// Whether it is a token of ours that belongs to a session, which is kept in the store.
    #[must_use]
    pub fn is_tracked(&self) -> bool {
        self.binding.is_some() && self.session.is_some()
    }

    /// Whether it is a token of ours that no session stands behind; see
    /// [`Sessions::issue_untracked`](crate::Sessions::issue_untracked).
    #[must_use]
    pub fn is_untracked(&self) -> bool {
        self.session.is_none() && self.binding.is_some()
    }
}

/// A counter of a user that only grows and never takes the same value twice.
///
/// A raise takes the larger of "one more" and the store's clock in microseconds, so that a store
/// that lost its latest values in a failover does not hand them out again.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Counter(u64);

impl Counter {
    /// The counter of a user of whom the store knows nothing.
    pub const ZERO: Self = Self(0);

    /// A counter from its number.
    #[must_use]
    pub const fn from_u64(value: u64) -> Self {
        Self(value)
    }

    /// The number.
    #[must_use]
    pub const fn as_u64(self) -> u64 {
        self.0
    }

    /// The next value at `now`, the store's clock.
    #[must_use]
    pub const fn raised(self, now: UnixTime) -> Self {
        let next = self.0.saturating_add(1);
        let clock = now.as_micros();
        Self(if next > clock { next } else { clock })
    }
}

/// An application's own claims, beside the registered ones.
///
/// Implemented for every type that serde can read and write; it should be a struct (or a map), as
/// its members stand beside the registered ones on the top level of the token. Members that have
/// a meaning of their own there are never shown to it.
pub trait CustomClaims: Serialize + DeserializeOwned + Clone + Send + Sync + 'static {}

impl<T: Serialize + DeserializeOwned + Clone + Send + Sync + 'static> CustomClaims for T {}

/// No claims beside the registered ones; unknown members are ignored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NoClaims {}

impl TokenClaims {
    pub(super) fn times(&self) -> Times {
        Times {
            expires_at: self.facts.expires_at,
            issued_at: self.facts.issued_at,
            not_before: self.not_before(),
        }
    }

    /// What decides whether the token is still welcome.
    #[must_use]
    pub fn facts(&self) -> &TokenFacts {
        &self.facts
    }

    /// The `iss` claim.
    #[must_use]
    pub fn issuer(&self) -> Option<&str> {
        self.parties.issuer.as_deref()
    }

    /// The `aud` claim, a single string as a list of one.
    pub fn audience(&self) -> impl ExactSizeIterator<Item = &str> {
        self.parties.audience.iter().map(AsRef::as_ref)
    }

    /// The `client_id` claim (RFC 8693, section 4.3): the application that asked for the token.
    #[must_use]
    pub fn client_id(&self) -> Option<&str> {
        self.parties.client_id.as_deref()
    }

    /// The `nbf` claim.
    #[must_use]
    pub fn not_before(&self) -> Option<UnixTime> {
        self.rare.as_ref()?.not_before
    }

    /// The roles of the user when the token was made.
    pub fn roles(&self) -> impl ExactSizeIterator<Item = &str> {
        self.granted.roles.iter().map(AsRef::as_ref)
    }

    /// The members of the `scope` claim (RFC 8693, section 4.2).
    pub fn scopes(&self) -> impl ExactSizeIterator<Item = &str> {
        self.granted.scopes.iter().map(AsRef::as_ref)
    }

    /// When the user last proved who they are: `auth_time` (RFC 9068, section 2.2.1).
    #[must_use]
    pub fn authenticated_at(&self) -> Option<UnixTime> {
        self.authenticated_at
    }

    /// The `acr` claim: how strong that proof was (RFC 9470, section 5).
    #[must_use]
    pub fn acr(&self) -> Option<&str> {
        self.rare.as_ref()?.acr.as_deref()
    }

    /// The `amr` claim: the methods used (RFC 8176).
    pub fn amr(&self) -> impl ExactSizeIterator<Item = &str> {
        let amr = self.rare.as_ref().map_or(&[][..], |rare| &rare.amr);
        amr.iter().map(AsRef::as_ref)
    }

    /// The application's own claims, if they are of this type.
    #[must_use]
    pub fn custom<C: CustomClaims>(&self) -> Option<&C> {
        self.custom.downcast_ref()
    }
}

impl fmt::Debug for TokenClaims {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenClaims")
            .field("user", &self.facts.user)
            .field("session", &self.facts.session)
            .field("expires_at", &self.facts.expires_at)
            .field("roles", &self.granted.roles)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
impl TokenClaims {
    /// Claims that say no more than this.
    pub(crate) fn granting(facts: TokenFacts, roles: &[&str], scopes: &[&str]) -> Self {
        Self {
            facts,
            parties: Arc::default(),
            granted: Arc::new(shared::Granted::of(roles, scopes)),
            authenticated_at: None,
            rare: None,
            custom: Box::new(NoClaims {}),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_raised_counter_is_never_a_value_that_was_used() {
        let now = UnixTime::from_micros(50);
        assert_eq!(Counter::ZERO.raised(now), Counter::from_u64(50));
        assert_eq!(Counter::from_u64(50).raised(now), Counter::from_u64(51));
        assert_eq!(Counter::from_u64(90).raised(now), Counter::from_u64(91));
    }
}
