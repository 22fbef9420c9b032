//! Whatever comes, there is an answer; and examples of others agree.

use std::sync::OnceLock;

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::token::RawToken;
use crate::verify::fixtures::{ALGORITHMS, NOW, claims, encode, token};
use crate::verify::policy::ClaimNames;

fn verifiers() -> &'static [(Key, Verifier, String)] {
    static ALL: OnceLock<Vec<(Key, Verifier, String)>> = OnceLock::new();
    ALL.get_or_init(|| {
        let kept = [
            Algorithm::Hs256,
            Algorithm::Es256,
            Algorithm::EdDsa,
            Algorithm::Rs256,
        ];
        kept.into_iter()
            .map(|algorithm| {
                let key = key(algorithm);
                let verifier = Verifier::new::<serde_json::Value>(ring(&key), policy());
                let token = token(&key, &claims());
                (key, verifier, token)
            })
            .collect()
    })
}

proptest! {
    #[test]
    fn no_string_makes_it_panic(text in any::<String>(), shaped in "[A-Za-z0-9_-]{0,40}(\\.[A-Za-z0-9_-]{0,40}){0,4}") {
        for (_, verifier, _) in verifiers() {
            prop_assert!(kind(verifier, &text).is_some());
            prop_assert!(kind(verifier, &shaped).is_some());
        }
    }

    #[test]
    fn no_header_and_payload_make_it_panic(header in any::<Vec<u8>>(), payload in any::<Vec<u8>>(), signature in any::<Vec<u8>>()) {
        let token = format!("{}.{}.{}", encode(header), encode(&payload), encode(signature));
        for (key, verifier, _) in verifiers() {
            prop_assert!(kind(verifier, &token).is_some());
            let well_signed = forge(key, &fixtures::header(key).to_string(), &String::from_utf8_lossy(&payload));
            let _ = kind(verifier, &well_signed);
        }
    }

    #[test]
    fn a_mutated_token_never_passes_and_never_says_that_it_expired(
        which in 0..4_usize,
        edits in prop::collection::vec((any::<prop::sample::Index>(), prop::sample::select(b"AZaz09-_.=+/ \"\0".to_vec())), 1..4),
        cut in any::<prop::sample::Index>(),
    ) {
        let (_, verifier, good) = &verifiers()[which];
        let mut bytes = good.clone().into_bytes();
        for (at, byte) in edits {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        let mutated = String::from_utf8(bytes).unwrap();
        if mutated != *good {
            let kind = kind(verifier, &mutated);
            prop_assert!(kind.is_some() && kind != Some(VerifyErrorKind::Expired));
        }
        let truncated = &good[..cut.index(good.len())];
        prop_assert!(kind(verifier, truncated).is_some());
    }
}

#[test]
fn what_is_refused_is_told_without_a_part_of_the_token() {
    let key = key(Algorithm::Hs256);
    let verifier = verifier(&key);
    let mut all = claims();
    all["sub"] = json!(["needle"]);
    let token = token(&key, &all);
    let error = verifier
        .verify(RawToken::from_parameter(&token), NOW)
        .unwrap_err();
    assert_eq!(error.cause(), "the claim sub is no user id");
    for shown in [
        error.to_string(),
        format!("{error:?}"),
        format!("{verifier:?}"),
    ] {
        assert!(!shown.contains("needle") && !shown.contains("eyJ"));
    }
}

/// Whether the signature of an example is good; its claims are not those of an access token.
fn example_is_good(key: Key, jws: &str) -> bool {
    let (signed, signature) = jws.rsplit_once('.').unwrap();
    let signature =
        base64::Engine::decode(&base64::engine::general_purpose::URL_SAFE_NO_PAD, signature);
    key.is_good(signed.as_bytes(), &signature.unwrap())
}

#[test]
fn the_example_of_rfc_7515_appendix_a_1_is_good_hs256() {
    let secret = base64::Engine::decode(
        &base64::engine::general_purpose::URL_SAFE_NO_PAD,
        "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow",
    );
    let key = Key::hmac(None, Algorithm::Hs256, &secret.unwrap()).unwrap();
    let jws = "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    assert!(example_is_good(key, jws));
}

#[test]
fn the_example_of_rfc_7515_appendix_a_3_is_good_es256() {
    let key = json!({"keys": [{
        "kty": "EC", "crv": "P-256", "kid": "a3", "alg": "ES256",
        "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
        "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
    }]});
    let key = Key::from_jwk_set(&key.to_string()).unwrap().remove(0);
    let jws = "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q";
    assert!(example_is_good(key, jws));
}

#[test]
fn the_example_of_rfc_8037_appendix_a_4_is_good_eddsa() {
    let key = json!({"keys": [{
        "kty": "OKP", "crv": "Ed25519", "kid": "a4", "alg": "EdDSA",
        "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
    }]});
    let key = Key::from_jwk_set(&key.to_string()).unwrap().remove(0);
    let jws = "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg";
    assert!(example_is_good(key, jws));
}

#[test]
fn every_algorithm_has_its_own_name() {
    let mut names: Vec<_> = ALGORITHMS.iter().map(|one| one.as_str()).collect();
    names.dedup();
    assert_eq!(names.len(), 12);
    for algorithm in ALGORITHMS {
        assert_eq!(algorithm.as_str().parse(), Ok(algorithm));
    }
    assert_eq!(ClaimNames::default().session, "sid");
}
