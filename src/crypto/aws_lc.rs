//! `aws-lc-rs`.

use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::error::{KeyRejected, Unspecified};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeySize, PublicKeyComponents};
use aws_lc_rs::signature::{
    EcdsaKeyPair, Ed25519KeyPair, KeyPair as _, ParsedPublicKey, RsaEncoding, RsaKeyPair,
    RsaParameters,
};

pub(crate) use aws_lc_rs::{digest, hkdf, hmac, rand, signature};

use super::{Costs, Curve, Refused};

pub(crate) const COSTS: Costs = Costs {
    ed: 40,
    p256: 60,
    p384: 250,
    rsa: 20,
};

/// Checks signatures of one algorithm; parsed once.
pub(crate) struct PublicKey(ParsedPublicKey);

/// Makes signatures of one algorithm.
pub(crate) enum PrivateKey {
    Ec(EcdsaKeyPair),
    Ed(Ed25519KeyPair),
    Rsa(RsaKeyPair, &'static dyn RsaEncoding),
}

impl PublicKey {
    /// From an uncompressed point.
    pub(crate) fn ec(curve: Curve, point: &[u8]) -> Result<Self, Refused> {
        Ok(Self(ParsedPublicKey::new(curve.verifying(), point)?))
    }

    /// From the 32 bytes of an Ed25519 key.
    pub(crate) fn ed(x: &[u8]) -> Result<Self, Refused> {
        Ok(Self(ParsedPublicKey::new(&signature::ED25519, x)?))
    }

    pub(crate) fn rsa(
        verifying: &'static RsaParameters,
        n: &[u8],
        e: &[u8],
    ) -> Result<Self, Refused> {
        let parsed = PublicKeyComponents { n, e }.to_parsed_public_key(verifying)?;
        // Building from components checks nothing of the exponent; reading DER does.
        let der = parsed.as_der()?;
        Ok(Self(ParsedPublicKey::new(verifying, der.as_ref())?))
    }

    pub(crate) fn is_good(&self, message: &[u8], signature: &[u8]) -> bool {
        self.0.verify_sig(message, signature).is_ok()
    }
}

impl PrivateKey {
    pub(crate) fn new_ec(curve: Curve) -> Result<Self, Refused> {
        Ok(Self::Ec(EcdsaKeyPair::generate(curve.signing())?))
    }

    pub(crate) fn new_ed() -> Result<Self, Refused> {
        Ok(Self::Ed(Ed25519KeyPair::generate()?))
    }

    pub(crate) fn new_rsa(signing: &'static dyn RsaEncoding) -> Result<Self, Refused> {
        let pair = RsaKeyPair::generate(KeySize::Rsa2048)?;
        Ok(Self::Rsa(pair, signing))
    }

    /// From PKCS#8.
    pub(crate) fn ec(curve: Curve, pkcs8: &[u8]) -> Result<Self, Refused> {
        let pair = EcdsaKeyPair::from_pkcs8(curve.signing(), pkcs8)?;
        Ok(Self::Ec(pair))
    }

    /// From PKCS#8.
    pub(crate) fn ed(pkcs8: &[u8]) -> Result<Self, Refused> {
        Ok(Self::Ed(Ed25519KeyPair::from_pkcs8(pkcs8)?))
    }

    /// From PKCS#8.
    pub(crate) fn rsa(signing: &'static dyn RsaEncoding, pkcs8: &[u8]) -> Result<Self, Refused> {
        Ok(Self::Rsa(RsaKeyPair::from_pkcs8(pkcs8)?, signing))
    }

    /// From PKCS#1.
    pub(crate) fn rsa_alone(
        signing: &'static dyn RsaEncoding,
        pkcs1: &[u8],
    ) -> Result<Self, Refused> {
        Ok(Self::Rsa(RsaKeyPair::from_der(pkcs1)?, signing))
    }

    /// Its public half: a point, the 32 bytes of an Ed25519 key, or the DER of an `RSAPublicKey`.
    pub(crate) fn public(&self) -> &[u8] {
        match self {
            Self::Ec(pair) => pair.public_key().as_ref(),
            Self::Ed(pair) => pair.public_key().as_ref(),
            Self::Rsa(pair, _) => pair.public_key().as_ref(),
        }
    }

    /// The signature; `None` when the library failed.
    pub(crate) fn sign(&self, message: &[u8]) -> Option<Vec<u8>> {
        match self {
            Self::Ec(pair) => {
                let signature = pair.sign(&SystemRandom::new(), message).ok()?;
                Some(signature.as_ref().to_vec())
            }
            Self::Ed(pair) => pair.try_sign(message).ok().map(|one| one.as_ref().to_vec()),
            Self::Rsa(pair, encoding) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(*encoding, &SystemRandom::new(), message, &mut signature)
                    .ok()?;
                Some(signature)
            }
        }
    }
}

impl From<KeyRejected> for Refused {
    fn from(_: KeyRejected) -> Self {
        Self::default()
    }
}

impl From<Unspecified> for Refused {
    fn from(_: Unspecified) -> Self {
        Self::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_rsa_key_of_2048_bits_is_made_and_no_other_signs_like_it() {
        let made = || PrivateKey::new_rsa(&signature::RSA_PKCS1_SHA256).unwrap();
        let (one, other) = (made(), made());
        assert_ne!(one.public(), other.public());
        let signature = one.sign(b"message").unwrap();
        assert_eq!(signature.len(), 256);
        assert_ne!(Some(signature), other.sign(b"message"));
    }
}
