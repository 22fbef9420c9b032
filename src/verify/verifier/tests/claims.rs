//! Rules of the claims.

use std::sync::Arc;

use serde_json::{Value, json};

use super::*;
use crate::verify::fixtures::{AUDIENCE, NOW, SESSION, claims, claims_with, token, verify};
use crate::verify::{Binding, ClaimNames, Counter, RolesClaim};

fn kind_of(payload: &str) -> Option<VerifyErrorKind> {
    let key = key(Algorithm::Hs256);
    kind(
        &verifier(&key),
        &forge(&key, &header(&key).to_string(), payload),
    )
}

#[test]
fn each_claim_is_read_in_its_own_type() {
    let key = key(Algorithm::Hs256);
    let mut all = claims();
    for (name, value) in [
        ("auth_time", json!(NOW.as_secs() - 100)),
        ("nbf", json!(NOW.as_secs() - 60)),
        ("acr", json!("high")),
        ("amr", json!(["pwd", "otp"])),
        ("client_id", json!("app")),
        ("aud", json!(["x", AUDIENCE])),
    ] {
        all[name] = value;
    }
    let verified = verify(&verifier(&key), &token(&key, &all)).unwrap();
    let claims = verified.claims();
    assert_eq!(claims.facts().session.unwrap().to_string(), SESSION);
    assert_eq!(
        claims.facts().binding,
        Some(Binding {
            generation: 3,
            revoked_gen: Counter::from_u64(1_700_000_000_000_000),
            roles_gen: Counter::from_u64(7),
        })
    );
    assert_eq!(claims.facts().expires_at.as_secs(), NOW.as_secs() + 540);
    assert_eq!(
        claims.facts().issued_at.unwrap().as_secs(),
        NOW.as_secs() - 60
    );
    assert_eq!(
        claims.authenticated_at().unwrap().as_secs(),
        NOW.as_secs() - 100
    );
    assert_eq!(claims.not_before().unwrap().as_secs(), NOW.as_secs() - 60);
    assert_eq!(claims.issuer(), Some(fixtures::ISSUER));
    assert_eq!(claims.client_id(), Some("app"));
    assert_eq!(claims.acr(), Some("high"));
    assert!(claims.audience().eq(["x", AUDIENCE]));
    assert!(claims.amr().eq(["pwd", "otp"]));
    assert!(claims.roles().eq(["user", "admin"]));
    assert!(claims.scopes().eq(["a:read", "b:write"]));
}

#[test]
fn by_whom_and_for_whom_tokens_were_made_is_kept_once() {
    let key = key(Algorithm::Hs256);
    let verifier = verifier(&key);
    let parties = |life: u64| {
        let mut claims = claims_with("client_id", json!(AUDIENCE));
        claims["exp"] = json!(NOW.as_secs() + life);
        let verified = verify(&verifier, &token(&key, &claims));
        verified.unwrap().claims().parties.clone()
    };
    assert!(Arc::ptr_eq(&parties(10), &parties(11)));
}

#[test]
fn a_claim_of_the_wrong_json_type_is_refused() {
    let date = json!(NOW.as_secs().to_string());
    let wrong: &[(&str, Vec<Value>)] = &[
        (
            "iss",
            vec![json!(1), json!(["https://id.example"]), json!({})],
        ),
        (
            "aud",
            vec![
                json!(1),
                json!([AUDIENCE, 1]),
                json!({AUDIENCE: 1}),
                json!([[AUDIENCE]]),
            ],
        ),
        (
            "sub",
            vec![
                json!(1),
                json!(["alice"]),
                json!(""),
                json!("a\u{0}b"),
                json!("x".repeat(256)),
            ],
        ),
        (
            "exp",
            vec![date.clone(), json!(true), json!([NOW.as_secs()]), json!({})],
        ),
        ("iat", vec![date.clone(), json!(false), json!({})]),
        ("nbf", vec![date.clone(), json!([])]),
        ("auth_time", vec![date]),
        ("jti", vec![json!(1), json!(""), json!([]), json!("a\nb")]),
        (
            "sid",
            vec![json!(1), json!(""), json!("abc"), json!([SESSION])],
        ),
        (
            "gen",
            vec![
                json!("3"),
                json!(3.0),
                json!(-1),
                json!(4_294_967_296_u64),
                json!([3]),
            ],
        ),
        ("ugen", vec![json!("3"), json!(3.5), json!(-1), json!(1e30)]),
        ("rgen", vec![json!("3"), json!(true), json!({})]),
        (
            "roles",
            vec![
                json!(1),
                json!([1]),
                json!({"admin": true}),
                json!([["admin"]]),
            ],
        ),
        ("scope", vec![json!(["a"]), json!(1)]),
        ("acr", vec![json!(1), json!([])]),
        ("amr", vec![json!("pwd"), json!([1])]),
        ("client_id", vec![json!(1)]),
    ];
    for (name, values) in wrong {
        for value in values {
            let kind = kind_with(name, value.clone());
            assert_eq!(kind, Some(VerifyErrorKind::Invalid), "{name}: {value}");
        }
        let payload = claims().to_string();
        let null = if payload.contains(&format!("\"{name}\":")) {
            let mut all = claims();
            all[*name] = Value::Null;
            all.to_string()
        } else {
            payload.replacen('{', &format!("{{\"{name}\":null,"), 1)
        };
        assert_eq!(
            kind_of(&null),
            Some(VerifyErrorKind::Invalid),
            "{name}: null"
        );
    }
}

#[test]
fn a_token_of_ours_without_a_required_part_is_refused() {
    for name in [
        "iss", "aud", "sub", "exp", "iat", "jti", "sid", "gen", "ugen", "rgen",
    ] {
        assert_eq!(
            kind_with(name, Value::Null),
            Some(VerifyErrorKind::Invalid),
            "{name}"
        );
    }
    for name in ["roles", "scope"] {
        assert_eq!(kind_with(name, Value::Null), None, "{name}");
    }
}

#[test]
fn another_issuer_or_audience_is_refused() {
    for value in [
        "https://id.example/",
        "https://ID.example",
        "",
        "https://evil.example",
    ] {
        assert_eq!(
            kind_with("iss", value.into()),
            Some(VerifyErrorKind::Invalid)
        );
    }
    for value in [json!("x"), json!([]), json!(["x", "y"]), json!("")] {
        assert_eq!(kind_with("aud", value), Some(VerifyErrorKind::Invalid));
    }
    let key = key(Algorithm::Hs256);
    let verifier = verifier_with(&key, policy().add_audience("second"));
    assert_eq!(
        kind(
            &verifier,
            &token(&key, &claims_with("aud", "second".into()))
        ),
        None
    );
}

#[test]
fn loose_payloads_are_refused_although_well_signed() {
    let good = claims().to_string();
    assert_eq!(kind_of(&good), None);
    assert_eq!(kind_of(&format!(" {good}\n")), None);
    for payload in [
        format!("{good}x"),
        format!("{good}{good}"),
        format!("[{good}]"),
        good.replacen('{', "{\"sub\":\"alice\",", 1),
        good.replacen('{', "{\"s\\u0075b\":\"mallory\",", 1),
        good.replacen('{', "{\"exp\":4102444800,", 1),
        good.replacen('{', "{\"x\":1,\"x\":1,", 1),
        good.replacen('{', "{\"x\":1,\"\\u0078\":1,", 1),
        good.replacen('}', ",}", 1),
        good.replacen(',', ",,", 1),
        good.replace('"', "'"),
        good.replacen('{', "{/**/", 1),
        good.replacen("\"alice\"", "\"\\ud800\"", 1),
        good.replacen("\"alice\"", "\"a\nb\"", 1),
        good.replacen("\"exp\":", "\"exp\":0", 1),
        good.replacen("\"exp\":", "\"exp\":+", 1),
        format!("\u{feff}{good}"),
        "null".to_owned(),
        "\"text\"".to_owned(),
        good[..good.len() - 1].to_owned(),
    ] {
        assert_eq!(
            kind_of(&payload),
            Some(VerifyErrorKind::Invalid),
            "{payload}"
        );
    }
}

#[test]
fn more_members_than_are_worth_reading_are_refused() {
    let members: String = (0..257).map(|n| format!("\"m{n}\":0,")).collect();
    let payload = claims()
        .to_string()
        .replacen('{', &format!("{{{members}"), 1);
    assert_eq!(kind_of(&payload), Some(VerifyErrorKind::Invalid));
}

#[test]
fn a_required_claim_must_be_there_whatever_it_says() {
    let key = key(Algorithm::Hs256);
    let policy = policy()
        .add_required_claim("tenant")
        .add_required_claim("iat");
    let verifier = verifier_with(&key, policy);
    assert_eq!(
        cause(&verifier, &token(&key, &claims())),
        Some("a required claim is missing")
    );
    let with_both = token(&key, &claims_with("tenant", json!(0)));
    assert_eq!(kind(&verifier, &with_both), None);
}

#[test]
fn session_and_roles_are_read_under_the_names_of_the_policy() {
    let key = key(Algorithm::Hs256);
    let read = |roles: RolesClaim, claims: &Value| {
        let names = ClaimNames::default()
            .with_session("session_id")
            .with_roles(roles);
        let verifier = verifier_with(&key, policy().with_names(names));
        let verified = verify(&verifier, &token(&key, claims)).ok()?;
        Some(
            verified
                .claims()
                .roles()
                .map(str::to_owned)
                .collect::<Vec<_>>(),
        )
    };
    let mut all = claims_with("sid", Value::Null);
    all["session_id"] = SESSION.into();
    all["role"] = "admin".into();
    let single = RolesClaim::Single("role".to_owned());
    assert_eq!(read(single.clone(), &all).unwrap(), ["admin"]);
    assert_eq!(
        read(RolesClaim::List("role".to_owned()), &all).unwrap(),
        ["admin"]
    );
    assert_eq!(
        read(RolesClaim::List("roles".to_owned()), &all).unwrap(),
        ["user", "admin"]
    );
    assert_eq!(
        read(RolesClaim::Scope, &all).unwrap(),
        ["a:read", "b:write"]
    );
    assert_eq!(read(single.clone(), &claims()), None);
    all["role"] = json!(["admin"]);
    assert_eq!(read(single, &all), None);
}
