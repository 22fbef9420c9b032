//! What a token is worth.

use std::time::Duration;

use crate::revocation::{RETRY_AFTER, Refusal};
use crate::session::Session;
use crate::session::core::Core;
use crate::token::RawToken;
use crate::verify::{VerifiedToken, VerifyErrorKind};

/// What an access token is worth (RFC 7662, section 2.2, tells a caller the same).
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Introspection {
    /// It would be admitted.
    Active(Session),
    /// It was genuine and has expired; nothing is known of its session.
    Expired(VerifiedToken),
    /// It would not be admitted.
    Inactive,
    /// Its roles are out of date; a refresh brings new ones.
    Stale,
    /// The store could not be asked, or so many bad tokens came that this one was not looked at.
    StoreUnavailable {
        /// When trying again makes sense.
        retry_after: Duration,
    },
}

impl Introspection {
    pub(super) async fn of<C>(core: &Core<C>, access_token: &str) -> Self {
        let now = core.clock.instants();
        let token = RawToken::from_parameter(access_token);
        let verified = match core.verifier.verify(token, now.wall) {
            Ok(verified) => verified,
            Err(error) if error.kind() == VerifyErrorKind::Expired => {
                return core
                    .verifier
                    .read(token, now.wall)
                    .map_or(Self::Inactive, Self::Expired);
            }
            Err(error) if error.is_busy() => {
                return Self::StoreUnavailable {
                    retry_after: RETRY_AFTER,
                };
            }
            Err(_) => return Self::Inactive,
        };
        let facts = verified.claims().facts().clone();
        let session = core.read_session(&facts);
        let confirm = core.terms.confirm;
        let active = core.revocations.inspect(verified, confirm, now, session);
        match active.await {
            Ok(active) => Self::Active(Session::from_active(active)),
            Err(Refusal::Stale) => Self::Stale,
            Err(Refusal::StoreUnavailable { retry_after }) => {
                Self::StoreUnavailable { retry_after }
            }
            Err(_) => Self::Inactive,
        }
    }
}
