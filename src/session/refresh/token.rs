//! The refresh token on the wire: opaque, authenticated before any store is asked.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use zeroize::{Zeroize as _, Zeroizing};

use crate::crypto::digest::{SHA256, digest};
use crate::crypto::{hkdf, hmac};
use crate::token::{SessionId, UserId};
use crate::verify::{Algorithm, KeyError, check_secret};

/// A refresh token whose MAC was good (or that we just made).
///
/// `version . key id . bucket . session . generation . seed . MAC`, base64url, behind a prefix by
/// which scanners find leaked ones. The successor of a token is derived from it: the same seed,
/// the next generation. The store holds only the hash of the seed, so its contents forge nothing.
#[derive(Clone, PartialEq, Eq)]
pub struct RefreshToken {
    bucket: u8,
    session: SessionId,
    generation: u32,
    seed: Seed,
}

/// The secret that every refresh token of a session carries and that nobody else keeps.
#[derive(Clone, PartialEq, Eq)]
struct Seed([u8; 32]);

/// What a store keeps of the seed.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SeedHash([u8; 32]);

/// The text is not a refresh token of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RefreshTokenError;

/// One key that authenticates refresh tokens and derives their seeds.
#[derive(Clone)]
pub struct RefreshKey {
    id: [u8; 4],
    mac: hmac::Key,
    kdf: hmac::Key,
}

/// The key that makes refresh tokens, and those that are still accepted.
#[derive(Clone, Debug)]
pub struct RefreshKeys {
    active: RefreshKey,
    verify_only: Vec<RefreshKey>,
}

impl RefreshToken {
    /// The first token of a session, whose seed `keys` derive from the sign-in's operation secret.
    #[must_use]
    pub fn first(
        keys: &RefreshKey,
        user: &UserId,
        session: SessionId,
        operation_secret: &[u8],
    ) -> Self {
        Self {
            bucket: bucket_of(user),
            session,
            generation: 1,
            seed: keys.seed(user, operation_secret),
        }
    }

    /// The token of another generation of the same session.
    #[must_use]
    pub fn at_generation(&self, generation: u32) -> Self {
        Self {
            generation,
            ..self.clone()
        }
    }

    /// The session that it refreshes.
    #[must_use]
    pub fn session(&self) -> SessionId {
        self.session
    }

    /// The part of the store that holds the session's user.
    #[must_use]
    pub fn bucket(&self) -> u8 {
        self.bucket
    }

    /// Its generation.
    #[must_use]
    pub fn generation(&self) -> u32 {
        self.generation
    }

    /// What the store has to hold for this token to be genuine.
    #[must_use]
    pub fn seed_hash(&self) -> SeedHash {
        SeedHash(sha256(&self.seed.0))
    }

    /// The text for the client, authenticated by the active key.
    #[must_use]
    pub fn encode(&self, keys: &RefreshKeys) -> String {
        let mut bytes = [0; TOKEN_LEN];
        bytes[0] = VERSION;
        bytes[1..5].copy_from_slice(&keys.active.id);
        bytes[5] = self.bucket;
        bytes[6..22].copy_from_slice(self.session.as_bytes());
        bytes[22..26].copy_from_slice(&self.generation.to_be_bytes());
        bytes[26..58].copy_from_slice(&self.seed.0);
        let mac = hmac::sign(&keys.active.mac, &bytes[..BODY_LEN]);
        bytes[BODY_LEN..].copy_from_slice(mac.as_ref());
        let text = format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(bytes));
        bytes.zeroize();
        text
    }

    /// Reads a text back and checks its MAC, before any store is asked.
    ///
    /// # Errors
    ///
    /// [`RefreshTokenError`] for everything that none of `keys` made.
    pub fn decode(text: &str, keys: &RefreshKeys) -> Result<Self, RefreshTokenError> {
        let encoded = text.strip_prefix(PREFIX).ok_or(RefreshTokenError)?;
        if encoded.len() != TOKEN_LEN / 3 * 4 {
            return Err(RefreshTokenError);
        }
        let bytes = URL_SAFE_NO_PAD
            .decode(encoded)
            .map_err(|_| RefreshTokenError)?;
        let bytes: Zeroizing<Vec<u8>> = Zeroizing::new(bytes);
        if bytes.len() != TOKEN_LEN || bytes[0] != VERSION {
            return Err(RefreshTokenError);
        }
        // Two keys may share the four bytes of their ids, so one that fails does not decide.
        let genuine = keys.all().any(|key| {
            key.id == bytes[1..5]
                && hmac::verify(&key.mac, &bytes[..BODY_LEN], &bytes[BODY_LEN..]).is_ok()
        });
        let generation = u32::from_be_bytes(array(&bytes[22..26]));
        if !genuine || generation == 0 {
            return Err(RefreshTokenError);
        }
        Ok(Self {
            bucket: bytes[5],
            session: SessionId::from_bytes(array(&bytes[6..22])),
            generation,
            seed: Seed(array(&bytes[26..58])),
        })
    }
}

impl fmt::Debug for RefreshToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RefreshToken")
            .field("session", &self.session)
            .field("generation", &self.generation)
            .finish_non_exhaustive()
    }
}

impl Drop for Seed {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl SeedHash {
    /// The hash from its bytes.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The bytes of the hash.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for SeedHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SeedHash(..)")
    }
}

impl RefreshKey {
    /// A key from a secret, at least 32 random bytes of it.
    ///
    /// # Errors
    ///
    /// [`KeyError`] when the secret is shorter, a known placeholder, or a pattern over and over.
    pub fn from_secret(secret: &[u8]) -> Result<Self, KeyError> {
        check_secret(Algorithm::Hs256, secret)?;
        let root = hkdf::Salt::new(hkdf::HKDF_SHA256, b"tower-jwt-session refresh").extract(secret);
        let derive = |purpose: &'static [u8]| {
            let mut key = [0; 32];
            root.expand(&[purpose], hkdf::HKDF_SHA256)
                .and_then(|okm| okm.fill(&mut key))
                .expect("32 bytes are less than HKDF's bound of 255 hashes");
            key
        };
        let id = derive(b"id");
        Ok(Self {
            id: array(&id[..4]),
            mac: hmac::Key::new(hmac::HMAC_SHA256, &derive(b"mac")),
            kdf: hmac::Key::new(hmac::HMAC_SHA256, &derive(b"seed")),
        })
    }

    fn seed(&self, user: &UserId, operation_secret: &[u8]) -> Seed {
        let mut context = hmac::Context::with_key(&self.kdf);
        let user = user.as_str().as_bytes();
        context.update(&(user.len() as u64).to_be_bytes());
        context.update(user);
        context.update(operation_secret);
        Seed(array(context.sign().as_ref()))
    }
}

impl fmt::Debug for RefreshKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RefreshKey(..)")
    }
}

impl RefreshKeys {
    /// `active` makes tokens.
    #[must_use]
    pub fn new(active: RefreshKey) -> Self {
        Self {
            active,
            verify_only: Vec::new(),
        }
    }

    /// Accepts the tokens of another key, without making any.
    #[must_use]
    pub fn add_verify_only(mut self, key: RefreshKey) -> Self {
        self.verify_only.push(key);
        self
    }

    /// The key that makes tokens.
    #[must_use]
    pub fn active(&self) -> &RefreshKey {
        &self.active
    }

    /// All keys, the active one first.
    pub fn all(&self) -> impl Iterator<Item = &RefreshKey> {
        std::iter::once(&self.active).chain(&self.verify_only)
    }
}

impl fmt::Display for RefreshTokenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not a refresh token of this service")
    }
}

impl std::error::Error for RefreshTokenError {}

/// The part of a store that holds a user: one of 64.
#[must_use]
pub fn bucket_of(user: &UserId) -> u8 {
    sha256(user.as_str().as_bytes())[0] & 63
}

fn sha256(bytes: &[u8]) -> [u8; 32] {
    array(digest(&SHA256, bytes).as_ref())
}

fn array<const N: usize>(bytes: &[u8]) -> [u8; N] {
    bytes.try_into().expect("the caller sliced N bytes")
}

const PREFIX: &str = "tjs_rt_";
const VERSION: u8 = 1;
const BODY_LEN: usize = 58;
const TOKEN_LEN: usize = 90;
