//! Keys: each bound to one algorithm, chosen by `kid` among our own.

mod algorithm;
mod jwk;
mod key;
mod material;
mod pem;
mod public;
mod ring;
mod secret;

use std::fmt;

pub(crate) use self::ring::SignError;
pub use self::ring::{KeyInfo, KeyRing};
pub use algorithm::Algorithm;
pub use key::{Key, Origin};
pub(crate) use secret::{check as check_secret, check_substance};

pub(super) use self::ring::KeySet;

/// What a key in the ring is used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyState {
    /// It signs new tokens and checks old ones; at most one key of a ring does.
    Sign,
    /// It checks tokens.
    VerifyOnly,
    /// It is known and refused, so that the log can say so.
    Retired,
}

impl KeyState {
    pub(super) const fn verifies(self) -> bool {
        matches!(self, Self::Sign | Self::VerifyOnly)
    }
}

/// A key or a set of keys cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyError {
    what: String,
    fix: &'static str,
}

impl KeyError {
    pub(crate) fn new(what: impl Into<String>, fix: &'static str) -> Self {
        Self {
            what: what.into(),
            fix,
        }
    }

    /// What is wrong; holds no secret.
    #[must_use]
    pub fn what(&self) -> &str {
        &self.what
    }

    /// The way out.
    #[must_use]
    pub fn fix(&self) -> &'static str {
        self.fix
    }
}

impl fmt::Display for KeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.what, self.fix)
    }
}

impl std::error::Error for KeyError {}

#[cfg(test)]
mod tests;
