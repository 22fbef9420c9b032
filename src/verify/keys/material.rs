//! What signs and what checks, parsed once.

use crate::crypto::{PrivateKey, PublicKey, hmac};

/// Checks signatures of one algorithm.
pub(super) enum Checker {
    Hmac(Box<hmac::Key>),
    Public(PublicKey),
}

/// Makes signatures of one algorithm.
pub(super) enum Signer {
    Hmac(Box<hmac::Key>),
    Private(PrivateKey),
}

impl Checker {
    pub(super) fn is_good(&self, message: &[u8], signature: &[u8]) -> bool {
        match self {
            Self::Hmac(key) => hmac::verify(key, message, signature).is_ok(),
            Self::Public(key) => key.is_good(message, signature),
        }
    }
}

impl Signer {
    /// The signature; `None` when the cryptographic library failed.
    pub(super) fn sign(&self, message: &[u8]) -> Option<Vec<u8>> {
        match self {
            Self::Hmac(key) => Some(hmac::sign(key, message).as_ref().to_vec()),
            Self::Private(key) => key.sign(message),
        }
    }
}
