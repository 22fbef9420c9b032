//! `ring`: smaller and quicker to build, with fewer forms of private keys, and none of RSA made.

use ring::agreement::{self, ECDH_P256, ECDH_P384, EphemeralPrivateKey};
use ring::error::{KeyRejected, Unspecified};
use ring::rand::SystemRandom;
use ring::signature::{
    EcdsaKeyPair, Ed25519KeyPair, KeyPair as _, RsaEncoding, RsaKeyPair, RsaParameters,
    RsaPublicKeyComponents, UnparsedPublicKey,
};
use zeroize::Zeroizing;

pub(crate) use ring::{digest, hkdf, hmac, signature};

use super::{Costs, Curve, Refused, der};

/// P-384 is written for no processor in particular.
pub(crate) const COSTS: Costs = Costs {
    ed: 55,
    p256: 60,
    p384: 1_100,
    rsa: 35,
};

pub(crate) mod rand {
    use ring::error::Unspecified;
    use ring::rand::{SecureRandom as _, SystemRandom};

    /// Fills `bytes` from the system's source of randomness.
    pub(crate) fn fill(bytes: &mut [u8]) -> Result<(), Unspecified> {
        SystemRandom::new().fill(bytes)
    }
}

/// Checks signatures of one algorithm. What is parsed anew for each of them was looked at once.
pub(crate) enum PublicKey {
    Curve(UnparsedPublicKey<Vec<u8>>),
    Rsa(RsaPublicKeyComponents<Vec<u8>>, &'static RsaParameters),
}

/// Makes signatures of one algorithm.
pub(crate) enum PrivateKey {
    Ec(Box<EcdsaKeyPair>),
    Ed(Ed25519KeyPair),
    Rsa(Box<RsaKeyPair>, &'static dyn RsaEncoding),
}

impl PublicKey {
    /// From an uncompressed point.
    pub(crate) fn ec(curve: Curve, point: &[u8]) -> Result<Self, Refused> {
        let agreement = match curve {
            Curve::P256 => &ECDH_P256,
            Curve::P384 => &ECDH_P384,
        };
        // A check of a signature does not tell a bad key from a bad signature; an agreement has no other reason to fail.
        let own = EphemeralPrivateKey::generate(agreement, &SystemRandom::new())
            .map_err(|Unspecified| NO_RANDOMNESS)?;
        let theirs = agreement::UnparsedPublicKey::new(agreement, point);
        agreement::agree_ephemeral(own, &theirs, |_| ())?;
        let key = UnparsedPublicKey::new(curve.verifying(), point.to_vec());
        Ok(Self::Curve(key))
    }

    /// From the 32 bytes of an Ed25519 key. Where they are no point, no signature is good.
    pub(crate) fn ed(x: &[u8]) -> Result<Self, Refused> {
        let key = UnparsedPublicKey::new(&signature::ED25519, x.to_vec());
        Ok(Self::Curve(key))
    }

    pub(crate) fn rsa(
        verifying: &'static RsaParameters,
        n: &[u8],
        e: &[u8],
    ) -> Result<Self, Refused> {
        let is_odd = |number: &[u8]| number.last().is_some_and(|last| last % 2 == 1);
        let starts_with_zero = |number: &[u8]| number.first().is_none_or(|first| *first == 0);
        let exponent_fits = (2..=MAX_EXPONENT_BITS).contains(&der::bits(e));
        let odd = is_odd(n) && is_odd(e);
        if !odd || !exponent_fits || starts_with_zero(n) || starts_with_zero(e) {
            return Err(Refused::default());
        }
        let (n, e) = (n.to_vec(), e.to_vec());
        Ok(Self::Rsa(RsaPublicKeyComponents { n, e }, verifying))
    }

    pub(crate) fn is_good(&self, message: &[u8], signature: &[u8]) -> bool {
        match self {
            Self::Curve(key) => key.verify(message, signature).is_ok(),
            Self::Rsa(key, verifying) => key.verify(verifying, message, signature).is_ok(),
        }
    }
}

impl PrivateKey {
    pub(crate) fn new_ec(curve: Curve) -> Result<Self, Refused> {
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(curve.signing(), &SystemRandom::new())?;
        Self::ec(curve, pkcs8.as_ref())
    }

    pub(crate) fn new_ed() -> Result<Self, Refused> {
        let mut seed = Zeroizing::new([0; 32]);
        rand::fill(seed.as_mut())?;
        Ok(Self::Ed(Ed25519KeyPair::from_seed_unchecked(
            seed.as_ref(),
        )?))
    }

    pub(crate) fn new_rsa(_: &'static dyn RsaEncoding) -> Result<Self, Refused> {
        Err(NO_NEW_RSA)
    }

    /// From PKCS#8.
    pub(crate) fn ec(curve: Curve, pkcs8: &[u8]) -> Result<Self, Refused> {
        EcdsaKeyPair::from_pkcs8(curve.signing(), pkcs8, &SystemRandom::new())
            .map(|pair| Self::Ec(Box::new(pair)))
            .map_err(|_| match has_public_half(pkcs8) {
                Some(false) => NO_PUBLIC_HALF,
                _ => Refused::default(),
            })
    }

    /// From PKCS#8.
    pub(crate) fn ed(pkcs8: &[u8]) -> Result<Self, Refused> {
        let pair = Ed25519KeyPair::from_pkcs8_maybe_unchecked(pkcs8)?;
        Ok(Self::Ed(pair))
    }

    /// From PKCS#8.
    pub(crate) fn rsa(signing: &'static dyn RsaEncoding, pkcs8: &[u8]) -> Result<Self, Refused> {
        RsaKeyPair::from_pkcs8(pkcs8)
            .map(|pair| Self::Rsa(Box::new(pair), signing))
            .map_err(|_| why_not_rsa(private_key(pkcs8)))
    }

    /// From PKCS#1.
    pub(crate) fn rsa_alone(
        signing: &'static dyn RsaEncoding,
        pkcs1: &[u8],
    ) -> Result<Self, Refused> {
        RsaKeyPair::from_der(pkcs1)
            .map(|pair| Self::Rsa(Box::new(pair), signing))
            .map_err(|_| why_not_rsa(Some(pkcs1)))
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
            Self::Ed(pair) => Some(pair.sign(message).as_ref().to_vec()),
            Self::Rsa(pair, encoding) => {
                let mut signature = vec![0; pair.public().modulus_len()];
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

/// The key in a PKCS#8 `PrivateKeyInfo` (RFC 5208, section 5).
fn private_key(pkcs8: &[u8]) -> Option<&[u8]> {
    let (info, _) = der::element(0x30, pkcs8)?;
    let (_version, info) = der::element(0x02, info)?;
    let (_algorithm, info) = der::element(0x30, info)?;
    der::element(0x04, info).map(|(key, _)| key)
}

/// Whether an `ECPrivateKey` names its public key (RFC 5915, section 3); `None` where it is none.
fn has_public_half(pkcs8: &[u8]) -> Option<bool> {
    let (key, _) = der::element(0x30, private_key(pkcs8)?)?;
    let (_version, key) = der::element(0x02, key)?;
    let (_scalar, rest) = der::element(0x04, key)?;
    let rest = der::element(0xa0, rest).map_or(rest, |(_curve, rest)| rest);
    Some(der::element(0xa1, rest).is_some())
}

/// What keeps an `RSAPrivateKey` (RFC 8017, appendix A.1.2) from being used.
fn why_not_rsa(pkcs1: Option<&[u8]>) -> Refused {
    let bits = pkcs1.and_then(|pkcs1| {
        let (key, _) = der::element(0x30, pkcs1)?;
        let (_version, key) = der::element(0x02, key)?;
        let (n, _) = der::positive(key)?;
        Some(der::bits(n))
    });
    match bits {
        Some(bits) if bits > MAX_SIGNING_BITS => TOO_LONG_RSA,
        Some(bits) if bits >= 2048 => UNUSUAL_RSA,
        _ => Refused::default(),
    }
}

const fn lacks(what: &'static str, fix: &'static str) -> Refused {
    Refused {
        lacking: Some((what, fix)),
    }
}

const NO_RANDOMNESS: Refused = lacks(
    "the curve of a public key could not be checked",
    "check the system's randomness",
);
const NO_NEW_RSA: Refused = lacks(
    "RSA keys are not made by `ring`",
    "make one with `openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048` and give it as PEM, or use the feature `aws-lc`",
);
const NO_PUBLIC_HALF: Refused = lacks(
    "the private key lacks its public half, and `ring` does not derive it",
    "write it anew with `openssl ec -in FILE | openssl pkcs8 -topk8 -nocrypt`, or use the feature `aws-lc`",
);
const TOO_LONG_RSA: Refused = lacks(
    "`ring` signs with RSA keys of at most 4096 bits",
    "give one of 2048 to 4096 bits, or use the feature `aws-lc`",
);
const UNUSUAL_RSA: Refused = lacks(
    "`ring` does not sign with this RSA key",
    "give one of two primes, of 2048, 3072 or 4096 bits and with the exponent 65537, or use the feature `aws-lc`",
);
const MAX_SIGNING_BITS: usize = 4096;
/// As aws-lc has it: more would make a check of a signature slow, at the wish of who publishes the key.
const MAX_EXPONENT_BITS: usize = 33;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verify::{Algorithm, Key, KeyError};

    #[track_caller]
    fn offers_another_way<T>(key: Result<T, KeyError>, what: &str, way: &str) {
        let error = key.map(|_| ()).unwrap_err();
        assert!(error.what().contains(what), "{error}");
        assert!(error.fix().contains(way), "{error}");
        assert!(error.fix().contains("the feature `aws-lc`"), "{error}");
    }

    #[test]
    fn no_rsa_key_is_made_and_another_way_is_named() {
        for name in ["PS256", "PS384", "PS512", "RS256", "RS384", "RS512"] {
            let key = Key::generate(None, name.parse().unwrap());
            offers_another_way(key, "RSA keys are not made", "openssl genpkey");
        }
    }

    #[test]
    fn an_ec_key_without_its_public_half_is_refused_with_the_way_to_add_it() {
        let pem = b"-----BEGIN PRIVATE KEY-----\n\
            MEECAQAwEwYHKoZIzj0CAQYIKoZIzj0DAQcEJzAlAgEBBCCVQ/xABdrDH4F7Sm+x\n\
            dUUjbmsEhnMpOPVLHn6iT1YgAg==\n-----END PRIVATE KEY-----\n";
        let key = Key::from_private_pem(None, Algorithm::Es256, pem);
        offers_another_way(key, "lacks its public half", "openssl ec");
    }

    #[test]
    fn an_rsa_key_that_cannot_sign_here_is_refused_with_the_lengths_that_can() {
        let reason = |bytes: u16| {
            let [high, low] = (bytes + 4 + 3).to_be_bytes();
            let mut key = vec![0x30, 0x82, high, low, 0x02, 0x01, 0x00, 0x02, 0x82];
            key.extend(bytes.to_be_bytes());
            key.extend(std::iter::repeat_n(0x7f, bytes.into()));
            let signing = &signature::RSA_PKCS1_SHA256;
            PrivateKey::rsa_alone(signing, &key).err().unwrap()
        };
        assert_eq!(reason(513), TOO_LONG_RSA);
        assert_eq!(reason(512), UNUSUAL_RSA);
        assert_eq!(reason(257), UNUSUAL_RSA);
        assert_eq!(reason(256), Refused::default(), "2047 bits");
    }
}
