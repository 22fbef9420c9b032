//! The keys of a service.

use std::collections::HashSet;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use arc_swap::ArcSwap;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::{Algorithm, Key, KeyError, KeyState, Origin};
use crate::clock::UnixTime;
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
    /// Whoever changes the keys holds it: two at once would each begin with what was before both.
    /// Keys that retire by themselves, and when.
    retiring: Mutex<Vec<(String, UnixTime)>>,
}

/// One key of a ring, to be shown. Holds no secret.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct KeyInfo {
    /// Its name.
    pub kid: String,
    /// Its one algorithm.
    pub algorithm: Algorithm,
    /// What it is used for.
    pub state: KeyState,
    /// Whose tokens it checks.
    pub origin: Origin,
    /// Whether it could sign.
    pub can_sign: bool,
    /// When it retires by itself.
    pub retires_at: Option<UnixTime>,
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
            retiring: Mutex::default(),
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
        let next = KeySet::new(keys)?;
        let _one_at_a_time = self.lock();
        self.exchange(next);
        Ok(())
    }

    /// Adds a key that checks tokens and does not sign yet: the first step of a change, on every
    /// node before any signs with it. Its public half is in the [JWK Set](Self::jwks) from now on.
    /// A key that is there already stays as it is.
    ///
    /// # Errors
    ///
    /// [`KeyError`] when another key has its `kid`.
    pub fn announce(&self, key: Key) -> Result<(), KeyError> {
        let _one_at_a_time = self.lock();
        let before = self.set.load();
        let is_there = |(known, state): &(Key, KeyState)| {
            known.admits_as(&key) && state.verifies() && (known.can_sign() || !key.can_sign())
        };
        if before.keys.iter().any(is_there) {
            return Ok(());
        }
        // One of which only the public half was known, or that was retired, is replaced.
        let others = before
            .keys
            .iter()
            .filter(|(other, _)| !other.admits_as(&key));
        let keys: Vec<_> = others.cloned().collect();
        let added = (key.clone(), KeyState::VerifyOnly);
        self.exchange(KeySet::new(keys.into_iter().chain([added]))?);
        Ok(())
    }

    /// Signs with a key of the ring from now on. The key that signed until now checks tokens on,
    /// and is [retired](Self::retire_due) at an instant, where one is given.
    ///
    /// # Errors
    ///
    /// [`KeyError`] when there is no key of that `kid`, or it cannot sign.
    pub fn sign_with(&self, kid: &str, retire_at: Option<UnixTime>) -> Result<(), KeyError> {
        let mut retiring = self.lock();
        let before = self.set.load();
        if before.find(kid).is_none() {
            return Err(unknown(kid));
        }
        let signs = |key: &Key, state: KeyState| match state {
            _ if key.kid() == kid => KeyState::Sign,
            KeyState::Sign => KeyState::VerifyOnly,
            other => other,
        };
        let keys = before.keys.iter();
        let keys = keys.map(|(key, state)| (key.clone(), signs(key, *state)));
        let next = KeySet::new(keys)?;
        let old = before.signing().map(|key| key.kid().to_owned());
        retiring.retain(|(other, _)| other != kid && Some(other) != old.as_ref());
        retiring.extend(old.filter(|old| old != kid).zip(retire_at));
        self.exchange(next);
        Ok(())
    }

    /// Refuses the tokens of a key from now on, whether or not they have expired: what to do at
    /// once with a key that somebody else may have. The key that signs is not retired; have another
    /// one [sign](Self::sign_with) first.
    ///
    /// # Errors
    ///
    /// [`KeyError`] when there is no key of that `kid`, or it signs.
    pub fn retire(&self, kid: &str) -> Result<(), KeyError> {
        let mut retiring = self.lock();
        let before = self.set.load();
        match before.find(kid) {
            None => return Err(unknown(kid)),
            Some((_, KeyState::Sign)) => {
                let what = format!("the key {kid:?} signs");
                return Err(KeyError::new(what, "let another key sign first"));
            }
            Some(_) => {}
        }
        retiring.retain(|(other, _)| other != kid);
        let retired = |key: &Key, state| {
            if key.kid() == kid {
                KeyState::Retired
            } else {
                state
            }
        };
        let keys = before.keys.iter();
        let keys = keys.map(|(key, state)| (key.clone(), retired(key, *state)));
        self.exchange(KeySet::new(keys)?);
        Ok(())
    }

    /// Retires what is due by then. Where a [`JwtSession`](crate::JwtSession) runs, its work in the
    /// background does.
    pub fn retire_due(&self, now: UnixTime) {
        let due: Vec<String> = {
            let retiring = self.lock();
            let due = retiring.iter().filter(|(_, at)| *at <= now);
            due.map(|(kid, _)| kid.clone()).collect()
        };
        for kid in due {
            match self.retire(&kid) {
                Ok(()) => tracing::info!(kid, "a key that no token needs any more was retired"),
                // It left, or signs again.
                Err(_) => self.lock().retain(|(other, _)| *other != kid),
            }
        }
    }

    /// The keys, to be shown.
    #[must_use]
    pub fn list(&self) -> Vec<KeyInfo> {
        let retiring = self.lock();
        let at = |kid: &str| retiring.iter().find(|(other, _)| other == kid);
        let set = self.set.load();
        let info = |(key, state): &(Key, KeyState)| KeyInfo {
            kid: key.kid().to_owned(),
            algorithm: key.algorithm(),
            state: *state,
            origin: key.origin().clone(),
            can_sign: key.can_sign(),
            retires_at: at(key.kid()).map(|(_, at)| *at),
        };
        set.keys.iter().map(info).collect()
    }

    fn lock(&self) -> MutexGuard<'_, Vec<(String, UnixTime)>> {
        self.retiring.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn exchange(&self, next: KeySet) {
        let next = Arc::new(next);
        let before = self.set.swap(next.clone());
        if !next.admits_all_of(&before) {
            self.version.raise();
        }
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

fn unknown(kid: &str) -> KeyError {
    let what = format!("there is no key {kid:?}");
    KeyError::new(what, "announce it first, on every node")
}
