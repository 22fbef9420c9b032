//! One key.

use std::fmt;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

use super::algorithm::Family;
use super::material::{Checker, Signer};
use super::public::PublicNumbers;
use super::{Algorithm, KeyError, jwk, pem, secret};
use crate::crypto::{Curve, PrivateKey, PublicKey, Refused, hmac, rand};
use crate::verify::header;

/// One key with its one algorithm and its `kid` (RFC 7515, section 4.1.4).
///
/// It is parsed when it is made, so a bad one is found then. A key that is given no `kid` gets
/// one that is derived from it: the thumbprint of RFC 7638, or a MAC under the secret, which
/// tells nothing about it. Cloning is cheap.
///
/// # Security
///
/// The algorithm is the key's, never the token's: a token whose `alg` differs is refused, and the
/// public key of an RSA pair cannot be taken for a secret.
///
/// # Examples
///
/// ```
/// use tower_jwt_session::verify::{Algorithm, Key, KeyRing, KeyState};
///
/// let current = Key::generate(Some("2026-11"), Algorithm::EdDsa)?;
/// let ring = KeyRing::new([(current, KeyState::Sign)])?;
/// assert!(ring.can_sign());
/// assert!(Key::hmac(None, Algorithm::Hs256, b"changeme").is_err());
/// # Ok::<(), tower_jwt_session::verify::KeyError>(())
/// ```
#[derive(Clone)]
pub struct Key {
    kid: Arc<str>,
    header: Arc<str>,
    algorithm: Algorithm,
    origin: Origin,
    material: Arc<Material>,
}

/// Whose tokens a key checks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Origin {
    /// Another issuer's: its tokens know nothing of our sessions, and we never sign with it.
    Foreign {
        /// The only `iss` that its tokens may carry; `None` for each that the policy accepts beside ours.
        issuer: Option<String>,
    },
    /// Ours: its tokens name a session, and where in its history they stand.
    #[default]
    Ours,
}

struct Material {
    checker: Checker,
    signer: Option<Signer>,
    public: Option<PublicNumbers>,
    fingerprint: String,
}

impl Key {
    /// A secret for HS256, HS384 or HS512, which signs and checks.
    ///
    /// # Errors
    ///
    /// [`KeyError`] for another algorithm, an unusable `kid`, and a secret that is a known
    /// placeholder, repeats a short pattern or is shorter than the hash (RFC 7518, section 3.2).
    pub fn hmac(kid: Option<&str>, algorithm: Algorithm, secret: &[u8]) -> Result<Self, KeyError> {
        let Family::Hmac(hash) = algorithm.family() else {
            return Err(wrong_type(algorithm, "a secret"));
        };
        secret::check(algorithm, secret)?;
        Self::from_secret(kid, algorithm, hash, secret)
    }

    /// A private key in PEM: PKCS#8, or PKCS#1 for RSA. It signs and checks.
    ///
    /// # Errors
    ///
    /// [`KeyError`] for text that is no such key, a key of another type or curve than
    /// `algorithm` asks for, an RSA key below 2048 bits, and an unusable `kid`. With the feature `ring` alone, also
    /// for an RSA key above 4096 bits or with a public exponent below 65537, and for an EC key without its public half.
    pub fn from_private_pem(
        kid: Option<&str>,
        algorithm: Algorithm,
        pem: &[u8],
    ) -> Result<Self, KeyError> {
        let key = pem::private(algorithm, pem)?;
        Self::from_private(kid, algorithm, key)
    }

    /// A public key in PEM: SubjectPublicKeyInfo, or PKCS#1 for RSA. It only checks.
    ///
    /// # Errors
    ///
    /// As for [`from_private_pem`](Self::from_private_pem).
    pub fn from_public_pem(
        kid: Option<&str>,
        algorithm: Algorithm,
        pem: &[u8],
    ) -> Result<Self, KeyError> {
        let numbers = pem::public(algorithm, pem)?;
        Self::from_numbers(kid, algorithm, numbers)
    }

    /// The public keys of a JWK Set (RFC 7517, section 5), each with its own `kid` and `alg`.
    ///
    /// They are ours until [`with_origin`](Self::with_origin) says otherwise.
    ///
    /// # Errors
    ///
    /// [`KeyError`] that names the first key which lacks `kid` or `alg`, is private or symmetric,
    /// is not for signatures, or is of a type that is not supported. None is passed over in
    /// silence.
    pub fn from_jwk_set(json: &str) -> Result<Vec<Self>, KeyError> {
        jwk::read_set(json)?
            .into_iter()
            .map(|one| Self::from_numbers(Some(&one.kid), one.algorithm, one.numbers))
            .collect()
    }

    /// A new random key, which exists only in this process.
    ///
    /// RSA keys have 2048 bits and take a while.
    ///
    /// # Errors
    ///
    /// [`KeyError`] for an unusable `kid`, and where the system has no randomness. With the feature `ring` alone,
    /// for RSA: `ring` makes no such keys.
    pub fn generate(kid: Option<&str>, algorithm: Algorithm) -> Result<Self, KeyError> {
        let failed = || KeyError::new("no key could be made", "check the system's randomness");
        let key = match algorithm.family() {
            Family::Hmac(hash) => {
                let mut secret = zeroize::Zeroizing::new([0; 64]);
                rand::fill(secret.as_mut()).map_err(|_| failed())?;
                return Self::from_secret(kid, algorithm, hash, secret.as_ref());
            }
            Family::Ec(curve) => PrivateKey::new_ec(curve),
            Family::Ed => PrivateKey::new_ed(),
            Family::Rsa { signing, .. } => PrivateKey::new_rsa(signing),
        };
        let key = key.map_err(|why| refused(why, failed))?;
        Self::from_private(kid, algorithm, key)
    }

    /// The same key with another origin. Defaults to [`Origin::Ours`], which asks the most of a
    /// token.
    #[must_use]
    pub fn with_origin(mut self, origin: Origin) -> Self {
        self.origin = origin;
        self
    }

    /// The same key as one of `issuer`, whose tokens carry no sessions of ours.
    ///
    /// # Security
    ///
    /// It says who its users are and which roles they have: its `sub` and its roles are taken for
    /// those of this service. Give what it must not decide to guards of your own.
    #[must_use]
    pub fn foreign(self, issuer: impl Into<String>) -> Self {
        self.with_origin(Origin::Foreign {
            issuer: Some(issuer.into()),
        })
    }

    /// Its name in the `kid` header parameter.
    #[must_use]
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// Its one algorithm.
    #[must_use]
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// Whose tokens it checks.
    #[must_use]
    pub fn origin(&self) -> &Origin {
        &self.origin
    }

    /// Whether it holds a secret or a private key.
    #[must_use]
    pub fn can_sign(&self) -> bool {
        self.material.signer.is_some()
    }

    /// The first part of the access tokens that it signs.
    pub(super) fn header(&self) -> &str {
        &self.header
    }

    /// Its public half as a JSON Web Key; `None` for a secret.
    pub(super) fn to_jwk(&self) -> Option<Value> {
        let mut jwk = self.material.public.as_ref()?.to_jwk();
        jwk["alg"] = self.algorithm.as_str().into();
        jwk["kid"] = self.kid().into();
        jwk["use"] = "sig".into();
        Some(jwk)
    }

    pub(in crate::verify) fn is_good(&self, message: &[u8], signature: &[u8]) -> bool {
        self.material.checker.is_good(message, signature)
    }

    pub(in crate::verify) fn sign(&self, message: &[u8]) -> Option<Vec<u8>> {
        self.material.signer.as_ref()?.sign(message)
    }

    /// Whether both admit the same tokens.
    pub(crate) fn admits_as(&self, other: &Self) -> bool {
        self.kid == other.kid
            && self.algorithm == other.algorithm
            && self.origin == other.origin
            && self.material.fingerprint == other.material.fingerprint
    }

    fn from_secret(
        kid: Option<&str>,
        algorithm: Algorithm,
        hash: hmac::Algorithm,
        secret: &[u8],
    ) -> Result<Self, KeyError> {
        let key = Box::new(hmac::Key::new(hash, secret));
        let tag = hmac::sign(&key, KID_LABEL);
        let material = Material {
            checker: Checker::Hmac(key.clone()),
            signer: Some(Signer::Hmac(key)),
            public: None,
            fingerprint: URL_SAFE_NO_PAD.encode(&tag.as_ref()[..KID_BYTES]),
        };
        Self::new(kid, algorithm, material)
    }

    fn from_private(
        kid: Option<&str>,
        algorithm: Algorithm,
        key: PrivateKey,
    ) -> Result<Self, KeyError> {
        let numbers = public_half(algorithm, key.public()).ok_or_else(|| unusable(algorithm))?;
        let mut material = checking_material(algorithm, numbers)?;
        material.signer = Some(Signer::Private(key));
        Self::new(kid, algorithm, material)
    }

    fn from_numbers(
        kid: Option<&str>,
        algorithm: Algorithm,
        numbers: PublicNumbers,
    ) -> Result<Self, KeyError> {
        Self::new(kid, algorithm, checking_material(algorithm, numbers)?)
    }

    fn new(kid: Option<&str>, algorithm: Algorithm, material: Material) -> Result<Self, KeyError> {
        let kid = kid.unwrap_or(&material.fingerprint);
        if kid.is_empty() || kid.len() > 255 || kid.chars().any(char::is_control) {
            return Err(KeyError::new(
                "a kid is empty, longer than 255 bytes or holds a control character",
                "name the key by a short text, or leave the kid out to have one derived",
            ));
        }
        Ok(Self {
            kid: kid.into(),
            header: header::written(algorithm.as_str(), kid).into(),
            algorithm,
            origin: Origin::Ours,
            material: Arc::new(material),
        })
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Key")
            .field("kid", &self.kid)
            .field("algorithm", &self.algorithm)
            .field("origin", &self.origin)
            .field("can_sign", &self.can_sign())
            .finish_non_exhaustive()
    }
}

pub(super) fn wrong_type(algorithm: Algorithm, found: &str) -> KeyError {
    let what = format!("{found} cannot be the key of {algorithm}");
    let fix = match algorithm.family() {
        Family::Ec(Curve::P256) => "give an EC key on the curve P-256",
        Family::Ec(Curve::P384) => "give an EC key on the curve P-384",
        Family::Ed => "give an Ed25519 key",
        Family::Hmac(_) => "give a secret",
        Family::Rsa { .. } => "give an RSA key of at least 2048 bits",
    };
    KeyError::new(what, fix)
}

/// What the library lacks, or else that the key is no such one.
pub(super) fn refused(why: Refused, otherwise: impl FnOnce() -> KeyError) -> KeyError {
    match why.lacking {
        Some((what, fix)) => KeyError::new(what, fix),
        None => otherwise(),
    }
}

fn unusable(algorithm: Algorithm) -> KeyError {
    wrong_type(algorithm, "this key")
}

fn public_half(algorithm: Algorithm, public: &[u8]) -> Option<PublicNumbers> {
    match algorithm.family() {
        Family::Ec(curve) => PublicNumbers::from_point(curve, public),
        Family::Ed => Some(PublicNumbers::Ed { x: public.to_vec() }),
        Family::Hmac(_) => None,
        Family::Rsa { .. } => PublicNumbers::from_rsa_der(public),
    }
}

fn checking_material(algorithm: Algorithm, numbers: PublicNumbers) -> Result<Material, KeyError> {
    let key = match (algorithm.family(), &numbers) {
        (Family::Ec(curve), PublicNumbers::Ec { curve: have, x, y }) if curve == *have => {
            let point = [&[0x04], x.as_slice(), y.as_slice()].concat();
            PublicKey::ec(curve, &point)
        }
        (Family::Ed, PublicNumbers::Ed { x }) if x.len() == ED25519_LEN => PublicKey::ed(x),
        (Family::Rsa { verifying, .. }, PublicNumbers::Rsa { n, e }) => {
            let bits = numbers.modulus_bits();
            if !(2048..=8192).contains(&bits) {
                let what = format!("an RSA key has {bits} bits");
                return Err(KeyError::new(what, "use one of 2048 to 8192 bits"));
            }
            PublicKey::rsa(verifying, n, e)
        }
        _ => return Err(unusable(algorithm)),
    };
    Ok(Material {
        checker: Checker::Public(key.map_err(|why| refused(why, || unusable(algorithm)))?),
        signer: None,
        fingerprint: numbers.thumbprint(),
        public: Some(numbers),
    })
}

const KID_LABEL: &[u8] = b"tower-jwt-session: the kid of a secret";
/// 128 bits: enough to tell secrets apart.
const KID_BYTES: usize = 16;
const ED25519_LEN: usize = 32;
