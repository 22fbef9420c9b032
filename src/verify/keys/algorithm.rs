//! The signature algorithms.

use std::fmt;
use std::str::FromStr;

use super::KeyError;
use crate::crypto::signature::{self, RsaEncoding, RsaParameters};
use crate::crypto::{Curve, hmac};

/// A signature algorithm (RFC 7518, section 3.1; RFC 8037). `none` is not among them.
///
/// # Examples
///
/// ```
/// use tower_jwt_session::verify::Algorithm;
///
/// let algorithm: Algorithm = "ES256".parse()?;
/// assert_eq!(algorithm, Algorithm::Es256);
/// assert!("none".parse::<Algorithm>().is_err());
/// # Ok::<(), tower_jwt_session::verify::KeyError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub enum Algorithm {
    EdDsa,
    Es256,
    Es384,
    Hs256,
    Hs384,
    Hs512,
    Ps256,
    Ps384,
    Ps512,
    Rs256,
    Rs384,
    Rs512,
}

/// What an algorithm asks of its key.
#[derive(Clone, Copy)]
pub(super) enum Family {
    Ec(Curve),
    Ed,
    Hmac(hmac::Algorithm),
    Rsa {
        signing: &'static dyn RsaEncoding,
        verifying: &'static RsaParameters,
    },
}

impl Algorithm {
    const ALL: [Self; 12] = [
        Self::EdDsa,
        Self::Es256,
        Self::Es384,
        Self::Hs256,
        Self::Hs384,
        Self::Hs512,
        Self::Ps256,
        Self::Ps384,
        Self::Ps512,
        Self::Rs256,
        Self::Rs384,
        Self::Rs512,
    ];

    /// Its name in the `alg` header parameter.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::EdDsa => "EdDSA",
            Self::Es256 => "ES256",
            Self::Es384 => "ES384",
            Self::Hs256 => "HS256",
            Self::Hs384 => "HS384",
            Self::Hs512 => "HS512",
            Self::Ps256 => "PS256",
            Self::Ps384 => "PS384",
            Self::Ps512 => "PS512",
            Self::Rs256 => "RS256",
            Self::Rs384 => "RS384",
            Self::Rs512 => "RS512",
        }
    }

    /// Whether whoever can check its signatures can also make them.
    #[must_use]
    pub const fn is_symmetric(self) -> bool {
        matches!(self, Self::Hs256 | Self::Hs384 | Self::Hs512)
    }

    pub(super) fn family(self) -> Family {
        match self {
            Self::EdDsa => Family::Ed,
            Self::Es256 => Family::Ec(Curve::P256),
            Self::Es384 => Family::Ec(Curve::P384),
            Self::Hs256 => Family::Hmac(hmac::HMAC_SHA256),
            Self::Hs384 => Family::Hmac(hmac::HMAC_SHA384),
            Self::Hs512 => Family::Hmac(hmac::HMAC_SHA512),
            Self::Ps256 => Family::Rsa {
                signing: &signature::RSA_PSS_SHA256,
                verifying: &signature::RSA_PSS_2048_8192_SHA256,
            },
            Self::Ps384 => Family::Rsa {
                signing: &signature::RSA_PSS_SHA384,
                verifying: &signature::RSA_PSS_2048_8192_SHA384,
            },
            Self::Ps512 => Family::Rsa {
                signing: &signature::RSA_PSS_SHA512,
                verifying: &signature::RSA_PSS_2048_8192_SHA512,
            },
            Self::Rs256 => Family::Rsa {
                signing: &signature::RSA_PKCS1_SHA256,
                verifying: &signature::RSA_PKCS1_2048_8192_SHA256,
            },
            Self::Rs384 => Family::Rsa {
                signing: &signature::RSA_PKCS1_SHA384,
                verifying: &signature::RSA_PKCS1_2048_8192_SHA384,
            },
            Self::Rs512 => Family::Rsa {
                signing: &signature::RSA_PKCS1_SHA512,
                verifying: &signature::RSA_PKCS1_2048_8192_SHA512,
            },
        }
    }
}

impl FromStr for Algorithm {
    type Err = KeyError;

    fn from_str(name: &str) -> Result<Self, KeyError> {
        Self::ALL
            .into_iter()
            .find(|one| one.as_str() == name)
            .ok_or_else(|| {
                KeyError::new(
                    "unknown signature algorithm",
                    "use one of EdDSA, ES256, ES384, HS256, HS384, HS512, PS256, PS384, PS512, \
                     RS256, RS384, RS512",
                )
            })
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
