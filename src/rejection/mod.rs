//! Why a request was refused, and the response that it gets.

mod response;

use std::fmt;
use std::time::Duration;

use http::StatusCode;

pub use response::{EmptyResponses, ProblemResponses, ResponseForRejection};

use crate::revocation::{EndReason, RETRY_AFTER, Refusal};
use crate::telemetry::Outcome;
use crate::token::SourceError;
use crate::verify::{VerifyError, VerifyErrorKind};

/// Why a request was refused.
///
/// The client learns what to do about it and nothing more; what the log learns is in the
/// [event](crate::events) of the refusal.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Rejection {
    /// The request changes something in the name of a cookie, and another site's page sent it, or
    /// nobody says whose.
    CsrfRejected,
    /// The user signed in too long ago for this route (RFC 9470).
    InsufficientAuthentication {
        /// How long ago it may have been.
        max_age: Duration,
    },
    /// The user lacks the role.
    InsufficientRole,
    /// The token lacks the scope (RFC 6750, section 3.1).
    InsufficientScope {
        /// The scope that is needed.
        scope: String,
    },
    /// The token is not genuine, or not for this service.
    InvalidToken,
    /// What stands where a token belongs is none.
    MalformedToken,
    /// The server was put together wrongly: its own mistake, not the client's.
    Misconfigured {
        /// What is wrong, for the log.
        what: &'static str,
    },
    /// There is no token.
    MissingToken,
    /// So many bad tokens came that this one, which may be good, was not looked at.
    Overloaded {
        /// When trying again makes sense.
        retry_after: Duration,
    },
    /// The store could not be asked.
    StoreUnavailable {
        /// When trying again makes sense.
        retry_after: Duration,
    },
    /// The token has expired.
    TokenExpired,
    /// The token, its session, or everything of its user was ended.
    TokenRevoked {
        /// Why; `None` where there is no such session.
        reason: Option<EndReason>,
    },
    /// The user's roles changed since: refresh, and try again.
    TokenStale,
}

impl Rejection {
    /// The machine-readable code of the problem document.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::CsrfRejected => "csrf_rejected",
            Self::InsufficientAuthentication { .. } => "insufficient_user_authentication",
            Self::InsufficientRole => "insufficient_role",
            Self::InsufficientScope { .. } => "insufficient_scope",
            Self::InvalidToken => "invalid_token",
            Self::MalformedToken => "malformed_token",
            Self::Misconfigured { .. } => "misconfigured",
            Self::MissingToken => "missing_token",
            Self::Overloaded { .. } => "overloaded",
            Self::StoreUnavailable { .. } => "store_unavailable",
            Self::TokenExpired => "token_expired",
            Self::TokenRevoked { .. } => "token_revoked",
            Self::TokenStale => "token_stale",
        }
    }

    /// What an authentication came to that ended so.
    pub(crate) fn outcome(&self) -> Outcome {
        match self {
            Self::CsrfRejected => Outcome::CsrfRejected,
            // Genuine and admitted: what they lack is for guards to say.
            Self::InsufficientAuthentication { .. }
            | Self::InsufficientRole
            | Self::InsufficientScope { .. } => Outcome::Admitted,
            Self::InvalidToken => Outcome::InvalidToken,
            Self::MalformedToken => Outcome::MalformedToken,
            Self::Misconfigured { .. } => Outcome::Misconfigured,
            Self::MissingToken => Outcome::MissingToken,
            Self::Overloaded { .. } => Outcome::Overloaded,
            Self::StoreUnavailable { .. } => Outcome::StoreUnavailable,
            Self::TokenExpired => Outcome::TokenExpired,
            Self::TokenRevoked { .. } => Outcome::TokenRevoked,
            Self::TokenStale => Outcome::TokenStale,
        }
    }

    /// The status of the response.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        match self {
            Self::CsrfRejected | Self::InsufficientRole | Self::InsufficientScope { .. } => {
                StatusCode::FORBIDDEN
            }
            Self::Misconfigured { .. } => StatusCode::INTERNAL_SERVER_ERROR,
            Self::Overloaded { .. } | Self::StoreUnavailable { .. } => {
                StatusCode::SERVICE_UNAVAILABLE
            }
            _ => StatusCode::UNAUTHORIZED,
        }
    }

    /// What happened, for people, and what to do about it.
    #[must_use]
    pub fn detail(&self) -> &'static str {
        match self {
            Self::CsrfRejected => "with cookies, this takes a request of this site's own pages",
            Self::InsufficientAuthentication { .. } => {
                "this needs a more recent sign-in; authenticate again"
            }
            Self::InsufficientRole => "your account lacks the role that this needs",
            Self::InsufficientScope { .. } => "the token lacks the scope that this needs",
            Self::InvalidToken => "the token is not valid here; sign in again",
            Self::MalformedToken => "this is not a token",
            Self::Misconfigured { .. } => "the server is not put together correctly",
            Self::MissingToken => "sign in, and send the token as a bearer token",
            Self::Overloaded { .. } => {
                "so many bad tokens come that yours was not looked at yet; try again"
            }
            Self::StoreUnavailable { .. } => {
                "it cannot be checked right now whether the session is alive; try again"
            }
            Self::TokenExpired => "the token has expired; refresh it",
            Self::TokenRevoked {
                reason: Some(EndReason::Replaced),
            } => "a newer token of this session took its place; send that one",
            Self::TokenRevoked { .. } => "the session was ended; sign in again",
            Self::TokenStale => "your roles changed; refresh the token and try again",
        }
    }

    /// The `WWW-Authenticate` challenge (RFC 6750, section 3; RFC 9470, section 3) of a 401 or 403.
    #[must_use]
    pub fn challenge(&self) -> Option<String> {
        match self {
            Self::CsrfRejected
            | Self::Misconfigured { .. }
            | Self::Overloaded { .. }
            | Self::StoreUnavailable { .. } => None,
            Self::MissingToken => Some("Bearer".to_owned()),
            Self::InsufficientAuthentication { max_age } => Some(format!(
                "Bearer error=\"insufficient_user_authentication\", \
                 error_description=\"a more recent sign-in is needed\", max_age=\"{}\"",
                max_age.as_secs()
            )),
            Self::InsufficientRole => Some(
                "Bearer error=\"insufficient_scope\", error_description=\"a role is missing\""
                    .to_owned(),
            ),
            Self::InsufficientScope { scope } => Some(format!(
                "Bearer error=\"insufficient_scope\", \
                 error_description=\"a scope is missing\", scope=\"{}\"",
                quotable(scope)
            )),
            Self::InvalidToken => Some(invalid("the token is not valid")),
            Self::MalformedToken => Some(invalid("the token is malformed")),
            Self::TokenExpired => Some(invalid("the token has expired")),
            Self::TokenRevoked {
                reason: Some(EndReason::Replaced),
            } => Some(invalid("a newer token took its place")),
            Self::TokenRevoked { .. } => Some(invalid("the session was ended")),
            Self::TokenStale => Some(invalid("the roles of the user changed")),
        }
    }

    /// When trying again makes sense, where that is what to do.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Overloaded { retry_after } | Self::StoreUnavailable { retry_after } => {
                Some(*retry_after)
            }
            _ => None,
        }
    }
}

impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.detail())
    }
}

impl std::error::Error for Rejection {}

impl From<SourceError> for Rejection {
    fn from(_: SourceError) -> Self {
        Self::MalformedToken
    }
}

impl From<VerifyError> for Rejection {
    fn from(error: VerifyError) -> Self {
        match error.kind() {
            VerifyErrorKind::Busy => Self::Overloaded {
                retry_after: RETRY_AFTER,
            },
            VerifyErrorKind::Expired => Self::TokenExpired,
            VerifyErrorKind::Invalid => Self::InvalidToken,
            VerifyErrorKind::Malformed => Self::MalformedToken,
        }
    }
}

impl From<Refusal> for Rejection {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Revoked(reason) => Self::TokenRevoked {
                reason: Some(reason),
            },
            Refusal::Stale => Self::TokenStale,
            Refusal::StoreUnavailable { retry_after } => Self::StoreUnavailable { retry_after },
            Refusal::UnknownSession => Self::TokenRevoked { reason: None },
        }
    }
}

fn invalid(description: &str) -> String {
    format!("Bearer error=\"invalid_token\", error_description=\"{description}\"")
}

/// A scope without the characters that RFC 6749, section 3.3, keeps out of scopes: among them are
/// the quote and the backslash that would end the quoted string early.
fn quotable(scope: &str) -> String {
    scope
        .chars()
        .filter(|c| matches!(c, ' ' | '!' | '#'..='[' | ']'..='~'))
        .collect()
}
