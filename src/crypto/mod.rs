//! Cryptography, by one of two libraries. This room alone knows by which.
//!
//! `aws-lc-rs` is taken where the feature `aws-lc` is on, which it is by default, and `ring` where
//! only the feature `ring` is. Both have the same modules for hashes, MACs, key derivation and the
//! algorithms of signatures; keys differ, so each backend has a [`PublicKey`] and a [`PrivateKey`] of
//! the same shape.

#[cfg(feature = "aws-lc")]
#[path = "aws_lc.rs"]
mod backend;
#[cfg(all(feature = "ring", not(feature = "aws-lc")))]
#[path = "ring.rs"]
mod backend;
#[cfg(not(any(feature = "aws-lc", feature = "ring")))]
#[path = "neither.rs"]
mod backend;
pub(crate) mod der;

pub(crate) use backend::{COSTS, PrivateKey, PublicKey, digest, hkdf, hmac, rand, signature};
use signature::{EcdsaSigningAlgorithm, EcdsaVerificationAlgorithm};

/// A curve of keys for ECDSA, each with its one hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Curve {
    P256,
    P384,
}

/// What a check of a signature takes of a core of the early 2020s, in microseconds.
pub(crate) struct Costs {
    pub(crate) ed: u64,
    pub(crate) p256: u64,
    pub(crate) p384: u64,
    pub(crate) rsa: u64,
}

/// A key is not taken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Refused {
    /// What this library lacks, and the way out; `None` where it is no such key at all.
    pub(crate) lacking: Option<(&'static str, &'static str)>,
}

impl Curve {
    /// Its name in a JSON Web Key (RFC 7518, section 6.2.1.1).
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::P256 => "P-256",
            Self::P384 => "P-384",
        }
    }

    fn signing(self) -> &'static EcdsaSigningAlgorithm {
        match self {
            Self::P256 => &signature::ECDSA_P256_SHA256_FIXED_SIGNING,
            Self::P384 => &signature::ECDSA_P384_SHA384_FIXED_SIGNING,
        }
    }

    fn verifying(self) -> &'static EcdsaVerificationAlgorithm {
        match self {
            Self::P256 => &signature::ECDSA_P256_SHA256_FIXED,
            Self::P384 => &signature::ECDSA_P384_SHA384_FIXED,
        }
    }
}

#[cfg(test)]
mod tests;
