//! Rules of the verified-token cache.

use std::cell::RefCell;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::json;

use super::*;
use crate::clock::UnixTime;
use crate::token::RawToken;
use crate::verify::fixtures::{NOW, claims, claims_with, encode, token, verify};
use crate::verify::stamp::RingVersion;
use crate::verify::{KeyRing, KeyState, VerifiedToken};

#[test]
fn each_cache_hashes_in_its_own_way() {
    assert_ne!(crate::verify::cache::seed(), crate::verify::cache::seed());
}

fn is_same(left: &VerifiedToken, right: &VerifiedToken) -> bool {
    Arc::ptr_eq(&left.checked, &right.checked)
}

#[test]
fn a_token_seen_before_is_the_same_entry() {
    let key = key(Algorithm::Hs256);
    let verifier = verifier(&key);
    let token = token(&key, &claims());
    let first = verify(&verifier, &token).unwrap();
    assert!(is_same(&first, &verify(&verifier, &token).unwrap()));
}

#[test]
fn another_spelling_of_one_token_is_another_entry() {
    let key = key(Algorithm::Es256);
    let verifier = verifier(&key);
    let first = token(&key, &claims());
    let (signed, _) = first.rsplit_once('.').unwrap();
    let again = format!("{signed}.{}", encode(key.sign(signed.as_bytes()).unwrap()));
    assert_ne!(first, again);
    let first = verify(&verifier, &first).unwrap();
    assert!(!is_same(&first, &verify(&verifier, &again).unwrap()));
}

#[test]
fn a_token_that_ends_like_a_known_one_is_not_taken_for_it() {
    let key = key(Algorithm::Hs256);
    let verifier = verifier(&key);
    let known = token(&key, &claims());
    let first = verify(&verifier, &known).unwrap();
    let (header, rest) = known.split_once('.').unwrap();
    let (_, signature) = rest.rsplit_once('.').unwrap();
    let payload = encode(claims_with("sub", "eve".into()).to_string());
    let forged = format!("{header}.{payload}.{signature}");
    assert_eq!(kind(&verifier, &forged), Some(VerifyErrorKind::Invalid));

    // Even where both are kept, each is found by all of its bytes.
    let other = verify(&verifier, &token(&key, &claims_with("sub", "eve".into()))).unwrap();
    let stamp = verifier.keys.stamp();
    verifier
        .cache
        .insert(forged.as_bytes(), stamp, other.checked.clone());
    assert!(is_same(&first, &verify(&verifier, &known).unwrap()));
    assert!(is_same(&other, &verify(&verifier, &forged).unwrap()));
}

#[test]
fn times_are_checked_again_on_each_hit() {
    let key = key(Algorithm::Hs256);
    let verifier = verifier(&key);
    let token = token(&key, &claims_with("nbf", json!(NOW.as_secs() - 30)));
    let at = |offset: i64| {
        let now = UnixTime::from_secs(NOW.as_secs().saturating_add_signed(offset));
        let verified = verifier.verify(RawToken::from_parameter(&token), now);
        verified.err().map(|error| error.kind())
    };
    assert_eq!(at(0), None);
    assert_eq!(at(544), None);
    assert_eq!(at(545), Some(VerifyErrorKind::Expired));
    assert_eq!(at(-40), Some(VerifyErrorKind::Invalid));
    assert_eq!(at(0), None);
    assert_eq!(verifier.cache.len(), 1);
}

#[test]
fn nothing_that_was_refused_or_had_expired_is_kept() {
    let key = key(Algorithm::Hs256);
    let verifier = verifier(&key);
    let expired = token(&key, &claims_with("exp", json!(NOW.as_secs() - 30)));
    assert!(verify(&verifier, &expired).is_err());
    let ignored = verifier.verify_ignoring_expiry(RawToken::from_parameter(&expired), NOW);
    assert!(ignored.is_ok());
    assert!(verify(&verifier, &token(&key, &claims_with("aud", "x".into()))).is_err());
    assert!(verify(&verifier, "a.b.c").is_err());
    assert_eq!(verifier.cache.len(), 0);
}

#[test]
fn a_token_of_an_unknown_session_takes_no_room() {
    let key = key(Algorithm::Hs256);
    let verifier = verifier(&key);
    let (known, unknown) = (
        token(&key, &claims()),
        token(&key, &claims_with("sub", "eve".into())),
    );
    let first = verify(&verifier, &known).unwrap();
    verify(&verifier, &unknown).unwrap();
    assert_eq!(verifier.cache.len(), 2);
    verifier.note_unknown((unknown.as_bytes(), Algorithm::Hs256), None, NOW);
    assert_eq!(verifier.cache.len(), 1);
    assert!(is_same(&first, &verify(&verifier, &known).unwrap()));
}

#[test]
fn no_token_of_a_key_that_left_is_admitted() {
    let (old, new) = (
        key(Algorithm::Hs256),
        Key::generate(Some("new"), Algorithm::Hs256).unwrap(),
    );
    let ring = Arc::new(KeyRing::new([(old.clone(), KeyState::Sign)]).unwrap());
    let verifier = Verifier::new::<NoClaims>(ring.clone(), policy());
    let token = token(&old, &claims());
    assert_eq!(kind(&verifier, &token), None);

    ring.replace([
        (new.clone(), KeyState::Sign),
        (old.clone(), KeyState::VerifyOnly),
    ])
    .unwrap();
    assert_eq!(kind(&verifier, &token), None);

    ring.replace([(new.clone(), KeyState::Sign), (old, KeyState::Retired)])
        .unwrap();
    assert_eq!(cause(&verifier, &token), Some("the key is retired"));
    assert_eq!(verifier.cache.len(), 0);

    ring.replace([(new, KeyState::Sign)]).unwrap();
    assert_eq!(cause(&verifier, &token), Some("no key has this kid"));
}

#[test]
fn a_key_of_the_same_kid_does_not_inherit_the_tokens_of_the_old() {
    let old = key(Algorithm::Hs256);
    let ring = Arc::new(KeyRing::new([(old.clone(), KeyState::Sign)]).unwrap());
    let verifier = Verifier::new::<NoClaims>(ring.clone(), policy());
    let token = token(&old, &claims());
    assert_eq!(kind(&verifier, &token), None);
    let imposter = Key::generate(Some("k"), Algorithm::Hs256).unwrap();
    ring.replace([(imposter, KeyState::Sign)]).unwrap();
    assert_eq!(kind(&verifier, &token), Some(VerifyErrorKind::Invalid));
}

#[test]
fn tokens_that_stay_valid_are_verified_anew_when_another_key_leaves() {
    let (stays, leaves) = (
        key(Algorithm::Hs256),
        Key::generate(Some("x"), Algorithm::Hs256).unwrap(),
    );
    let ring = KeyRing::new([
        (stays.clone(), KeyState::Sign),
        (leaves, KeyState::VerifyOnly),
    ]);
    let ring = Arc::new(ring.unwrap());
    let verifier = Verifier::new::<NoClaims>(ring.clone(), policy());
    let token = token(&stays, &claims());
    let before = verify(&verifier, &token).unwrap();
    ring.replace([(stays, KeyState::Sign)]).unwrap();
    let after = verify(&verifier, &token).unwrap();
    assert!(!is_same(&before, &after));
    assert!(is_same(&after, &verify(&verifier, &token).unwrap()));
}

#[test]
fn the_cache_holds_no_more_than_its_bytes() {
    let key = key(Algorithm::Hs256);
    let small = verifier_with(&key, policy().with_cache_size(20_000));
    let none = verifier_with(&key, policy().with_cache_size(0));
    for n in 0..100 {
        let token = token(&key, &claims_with("sub", format!("user {n}").into()));
        assert_eq!(kind(&small, &token), None);
        assert_eq!(kind(&none, &token), None);
    }
    assert!(
        (1..=12).contains(&small.cache.len()),
        "{}",
        small.cache.len()
    );
    assert_eq!(none.cache.len(), 0);
}

thread_local! {
    /// What happens once while a token's claims are being read.
    static MEANWHILE: RefCell<Option<Box<dyn FnOnce()>>> = const { RefCell::new(None) };
}

#[derive(Clone, Serialize)]
struct Interrupted {}

impl<'de> Deserialize<'de> for Interrupted {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if let Some(act) = MEANWHILE.take() {
            act();
        }
        NoClaims::deserialize(deserializer).map(|_| Self {})
    }
}

#[test]
fn a_token_whose_key_left_during_its_verification_is_not_admitted_afterwards() {
    let old = key(Algorithm::Hs256);
    let ring = Arc::new(KeyRing::new([(old.clone(), KeyState::Sign)]).unwrap());
    let verifier = Verifier::new::<Interrupted>(ring.clone(), policy());
    let token = token(&old, &claims());
    let other = Key::generate(Some("other"), Algorithm::Hs256).unwrap();
    MEANWHILE.set(Some(Box::new(move || {
        ring.replace([(other, KeyState::Sign)]).unwrap();
    })));
    assert_eq!(
        kind(&verifier, &token),
        None,
        "it began before the key left"
    );
    assert_eq!(kind(&verifier, &token), Some(VerifyErrorKind::Invalid));
}

#[test]
fn a_stamp_from_before_a_raise_is_never_admitted_again() {
    let version = RingVersion::default();
    let stamp = version.read();
    assert!(version.admits(stamp));
    version.raise();
    assert!(!version.admits(stamp));
    assert!(version.admits(version.read()));
}
