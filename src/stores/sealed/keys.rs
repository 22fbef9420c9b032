//! The keys under which personal data is kept, and the text that they make of it.

use std::fmt;
use std::sync::Arc;

use aws_lc_rs::aead::{AES_256_GCM_SIV, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use aws_lc_rs::hkdf;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use zeroize::{Zeroize as _, Zeroizing};

use crate::token::{SessionId, UserId};
use crate::verify::{Algorithm, KeyError, check_secret};

/// One key that encrypts session data in a store.
#[derive(Clone)]
pub struct SealKey {
    id: [u8; ID_LEN],
    key: Arc<RandomizedNonceKey>,
}

/// The key that encrypts, and those that still decrypt.
#[derive(Clone, Debug)]
pub struct SealKeys {
    active: SealKey,
    open_only: Vec<SealKey>,
}

/// What a text belongs to. It opens nowhere else, so nobody who can write to the store moves the
/// data of one session into another.
#[derive(Clone, Copy)]
pub(super) struct Place<'a> {
    pub(super) session: SessionId,
    pub(super) user: &'a UserId,
    pub(super) field: &'static str,
}

/// A text that looks sealed, and which none of the keys opens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SealError;

impl SealKey {
    /// A key from a secret, at least 32 random bytes of it.
    ///
    /// # Errors
    ///
    /// [`KeyError`] when the secret is shorter, a known placeholder, or a pattern over and over.
    pub fn from_secret(secret: &[u8]) -> Result<Self, KeyError> {
        check_secret(Algorithm::Hs256, secret)?;
        let root = hkdf::Salt::new(hkdf::HKDF_SHA256, b"tower-jwt-session seal").extract(secret);
        let derive = |purpose: &'static [u8]| {
            let mut key = Zeroizing::new([0; 32]);
            root.expand(&[purpose], hkdf::HKDF_SHA256)
                .and_then(|okm| okm.fill(&mut *key))
                .expect("32 bytes are less than HKDF's bound of 255 hashes");
            key
        };
        let mut id = [0; ID_LEN];
        id.copy_from_slice(&derive(b"id")[..ID_LEN]);
        let key = RandomizedNonceKey::new(&AES_256_GCM_SIV, &*derive(b"key"))
            .expect("the algorithm takes keys of 32 bytes");
        Ok(Self {
            id,
            key: Arc::new(key),
        })
    }
}

impl fmt::Debug for SealKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SealKey(..)")
    }
}

impl SealKeys {
    /// `active` encrypts.
    #[must_use]
    pub fn new(active: SealKey) -> Self {
        Self {
            active,
            open_only: Vec::new(),
        }
    }

    /// Reads what was written under another key, without writing any.
    #[must_use]
    pub fn add_open_only(mut self, key: SealKey) -> Self {
        self.open_only.push(key);
        self
    }

    /// The sealed form of a text.
    ///
    /// # Errors
    ///
    /// [`SealError`] where the system gives no random numbers.
    pub(super) fn seal(&self, place: Place<'_>, text: &str) -> Result<String, SealError> {
        let mut body = text.as_bytes().to_vec();
        let nonce = self
            .active
            .key
            .seal_in_place_append_tag(place.aad(), &mut body)
            .map_err(|_| SealError)?;
        let mut bytes = Vec::with_capacity(HEAD_LEN + body.len());
        bytes.extend_from_slice(&self.active.id);
        bytes.extend_from_slice(nonce.as_ref());
        bytes.append(&mut body);
        Ok(format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(bytes)))
    }

    /// The text behind a sealed form; what was written before there was a key is its own text.
    ///
    /// # Errors
    ///
    /// [`SealError`] for what none of the keys opens in this place.
    pub(super) fn open(&self, place: Place<'_>, sealed: &str) -> Result<String, SealError> {
        let Some(encoded) = sealed.strip_prefix(PREFIX) else {
            return Ok(sealed.to_owned());
        };
        let bytes = URL_SAFE_NO_PAD.decode(encoded).map_err(|_| SealError)?;
        let (head, body) = bytes.split_at_checked(HEAD_LEN).ok_or(SealError)?;
        let (id, nonce) = head.split_at(ID_LEN);
        std::iter::once(&self.active)
            .chain(&self.open_only)
            .filter(|key| key.id == id)
            .find_map(|key| {
                let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
                let mut body = body.to_vec();
                let opened = key.key.open_in_place(nonce, place.aad(), &mut body).ok();
                let text = opened.and_then(|text| std::str::from_utf8(text).ok());
                let text = text.map(str::to_owned);
                body.zeroize();
                text
            })
            .ok_or(SealError)
    }
}

impl<'a> Place<'a> {
    /// The places of a session of a user, by their fields.
    pub(super) fn of(session: SessionId, user: &'a UserId) -> impl Fn(&'static str) -> Self {
        move |field| Self {
            session,
            user,
            field,
        }
    }

    fn aad(&self) -> Aad<Vec<u8>> {
        let mut aad = self.field.as_bytes().to_vec();
        aad.push(0);
        aad.extend_from_slice(self.session.as_bytes());
        aad.extend_from_slice(self.user.as_str().as_bytes());
        Aad::from(aad)
    }
}

impl fmt::Display for SealError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("session data that none of the encryption keys opens: add the key that it was written under to SESSION_ENCRYPTION_KEY_PREVIOUS")
    }
}

impl std::error::Error for SealError {}

const PREFIX: &str = "sealed:1:";
const ID_LEN: usize = 4;
const HEAD_LEN: usize = ID_LEN + NONCE_LEN;
