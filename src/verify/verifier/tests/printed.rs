//! What is told by who prints what they hold.

use super::*;

#[test]
fn what_is_printed_says_what_it_is_and_holds_no_token() {
    let key = key(Algorithm::Hs256);
    let verifier = verifier(&key);
    let token = fixtures::token(&key, &fixtures::claims());
    let verified = fixtures::verify(&verifier, &token).unwrap();
    let printed = [format!("{verified:?}"), format!("{verifier:?}")];
    assert!(printed[0].starts_with("VerifiedToken(TokenClaims"));
    assert!(printed[0].contains(fixtures::SESSION));
    assert!(printed[1].starts_with("Verifier { keys: KeyRing"));
    assert!(printed[1].contains(fixtures::ISSUER));
    for part in token.split('.') {
        assert!(printed.iter().all(|text| !text.contains(part)));
    }
}

#[test]
fn what_is_refused_is_printed_as_its_cause() {
    let key = key(Algorithm::Hs256);
    let error = fixtures::verify(&verifier(&key), "a.b").unwrap_err();
    assert_eq!(error.to_string(), error.cause());
    assert!(!error.cause().is_empty());
}
