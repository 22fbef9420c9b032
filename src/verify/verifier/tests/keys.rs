//! Whose key signed: ours, another issuer's, or one of before the migration.

use serde_json::{Value, json};

use super::*;
use crate::clock::UnixTime;
use crate::token::{RawToken, SessionId};
use crate::verify::fixtures::{NOW, claims, claims_with, token, verify};
use crate::verify::{KeyRing, KeyState, Migration, Origin};

fn foreign_claims() -> Value {
    let mut all = claims_with("iss", "https://other.example".into());
    let members = all.as_object_mut().unwrap();
    for name in ["sid", "jti", "gen", "ugen", "rgen"] {
        members.remove(name);
    }
    all
}

fn migrating() -> TokenPolicy {
    policy().with_migration(Migration::until(UnixTime::from_secs(NOW.as_secs() + 100)))
}

#[test]
fn a_foreign_token_needs_no_session_and_its_counters_mean_nothing() {
    let key = key(Algorithm::Es256).foreign("https://other.example");
    let verifier = verifier(&key);
    let verified = verify(&verifier, &token(&key, &foreign_claims())).unwrap();
    assert_eq!(verified.claims().facts().session, None);
    assert_eq!(verified.claims().facts().token, None);

    let mut all = foreign_claims();
    all["sid"] = "abc".into();
    all["jti"] = "x".into();
    all["gen"] = json!({"of": "something else"});
    all["ugen"] = json!(1);
    all["rgen"] = json!(1);
    let verified = verify(&verifier, &token(&key, &all)).unwrap();
    let facts = verified.claims().facts();
    assert_eq!(
        facts.session,
        Some(SessionId::from_foreign("https://other.example", "abc"))
    );
    assert_eq!(facts.token.as_ref().unwrap().as_str(), "x");
    assert_eq!(facts.binding, None);
}

#[test]
fn a_foreign_token_has_no_counters_although_it_names_all_of_them() {
    let key = key(Algorithm::Es256).foreign("https://other.example");
    let all = claims_with("iss", "https://other.example".into());
    let verified = verify(&verifier(&key), &token(&key, &all)).unwrap();
    assert_eq!(verified.claims().facts().binding, None);
}

#[test]
fn a_foreign_key_speaks_for_its_own_issuer_alone() {
    let bound = key(Algorithm::Es256).foreign("https://other.example");
    let ours = claims();
    assert_eq!(
        kind(&verifier(&bound), &token(&bound, &ours)),
        Some(VerifyErrorKind::Invalid)
    );

    let free = key(Algorithm::Es256).with_origin(Origin::Foreign { issuer: None });
    let theirs = token(&free, &foreign_claims());
    assert_eq!(
        kind(&verifier(&free), &theirs),
        Some(VerifyErrorKind::Invalid)
    );
    let policy = policy().add_issuer("https://other.example");
    assert_eq!(kind(&verifier_with(&free, policy.clone()), &theirs), None);

    let own = key(Algorithm::Es256);
    let full = claims_with("iss", "https://other.example".into());
    let misused = verifier_with(&own, policy);
    assert_eq!(
        kind(&misused, &token(&own, &full)),
        Some(VerifyErrorKind::Invalid)
    );
}

#[test]
fn a_foreign_token_may_be_a_plain_jwt() {
    let key = key(Algorithm::Es256).foreign("https://other.example");
    let verifier = verifier(&key);
    for header in [
        json!({"alg": "ES256", "typ": "JWT", "kid": "k"}),
        json!({"alg": "ES256", "kid": "k"}),
        json!({"alg": "ES256", "typ": "at+jwt", "kid": "k"}),
    ] {
        let token = forge(&key, &header.to_string(), &foreign_claims().to_string());
        assert_eq!(kind(&verifier, &token), None);
    }
    let header = json!({"alg": "ES256", "typ": "logout+jwt", "kid": "k"});
    let token = forge(&key, &header.to_string(), &foreign_claims().to_string());
    assert_eq!(kind(&verifier, &token), Some(VerifyErrorKind::Invalid));
}

#[test]
fn without_kid_a_token_passes_where_one_key_is_alone() {
    let key = key(Algorithm::Hs256);
    let header = json!({"alg": "HS256", "typ": "at+jwt"}).to_string();
    let nameless = forge(&key, &header, &claims().to_string());
    assert_eq!(kind(&verifier(&key), &nameless), None);

    let two = KeyRing::new([
        (key.clone(), KeyState::Sign),
        (
            Key::generate(Some("2"), Algorithm::Hs256).unwrap(),
            KeyState::VerifyOnly,
        ),
    ]);
    let verifier = Verifier::new::<NoClaims>(two.unwrap().into(), policy());
    assert_eq!(kind(&verifier, &nameless), Some(VerifyErrorKind::Invalid));
}

#[test]
fn older_tokens_pass_while_the_migration_lasts() {
    let old = Key::generate(Some("old"), Algorithm::Hs256).unwrap();
    let ring = KeyRing::new([
        (key(Algorithm::EdDsa), KeyState::Sign),
        (old.clone(), KeyState::VerifyOnly),
    ]);
    let verifier = Verifier::new::<NoClaims>(ring.unwrap().into(), migrating());
    let mut claims = foreign_claims();
    claims["iss"] = fixtures::ISSUER.into();
    for header in [
        json!({"alg": "HS256"}),
        json!({"alg": "HS256", "typ": "JWT"}),
        json!({"alg": "HS256", "typ": "at+jwt", "kid": "old"}),
    ] {
        let token = forge(&old, &header.to_string(), &claims.to_string());
        let at = |offset: u64| {
            let now = UnixTime::from_secs(NOW.as_secs() + offset);
            verifier.verify(RawToken::from_parameter(&token), now)
        };
        let verified = at(0).unwrap();
        assert_eq!(verified.claims().facts().binding, None);
        assert!(at(99).is_ok());
        assert!(at(100).is_err(), "also from the cache");
    }
}

#[test]
fn what_only_the_header_owes_to_the_migration_ends_with_it() {
    let key = key(Algorithm::Hs256);
    let verifier = verifier_with(&key, migrating());
    let header = json!({"alg": "HS256", "typ": "JWT", "kid": "k"}).to_string();
    let token = forge(&key, &header, &claims().to_string());
    assert_eq!(kind(&verifier, &token), None);
    let after = UnixTime::from_secs(NOW.as_secs() + 100);
    assert!(
        verifier
            .verify(RawToken::from_parameter(&token), after)
            .is_err()
    );
}

#[test]
fn a_migration_relaxes_neither_signature_nor_issuer_nor_algorithm() {
    let key = key(Algorithm::Hs256);
    let verifier = verifier_with(&key, migrating());
    let stranger = Key::generate(Some("k"), Algorithm::Hs256).unwrap();
    let mut older = foreign_claims();
    assert_eq!(
        kind(&verifier, &token(&key, &older)),
        Some(VerifyErrorKind::Invalid)
    );
    older["iss"] = fixtures::ISSUER.into();
    assert_eq!(kind(&verifier, &token(&key, &older)), None);
    assert_eq!(
        kind(&verifier, &token(&stranger, &older)),
        Some(VerifyErrorKind::Invalid)
    );
    let lying = forge(&key, r#"{"alg":"HS512"}"#, &older.to_string());
    assert_eq!(kind(&verifier, &lying), Some(VerifyErrorKind::Invalid));
}
