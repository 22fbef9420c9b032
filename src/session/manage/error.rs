//! Why a verb failed.

use std::fmt;
use std::time::Duration;

use crate::error::{BoxError, StoreError};
use crate::revocation::EndReason;
use crate::session::mint::MintError;
use crate::token::InvalidId;

/// Why a verb failed.
#[derive(Debug)]
#[non_exhaustive]
pub enum SessionError {
    /// The application's [`ClaimsSource`](crate::ClaimsSource) failed.
    ClaimsSource(BoxError),
    /// An argument cannot be accepted.
    InvalidInput {
        /// Which, and why.
        what: &'static str,
    },
    /// The text is not a token of this service.
    InvalidToken,
    /// The user has as many sessions as allowed.
    LimitReached,
    /// There is no such session of that user.
    NotFound,
    /// The refresh token was used before; the session has ended.
    RefreshReused,
    /// A sign-in was repeated whose session has ended meanwhile.
    SignInSuperseded,
    /// The session, or the presented token, is over.
    Over(EndReason),
    /// So many bad tokens came that this one was not looked at.
    Overloaded {
        /// When trying again makes sense.
        retry_after: Duration,
    },
    /// The store failed.
    Store(StoreError),
    /// Everything of the user was ended while they signed in: start again from the ticket.
    TicketOutdated,
    /// The same refresh was answered too often.
    TooManyRepeats {
        /// When trying again makes sense.
        retry_after: Duration,
    },
    /// The access token could not be made, as when the application's claims collide with ours.
    Token(BoxError),
    /// There is no such user (any more).
    UnknownUser,
}

/// What a verb came to, as figures and spans call it.
pub(super) fn outcome<T>(result: &Result<T, SessionError>) -> &'static str {
    match result.as_ref().err() {
        None => "done",
        Some(SessionError::ClaimsSource(_)) => "claims_failed",
        Some(SessionError::InvalidInput { .. }) => "invalid_input",
        Some(SessionError::InvalidToken) => "invalid_token",
        Some(SessionError::LimitReached) => "limit_reached",
        Some(SessionError::NotFound) => "not_found",
        Some(SessionError::Over(_)) => "over",
        Some(SessionError::Overloaded { .. }) => "overloaded",
        Some(SessionError::RefreshReused) => "refresh_reused",
        Some(SessionError::SignInSuperseded) => "sign_in_superseded",
        Some(SessionError::Store(error)) if error.is_unavailable() => "store_unavailable",
        Some(SessionError::Store(_)) => "store_failed",
        Some(SessionError::TicketOutdated) => "ticket_outdated",
        Some(SessionError::Token(_)) => "token_failed",
        Some(SessionError::TooManyRepeats { .. }) => "too_many_repeats",
        Some(SessionError::UnknownUser) => "unknown_user",
    }
}

impl fmt::Display for SessionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ClaimsSource(_) => "the application could not say what the user may do",
            Self::InvalidInput { what } => what,
            Self::InvalidToken => "not a token of this service",
            Self::LimitReached => "maximum concurrent sessions exceeded",
            Self::NotFound => "no such session",
            Self::Over(_) => "the session is over",
            Self::Overloaded { .. } => "too many bad tokens to look at this one",
            Self::RefreshReused => "the refresh token was used before; the session was ended",
            Self::SignInSuperseded => "the session of this sign-in has ended meanwhile",
            Self::Store(_) => "the session store failed",
            Self::Token(_) => "the access token could not be made",
            Self::TicketOutdated => "all sessions of the user were ended during the sign-in",
            Self::TooManyRepeats { .. } => "the same refresh was repeated too often",
            Self::UnknownUser => "no such user",
        })
    }
}

impl std::error::Error for SessionError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::ClaimsSource(error) | Self::Token(error) => Some(error.as_ref()),
            Self::Store(error) => Some(error),
            _ => None,
        }
    }
}

impl From<StoreError> for SessionError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<InvalidId> for SessionError {
    fn from(_: InvalidId) -> Self {
        Self::InvalidInput {
            what: "an identifier has 1 to 255 bytes, none of them a control character",
        }
    }
}

impl From<MintError> for SessionError {
    fn from(error: MintError) -> Self {
        Self::Token(error.into())
    }
}

#[cfg(test)]
mod tests {
    use std::error::Error as _;

    use super::*;
    use crate::error::StoreErrorKind;

    fn store(kind: StoreErrorKind) -> SessionError {
        StoreError::new(kind, "tests").into()
    }

    #[test]
    fn a_store_that_is_away_is_told_from_one_that_says_no() {
        let said = |kind| outcome::<()>(&Err(store(kind)));
        assert_eq!(said(StoreErrorKind::Unavailable), "store_unavailable");
        assert_eq!(said(StoreErrorKind::Configuration), "store_failed");
    }

    #[test]
    fn the_cause_is_told_where_there_is_one() {
        let cause = |error: SessionError| error.source().map(ToString::to_string);
        let away = cause(store(StoreErrorKind::Unavailable));
        assert!(away.is_some_and(|cause| cause.contains("tests")));
        let claims = cause(SessionError::ClaimsSource("directory".into()));
        assert_eq!(claims.as_deref(), Some("directory"));
        let token = cause(SessionError::Token("no key".into()));
        assert_eq!(token.as_deref(), Some("no key"));
        assert_eq!(cause(SessionError::NotFound), None);
    }
}
