//! Times of a token.

use std::time::Duration;

use serde_json::{Value, json};

use super::*;
use crate::token::RawToken;
use crate::verify::fixtures::{NOW, claims, claims_with, token};

#[test]
fn times_are_held_to_the_policy() {
    let at = |offset: f64| json!(NOW.as_secs() as f64 + offset);
    for (name, value, expected) in [
        ("exp", at(-4.5), None),
        ("exp", at(-5.0), Some(VerifyErrorKind::Expired)),
        ("exp", json!(-1), Some(VerifyErrorKind::Invalid)),
        ("exp", json!(1e300), Some(VerifyErrorKind::Invalid)),
        ("exp", json!(u64::MAX), Some(VerifyErrorKind::Invalid)),
        ("exp", at(24.0 * 3600.0 - 60.0), None),
        (
            "exp",
            at(24.0 * 3600.0 - 59.0),
            Some(VerifyErrorKind::Invalid),
        ),
        ("iat", at(4.5), None),
        ("iat", at(5.5), Some(VerifyErrorKind::Invalid)),
        ("iat", json!(i64::MIN), Some(VerifyErrorKind::Invalid)),
        ("nbf", at(4.5), None),
        ("nbf", at(5.5), Some(VerifyErrorKind::Invalid)),
        ("nbf", json!(1e300), Some(VerifyErrorKind::Invalid)),
    ] {
        assert_eq!(kind_with(name, value.clone()), expected, "{name}: {value}");
    }
}

#[test]
fn wrong_times_are_found_before_a_signature_is_checked_that_costs_much() {
    for (algorithm, costs_much) in [(Algorithm::Es256, true), (Algorithm::Hs256, false)] {
        let key = key(algorithm);
        let verifier = verifier(&key);
        let genuine = token(&key, &claims());
        let (_, of_another) = genuine.rsplit_once('.').unwrap();
        for (name, told) in [("iat", "issued in the future"), ("nbf", "not valid yet")] {
            let token = token(&key, &claims_with(name, json!(NOW.as_secs() + 3_600)));
            let (signed, _) = token.rsplit_once('.').unwrap();
            let expected = if costs_much {
                told
            } else {
                "the signature is wrong"
            };
            let forged = format!("{signed}.{of_another}");
            assert_eq!(
                cause(&verifier, &forged),
                Some(expected),
                "{algorithm:?}, {name}"
            );
        }
    }
}

#[test]
fn that_it_expired_is_told_of_a_genuine_token_alone() {
    for algorithm in [Algorithm::Hs256, Algorithm::Es256] {
        let key = key(algorithm);
        let verifier = verifier(&key);
        let expired = claims_with("exp", json!(NOW.as_secs() - 10));
        let genuine = token(&key, &expired);
        assert_eq!(kind(&verifier, &genuine), Some(VerifyErrorKind::Expired));

        let (signed, signature) = genuine.rsplit_once('.').unwrap();
        let broken: String = signature.chars().rev().collect();
        let forged = format!("{signed}.{}A", &broken[..broken.len() - 1]);
        assert_ne!(kind(&verifier, &forged), Some(VerifyErrorKind::Expired));

        let mut other_issuer = expired.clone();
        other_issuer["iss"] = "x".into();
        let misaddressed = token(&key, &other_issuer);
        assert_eq!(
            kind(&verifier, &misaddressed),
            Some(VerifyErrorKind::Invalid)
        );
    }
}

#[test]
fn an_expired_token_passes_where_expiry_is_ignored_and_nothing_else_does() {
    let key = key(Algorithm::Hs256);
    let verifier = verifier(&key);
    let pass = |claims: &Value| {
        let token = token(&key, claims);
        verifier.verify_ignoring_expiry(RawToken::from_parameter(&token), NOW)
    };
    let expired = claims_with("exp", json!(NOW.as_secs() - 3000));
    assert!(pass(&expired).is_ok());
    let mut other = expired.clone();
    other["aud"] = "x".into();
    assert!(pass(&other).is_err());
    assert!(pass(&claims_with("nbf", json!(NOW.as_secs() + 60))).is_err());
}

#[test]
fn a_longer_leeway_and_lifetime_are_honoured() {
    let key = key(Algorithm::Hs256);
    let policy = policy()
        .with_leeway(Duration::from_secs(60))
        .with_max_lifetime(Duration::from_secs(100));
    let verifier = verifier_with(&key, policy);
    for (exp, passes) in [(-50, true), (-60, false), (40, true), (41, false)] {
        let exp = NOW.as_secs().saturating_add_signed(exp);
        let token = token(&key, &claims_with("exp", json!(exp)));
        assert_eq!(kind(&verifier, &token).is_none(), passes, "{exp}");
    }
}
