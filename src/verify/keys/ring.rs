//! The keys of a service.

use std::collections::HashSet;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwap;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::{Key, KeyError, KeyState, Origin};
use crate::verify::header::Header;
use crate::verify::stamp::{RingVersion, Stamp};

/// The keys of a service; exchanged at run time without a lock on the request path.
///
/// # Examples
///
/// To change the signing key without signing anybody out, keep the old one until its last token
/// has expired:
///
/// ```
/// use tower_jwt_session::verify::{Algorithm, Key, KeyRing, KeyState};
///
/// let old = Key::generate(Some("old"), Algorithm::Es256)?;
/// let ring = KeyRing::new([(old.clone(), KeyState::Sign)])?;
///
/// let new = Key::generate(Some("new"), Algorithm::EdDsa)?;
/// ring.replace([(new, KeyState::Sign), (old, KeyState::VerifyOnly)])?;
/// # Ok::<(), tower_jwt_session::verify::KeyError>(())
/// ```
pub struct KeyRing {
    set: ArcSwap<KeySet>,
    version: RingVersion,
    replacing: Mutex<()>,
}

/// The keys at one moment.
#[derive(Debug)]
pub(in crate::verify) struct KeySet {
    keys: Box<[(Key, KeyState)]>,
}

/// Why nothing was signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SignError {
    /// The cryptographic library failed.
    Failed,
    /// The ring has no key that signs.
    NoKey,
}

impl KeyRing {
    /// A ring of keys.
    ///
    /// # Errors
    ///
    /// [`KeyError`] when two keys share a `kid`, more than one signs, or one is to sign that has
    /// no private part or is another issuer's.
    pub fn new(keys: impl IntoIterator<Item = (Key, KeyState)>) -> Result<Self, KeyError> {
        Ok(Self {
            set: ArcSwap::from_pointee(KeySet::new(keys)?),
            version: RingVersion::default(),
            replacing: Mutex::new(()),
        })
    }

    /// Replaces all keys at once. Tokens of keys that are gone are refused when this has returned.
    ///
    /// When a key that verified has left or changed, each cached token is verified anew once.
    ///
    /// # Errors
    ///
    /// As for [`new`](Self::new); the old keys stay.
    pub fn replace(&self, keys: impl IntoIterator<Item = (Key, KeyState)>) -> Result<(), KeyError> {
        let next = Arc::new(KeySet::new(keys)?);
        // Two at once would each compare with the other's predecessor.
        let _one_at_a_time = self
            .replacing
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let before = self.set.swap(next.clone());
        if !next.admits_all_of(&before) {
            self.version.raise();
        }
        Ok(())
    }

    /// Whether there is a key to sign with.
    #[must_use]
    pub fn can_sign(&self) -> bool {
        self.set.load().signing().is_some()
    }

    /// Makes an access token (`header.payload.signature`, RFC 7515, section 7.1) with the signing
    /// key.
    pub(crate) fn sign(&self, payload: &[u8]) -> Result<String, SignError> {
        let set = self.set.load();
        let key = set.signing().ok_or(SignError::NoKey)?;
        let header = key.header();
        let mut text = String::with_capacity(header.len() + payload.len() * 4 / 3 + 700);
        text.push_str(header);
        text.push('.');
        URL_SAFE_NO_PAD.encode_string(payload, &mut text);
        let signature = key.sign(text.as_bytes()).ok_or(SignError::Failed)?;
        text.push('.');
        URL_SAFE_NO_PAD.encode_string(signature, &mut text);
        Ok(text)
    }

    /// The public keys as a JWK Set (RFC 7517, section 5).
    ///
    /// Secrets, retired keys and the keys of other issuers are left out.
    #[must_use]
    pub fn jwks(&self) -> Value {
        let set = self.set.load();
        let keys: Vec<_> = set
            .verifying()
            .filter(|key| *key.origin() == Origin::Ours)
            .filter_map(Key::to_jwk)
            .collect();
        json!({ "keys": keys })
    }

    pub(in crate::verify) fn keys(&self) -> arc_swap::Guard<Arc<KeySet>> {
        self.set.load()
    }

    pub(in crate::verify) fn stamp(&self) -> Stamp {
        self.version.read()
    }

    pub(in crate::verify) fn admits(&self, stamp: Stamp) -> bool {
        self.version.admits(stamp)
    }
}

impl KeySet {
    fn new(keys: impl IntoIterator<Item = (Key, KeyState)>) -> Result<Self, KeyError> {
        let keys: Box<[_]> = keys.into_iter().collect();
        let mut kids = HashSet::new();
        let mut signing = 0;
        for (key, state) in &keys {
            if !kids.insert(key.kid()) {
                let what = format!("two keys have the kid {:?}", key.kid());
                return Err(KeyError::new(what, "give each key a kid of its own"));
            }
            if *state != KeyState::Sign {
                continue;
            }
            signing += 1;
            if !key.can_sign() || *key.origin() != Origin::Ours {
                let what = format!("the key {:?} cannot sign", key.kid());
                return Err(KeyError::new(
                    what,
                    "give a private key of your own, or verify only",
                ));
            }
        }
        if signing > 1 {
            return Err(KeyError::new(
                "more than one key signs",
                "let one sign, and the others verify only",
            ));
        }
        Ok(Self { keys })
    }

    /// What the first part of a token says, where it is one that we write; most are.
    pub(in crate::verify) fn header(&self, part: &str) -> Option<Header<'_>> {
        self.keys
            .iter()
            .find(|(key, _)| key.header() == part)
            .map(|(key, _)| Header::of(key))
    }

    pub(in crate::verify) fn find(&self, kid: &str) -> Option<(&Key, KeyState)> {
        self.keys
            .iter()
            .find(|(key, _)| key.kid() == kid)
            .map(|(key, state)| (key, *state))
    }

    pub(in crate::verify) fn verifying(&self) -> impl Iterator<Item = &Key> {
        self.keys
            .iter()
            .filter(|(_, state)| state.verifies())
            .map(|(key, _)| key)
    }

    fn signing(&self) -> Option<&Key> {
        self.keys
            .iter()
            .find(|(_, state)| *state == KeyState::Sign)
            .map(|(key, _)| key)
    }

    fn admits_all_of(&self, before: &Self) -> bool {
        // A token without `kid` is only admitted by a key that is alone.
        let stays_alone = before.verifying().count() != 1 || self.verifying().count() == 1;
        stays_alone
            && before
                .verifying()
                .all(|old| self.verifying().any(|key| key.admits_as(old)))
    }
}

impl fmt::Debug for KeyRing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyRing")
            .field("keys", &self.set.load().keys)
            .finish_non_exhaustive()
    }
}
