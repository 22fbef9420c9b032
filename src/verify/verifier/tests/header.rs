//! Attacks on the header and the signature.

use serde_json::json;

use super::*;
use crate::crypto::hmac;
use crate::verify::fixtures::{ALGORITHMS, claims, encode, token, verify};
use crate::verify::{KeyRing, KeyState};

#[test]
fn a_good_token_of_each_algorithm_passes() {
    for algorithm in ALGORITHMS {
        let key = key(algorithm);
        let verified = verify(&verifier(&key), &token(&key, &claims())).unwrap();
        assert_eq!(verified.claims().facts().user.as_str(), "alice");
    }
}

#[test]
fn alg_none_is_refused_in_every_spelling() {
    let key = key(Algorithm::Hs256);
    let verifier = verifier(&key);
    let payload = encode(claims().to_string());
    let signature = token(&key, &claims())
        .rsplit_once('.')
        .unwrap()
        .1
        .to_owned();
    for alg in [
        "none", "None", "NONE", "nOnE", "", "null", "none ", "hs256", "HS256 ", "HS384",
    ] {
        let header = encode(json!({"alg": alg, "typ": "at+jwt", "kid": "k"}).to_string());
        for signature in ["", "AA", &signature] {
            let kind = kind(&verifier, &format!("{header}.{payload}.{signature}"));
            assert!(kind.is_some(), "{alg} {signature}");
            assert_ne!(kind, Some(VerifyErrorKind::Expired));
        }
    }
}

#[test]
fn a_public_key_is_never_taken_for_a_secret() {
    for algorithm in [Algorithm::Rs256, Algorithm::Es256, Algorithm::EdDsa] {
        let key = key(algorithm);
        let verifier = verifier(&key);
        let jwks = ring(&key).jwks().to_string();
        let jwk = ring(&key).jwks()["keys"][0].to_string();
        let x = ring(&key).jwks()["keys"][0]["x"]
            .as_str()
            .unwrap_or("n")
            .to_owned();
        for secret in [jwks, jwk, x, String::new()] {
            let header = encode(json!({"alg": "HS256", "typ": "at+jwt", "kid": "k"}).to_string());
            let signed = format!("{header}.{}", encode(claims().to_string()));
            let mac = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
            let tag = hmac::sign(&mac, signed.as_bytes());
            let token = format!("{signed}.{}", encode(tag));
            assert_eq!(
                cause(&verifier, &token),
                Some("the algorithm is not that of the key")
            );
        }
    }
}

#[test]
fn a_token_of_another_algorithm_is_refused_by_each_key() {
    for ours in ALGORITHMS {
        let verifier = verifier(&key(ours));
        for theirs in ALGORITHMS.into_iter().filter(|one| *one != ours) {
            let honest = token(&key(theirs), &claims());
            assert_eq!(kind(&verifier, &honest), Some(VerifyErrorKind::Invalid));
            let lying = header(&key(ours)).to_string();
            let lying = forge(&key(theirs), &lying, &claims().to_string());
            assert_eq!(cause(&verifier, &lying), Some("the signature is wrong"));
        }
    }
}

#[test]
fn a_header_that_brings_a_key_or_asks_for_more_is_refused_although_well_signed() {
    let key = key(Algorithm::Hs256);
    let verifier = verifier(&key);
    for (name, value) in [
        ("crit", json!(["exp"])),
        ("crit", json!([])),
        ("b64", json!(false)),
        ("b64", json!(true)),
        ("zip", json!("DEF")),
        ("enc", json!("A128GCM")),
        ("jwk", json!({"kty": "oct", "k": "AA"})),
        ("jku", json!("https://evil.example")),
        ("x5u", json!("https://evil.example")),
        ("x5c", json!(["AA"])),
    ] {
        let mut header = header(&key);
        header[name] = value;
        let token = forge(&key, &header.to_string(), &claims().to_string());
        assert_eq!(
            kind(&verifier, &token),
            Some(VerifyErrorKind::Invalid),
            "{name}"
        );
    }
}

#[test]
fn a_token_without_the_shape_is_malformed_whatever_its_header_asks_for() {
    let key = key(Algorithm::Hs256);
    let verifier = verifier(&key);
    for asked in ["jwk", "unknown"] {
        let mut header = header(&key);
        header[asked] = json!({});
        let token = forge(&key, &header.to_string(), &claims().to_string());
        for tail in [" x", ",x", "=", "\u{e9}", ".AA"] {
            let kind = kind(&verifier, &format!("{token}{tail}"));
            assert_eq!(kind, Some(VerifyErrorKind::Malformed), "{tail:?}");
        }
    }
}

#[test]
fn another_spelling_of_the_header_that_we_write_says_the_same() {
    let key = key(Algorithm::Hs256);
    let verifier = verifier(&key);
    for header in [
        r#"{"alg":"HS256","kid":"k","typ":"at+jwt"}"#,
        r#"{"typ":"at+jwt","alg":"HS256","kid":"k"}"#,
        r#" { "kid" : "\u006b", "alg":"HS256","typ":"at+jwt","x":1} "#,
    ] {
        let good = forge(&key, header, &claims().to_string());
        assert_eq!(kind(&verifier, &good), None, "{header}");
    }
}

#[test]
fn loose_headers_are_refused_although_well_signed() {
    let key = key(Algorithm::Hs256);
    let verifier = verifier(&key);
    let deep = format!(
        r#"{{"alg":"HS256","typ":"at+jwt","kid":{}0{}}}"#,
        "[".repeat(2000),
        "]".repeat(2000)
    );
    for header in [
        r#"{"alg":"none","alg":"HS256","typ":"at+jwt","kid":"k"}"#,
        r#"{"alg":"HS256","typ":"at+jwt","kid":"k","kid":"k"}"#,
        r#"{"alg":"HS256","typ":"at+jwt","kid":"k","x":1,"x":2}"#,
        r#"{"alg":"HS256","typ":"at+jwt","kid":"k"} x"#,
        r#"{"alg":"HS256","typ":"at+jwt","kid":["k"]}"#,
        r#"{"alg":["HS256"],"typ":"at+jwt","kid":"k"}"#,
        r#"["HS256"]"#,
        &deep,
    ] {
        let token = forge(&key, header, &claims().to_string());
        assert_eq!(kind(&verifier, &token), Some(VerifyErrorKind::Malformed));
    }
    let signed = |bytes: &[u8]| format!("{}.{}.AA", encode(bytes), encode(claims().to_string()));
    let header = b"{\"alg\":\"HS256\",\"kid\":\"k\",\"x\":\"\xff\"}";
    assert_eq!(
        kind(&verifier, &signed(header)),
        Some(VerifyErrorKind::Malformed)
    );
}

#[test]
fn a_deeply_nested_member_does_not_overflow_the_stack() {
    let key = key(Algorithm::Hs256);
    let policy = policy().with_max_size(64 * 1024);
    let plain = verifier_with(&key, policy.clone());
    let value = Verifier::new::<serde_json::Value>(ring(&key), policy);
    for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
        let deep = format!("{}0{}", open.repeat(4000), close.repeat(4000));
        let header = header(&key)
            .to_string()
            .replacen('{', &format!("{{\"x\":{deep},"), 1);
        let _ = kind(&plain, &forge(&key, &header, &claims().to_string()));
        let payload = claims()
            .to_string()
            .replacen('{', &format!("{{\"x\":{deep},"), 1);
        let token = forge(&key, &fixtures::header(&key).to_string(), &payload);
        assert_eq!(kind(&plain, &token), None);
        assert_eq!(kind(&value, &token), Some(VerifyErrorKind::Invalid));
    }
}

#[test]
fn only_the_type_of_an_access_token_passes_for_ours() {
    let key = key(Algorithm::Hs256);
    let verifier = verifier(&key);
    for (typ, passes) in [
        (json!("at+jwt"), true),
        (json!("AT+JWT"), true),
        (json!("application/at+jwt"), true),
        (json!("JWT"), false),
        (json!("jwt"), false),
        (json!("rt+jwt"), false),
        (json!("logout+jwt"), false),
        (json!(""), false),
        (json!(null), false),
        (json!(1), false),
    ] {
        let header = json!({"alg": "HS256", "typ": typ, "kid": "k"}).to_string();
        let token = forge(&key, &header, &claims().to_string());
        assert_eq!(kind(&verifier, &token).is_none(), passes, "{typ}");
    }
    let header = json!({"alg": "HS256", "kid": "k"}).to_string();
    let untyped = forge(&key, &header, &claims().to_string());
    assert_eq!(kind(&verifier, &untyped), Some(VerifyErrorKind::Invalid));
}

#[test]
fn a_further_type_passes_where_the_policy_adds_it() {
    let key = key(Algorithm::Hs256);
    let verifier = verifier_with(&key, policy().add_type("x+jwt"));
    let header = json!({"alg": "HS256", "typ": "X+jwt", "kid": "k"}).to_string();
    assert_eq!(
        kind(&verifier, &forge(&key, &header, &claims().to_string())),
        None
    );
}

#[test]
fn a_signature_of_another_shape_is_refused() {
    for algorithm in ALGORITHMS {
        let key = key(algorithm);
        let verifier = verifier(&key);
        let token = token(&key, &claims());
        let (signed, _) = token.rsplit_once('.').unwrap();
        let good = key.sign(signed.as_bytes()).unwrap();
        let flip = |at: usize| {
            let mut bytes = good.clone();
            bytes[at] ^= 1;
            bytes
        };
        for bad in [
            vec![0; good.len()],
            vec![0xff; good.len()],
            good[..good.len() - 1].to_vec(),
            good[1..].to_vec(),
            [&good[..], &[0]].concat(),
            [&[0], &good[..]].concat(),
            good[..1].to_vec(),
            flip(0),
            flip(good.len() - 1),
        ] {
            let token = format!("{signed}.{}", encode(bad));
            assert_eq!(
                kind(&verifier, &token),
                Some(VerifyErrorKind::Invalid),
                "{algorithm}"
            );
        }
    }
}

#[test]
fn an_ecdsa_signature_in_der_is_refused() {
    let key = key(Algorithm::Es256);
    let token = token(&key, &claims());
    let (signed, _) = token.rsplit_once('.').unwrap();
    let raw = key.sign(signed.as_bytes()).unwrap();
    let mut der = Vec::new();
    for half in raw.chunks(32) {
        let padding: &[u8] = if half[0] & 0x80 == 0 { &[] } else { &[0] };
        der.extend([2, (half.len() + padding.len()) as u8]);
        der.extend(padding.iter().chain(half));
    }
    let der = [&[0x30, der.len() as u8], &der[..]].concat();
    let token = format!("{signed}.{}", encode(der));
    assert_eq!(
        kind(&verifier(&key), &token),
        Some(VerifyErrorKind::Invalid)
    );
}

#[test]
fn a_part_changed_or_moved_after_signing_is_refused() {
    let key = key(Algorithm::EdDsa);
    let verifier = verifier(&key);
    let token = token(&key, &claims());
    let parts: Vec<_> = token.split('.').collect();
    let forged_claims = encode(fixtures::claims_with("sub", "mallory".into()).to_string());
    for forged in [
        format!("{}.{forged_claims}.{}", parts[0], parts[2]),
        format!("{}.{}.{}", parts[1], parts[0], parts[2]),
        format!("{}.{}", parts[0], parts[1]),
        format!("{token}="),
        format!("{token} "),
        format!(" {token}"),
        format!("{token}\n"),
        format!("{token}.{}", parts[2]),
        format!("{}.{}", parts[0], token),
    ] {
        assert!(kind(&verifier, &forged).is_some());
        assert_ne!(kind(&verifier, &forged), Some(VerifyErrorKind::Expired));
    }
}

#[test]
fn a_token_above_the_maximum_size_is_refused_before_it_is_decoded() {
    let key = key(Algorithm::Hs256);
    let verifier = verifier(&key);
    for token in ["a".repeat(64 * 1024), ".".repeat(8193), "é".repeat(5000)] {
        assert_eq!(
            cause(&verifier, &token),
            Some("longer than the maximum size")
        );
    }
}

#[test]
fn a_token_of_the_maximum_size_is_read() {
    let key = key(Algorithm::Hs256);
    let token = token(&key, &claims());
    let of = |size| kind(&verifier_with(&key, policy().with_max_size(size)), &token);
    assert_eq!(of(token.len()), None);
    assert_eq!(of(token.len() - 1), Some(VerifyErrorKind::Malformed));
}

#[test]
fn an_embedded_kid_chooses_among_our_keys_alone() {
    let key = key(Algorithm::Hs256);
    let retired = Key::generate(Some("old"), Algorithm::Hs256).unwrap();
    let keys = KeyRing::new([
        (key.clone(), KeyState::Sign),
        (retired.clone(), KeyState::Retired),
    ]);
    let verifier = Verifier::new::<NoClaims>(keys.unwrap().into(), policy());
    assert_eq!(kind(&verifier, &token(&key, &claims())), None);
    assert_eq!(
        cause(&verifier, &token(&retired, &claims())),
        Some("the key is retired")
    );
    let stranger = Key::generate(Some("../../k"), Algorithm::Hs256).unwrap();
    assert_eq!(
        cause(&verifier, &token(&stranger, &claims())),
        Some("no key has this kid")
    );
}
