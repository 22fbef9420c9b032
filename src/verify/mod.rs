//! Step 2: from a [`RawToken`](crate::token::RawToken) to a [`VerifiedToken`], without any I/O.

mod budget;
mod cache;
mod claims;
mod compact;
mod error;
#[cfg(test)]
pub(crate) mod fixtures;
mod header;
mod keys;
mod policy;
mod stamp;
mod verifier;

use std::fmt;
use std::sync::Arc;

pub use budget::BadTokenShare;
pub use claims::{Binding, Counter, CustomClaims, NoClaims, TokenClaims, TokenFacts};
pub use error::{VerifyError, VerifyErrorKind};
pub use keys::{Algorithm, Key, KeyError, KeyInfo, KeyRing, KeyState, Origin};
pub use policy::{ClaimNames, Migration, RolesClaim, TokenPolicy, Untracked};
pub use verifier::Verifier;

pub(crate) use cache::Standing;
pub(crate) use claims::Known;
use claims::Window;
pub(crate) use keys::{SignError, check_secret, check_substance};

/// A token whose signature and claims were checked. Nothing is known of revocation yet.
#[derive(Clone)]
pub struct VerifiedToken {
    checked: Arc<Checked>,
}

/// One entry of the verified-token cache.
///
/// In this order, so that what each request reads stands together, in as few lines of the processor's
/// cache as there can be.
#[repr(C)]
struct Checked {
    /// When its times need no look.
    window: Window,
    /// Whether it is only let in until the end of the migration.
    legacy: bool,
    /// Whether it is of ours, and of no session: what its facts say, which are further away.
    untracked: bool,
    algorithm: Algorithm,
    standing: Standing,
    claims: TokenClaims,
}

impl VerifiedToken {
    /// What the token says.
    #[must_use]
    pub fn claims(&self) -> &TokenClaims {
        &self.checked.claims
    }

    pub(crate) fn standing(&self) -> &Standing {
        &self.checked.standing
    }

    /// By which it was signed.
    pub(crate) fn algorithm(&self) -> Algorithm {
        self.checked.algorithm
    }

    pub(crate) fn is_untracked(&self) -> bool {
        self.checked.untracked
    }
}

impl fmt::Debug for VerifiedToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("VerifiedToken").field(self.claims()).finish()
    }
}

#[cfg(test)]
impl VerifiedToken {
    /// A token with these claims that nobody signed.
    pub(crate) fn unchecked(claims: TokenClaims) -> Self {
        Self {
            checked: Arc::new(Checked {
                untracked: claims.facts.is_untracked(),
                claims,
                legacy: false,
                algorithm: Algorithm::Hs256,
                window: Window::NEVER,
                standing: Standing::default(),
            }),
        }
    }

    /// A token of which nothing but these facts matters.
    pub(crate) fn for_tests(facts: TokenFacts) -> Self {
        Self::unchecked(TokenClaims::granting(facts, &[], &[]))
    }
}
