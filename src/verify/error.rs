//! Why a token was not verified.

use std::fmt;

/// Why a token was not verified.
///
/// [`kind`](Self::kind) is all that a client may learn; [`Display`](fmt::Display) names the cause
/// for the log. Neither ever holds a part of the token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifyError {
    kind: VerifyErrorKind,
    cause: &'static str,
}

/// What a client learns of a token that was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum VerifyErrorKind {
    /// It was not looked at: too much was spent on bad ones. In a moment it will be.
    Busy,
    /// It was genuine and has expired.
    Expired,
    /// It is not genuine, or not meant for this service, or not valid yet.
    Invalid,
    /// It is not a token.
    Malformed,
}

impl VerifyError {
    pub(super) const fn busy() -> Self {
        Self {
            kind: VerifyErrorKind::Busy,
            cause: "too much was spent on bad tokens to look at a new one",
        }
    }

    pub(super) const fn expired(cause: &'static str) -> Self {
        Self {
            kind: VerifyErrorKind::Expired,
            cause,
        }
    }

    pub(super) const fn invalid(cause: &'static str) -> Self {
        Self {
            kind: VerifyErrorKind::Invalid,
            cause,
        }
    }

    pub(super) const fn malformed(cause: &'static str) -> Self {
        Self {
            kind: VerifyErrorKind::Malformed,
            cause,
        }
    }

    /// What a client may learn.
    #[must_use]
    pub fn kind(&self) -> VerifyErrorKind {
        self.kind
    }

    /// Whether the token was not looked at, and may be good.
    pub(crate) fn is_busy(&self) -> bool {
        self.kind == VerifyErrorKind::Busy
    }

    /// The cause, for the log.
    #[must_use]
    pub fn cause(&self) -> &'static str {
        self.cause
    }
}

impl fmt::Display for VerifyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.cause)
    }
}

impl std::error::Error for VerifyError {}
