//! A token as an application reads it that has no layer around it.

use std::fmt;
use std::time::Duration;

use crate::clock::UnixTime;
use crate::revocation::{ActiveToken, RETRY_AFTER, Refusal, Verdict};
use crate::session::Session;
use crate::session::core::Core;
use crate::telemetry::{Outcome, Watch};
use crate::token::RawToken;
use crate::verify::{VerifyError, VerifyErrorKind};

/// Why a token is worth nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ParseError {
    /// It was genuine and has expired.
    Expired,
    /// It is not genuine, or not for this service.
    Invalid,
    /// It is no token at all.
    Malformed,
    /// It, its session, or everything of its user was ended, or there is no such session.
    Revoked,
    /// Its roles are out of date; a refresh brings new ones.
    Stale,
    /// The store could not be asked, or so many bad tokens came that this one was not looked at.
    StoreUnavailable {
        /// When trying again makes sense.
        retry_after: Duration,
    },
}

/// Checks a token as the layer does, and counts it as a use like the layer.
pub(super) async fn parse<C>(core: &Core<C>, access_token: &str) -> Result<Session, ParseError> {
    let watch = core.telemetry.begin();
    let now = core.clock.instants();
    let token = RawToken::from_parameter(access_token);
    let checked = core.verifier.verify(token, now.wall);
    let verdict = checked.map(|verified| core.revocations.check(verified, &core.terms, now));
    let answer = match verdict {
        Ok(Verdict::Active(active)) => Ok(active),
        Ok(Verdict::Ask(pending)) => {
            let watch = Watch::started();
            let answer = core.revocations.clone().ask(pending).await;
            let answer = answer.map_err(ParseError::from);
            core.telemetry.confirmed(outcome(&answer), watch);
            return answer.map(|active| noted(core, active, now.wall));
        }
        Ok(Verdict::Refused(refusal)) => Err(refusal.into()),
        Err(error) => Err(error.into()),
    };
    core.telemetry.answered(outcome(&answer), watch);
    answer.map(|active| noted(core, active, now.wall))
}

fn noted<C>(core: &Core<C>, active: ActiveToken, wall: UnixTime) -> Session {
    core.activity.note(&active, wall);
    Session::from_active(active)
}

fn outcome<T>(answer: &Result<T, ParseError>) -> Outcome {
    match answer {
        Ok(_) => Outcome::Admitted,
        Err(ParseError::Expired) => Outcome::TokenExpired,
        Err(ParseError::Invalid) => Outcome::InvalidToken,
        Err(ParseError::Malformed) => Outcome::MalformedToken,
        Err(ParseError::Revoked) => Outcome::TokenRevoked,
        Err(ParseError::Stale) => Outcome::TokenStale,
        Err(ParseError::StoreUnavailable { .. }) => Outcome::StoreUnavailable,
    }
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Expired => "token has expired",
            Self::Invalid => "token is not valid here",
            Self::Malformed => "token is malformed",
            Self::Revoked => "token is already revoked",
            Self::Stale => "token has outdated roles",
            Self::StoreUnavailable { .. } => "token cannot be checked right now",
        })
    }
}

impl std::error::Error for ParseError {}

impl From<VerifyError> for ParseError {
    fn from(error: VerifyError) -> Self {
        match error.kind() {
            VerifyErrorKind::Busy => Self::StoreUnavailable {
                retry_after: RETRY_AFTER,
            },
            VerifyErrorKind::Expired => Self::Expired,
            VerifyErrorKind::Invalid => Self::Invalid,
            VerifyErrorKind::Malformed => Self::Malformed,
        }
    }
}

impl From<Refusal> for ParseError {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Revoked(_) | Refusal::UnknownSession => Self::Revoked,
            Refusal::Stale => Self::Stale,
            Refusal::StoreUnavailable { retry_after } => Self::StoreUnavailable { retry_after },
        }
    }
}
