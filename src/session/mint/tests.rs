use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::*;
use crate::token::RawToken;
use crate::verify::fixtures::{ALGORITHMS, NOW, key, policy};
use crate::verify::{
    Algorithm, ClaimNames, Counter, CustomClaims, KeyState, NoClaims, TokenClaims, VerifiedToken,
    Verifier,
};

#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
struct Tenant {
    tenant: String,
    plan: Option<u8>,
}

struct Case {
    user: UserId,
    authentication: Authentication,
    roles: Vec<String>,
    scopes: Vec<String>,
}

impl Case {
    fn new() -> Self {
        Self {
            user: UserId::new("älice \"quoted\"").unwrap(),
            authentication: Authentication {
                acr: Some("high".to_owned()),
                amr: vec!["pwd".to_owned(), "otp".to_owned()],
            },
            roles: vec!["user".to_owned(), "admin".to_owned()],
            scopes: vec!["a:read".to_owned(), "user".to_owned()],
        }
    }

    fn token<'a, C>(&'a self, custom: &'a C) -> AccessToken<'a, C> {
        AccessToken {
            user: &self.user,
            stands_for: StandsFor::Session {
                id: "0197a0d2-5c4e-7000-8000-000000000001".parse().unwrap(),
                authenticated_at: NOW,
                authentication: &self.authentication,
            },
            binding: Binding {
                generation: 4,
                revoked_gen: Counter::from_u64(1_700_000_000_000_001),
                roles_gen: Counter::from_u64(9),
            },
            issued_at: NOW + std::time::Duration::from_micros(7),
            expires_at: NOW + std::time::Duration::from_micros(7_200_000_007),
            roles: &self.roles,
            scopes: &self.scopes,
            custom,
        }
    }
}

fn ring(algorithm: Algorithm) -> Arc<KeyRing> {
    Arc::new(KeyRing::new([(key(algorithm), KeyState::Sign)]).unwrap())
}

fn round_trip<C: CustomClaims>(
    algorithm: Algorithm,
    policy: &TokenPolicy,
    custom: &C,
) -> VerifiedToken {
    let ring = ring(algorithm);
    let token = Case::new().token(custom).mint(&ring, policy).unwrap();
    let verifier = Verifier::new::<C>(ring, policy.clone());
    verifier
        .verify(RawToken::from_parameter(&token), NOW)
        .unwrap()
}

fn minted(policy: &TokenPolicy) -> Value {
    let token = Case::new()
        .token(&NoClaims {})
        .mint(&ring(Algorithm::Hs256), policy)
        .unwrap();
    let payload = token.split('.').nth(1).unwrap();
    let engine = base64::engine::general_purpose::URL_SAFE_NO_PAD;
    serde_json::from_slice(&base64::Engine::decode(&engine, payload).unwrap()).unwrap()
}

fn roles(claims: &TokenClaims) -> Vec<&str> {
    claims.roles().collect()
}

fn names(roles: RolesClaim) -> ClaimNames {
    ClaimNames::default()
        .with_session("session_id")
        .with_roles(roles)
}

#[test]
fn what_was_minted_is_verified_with_each_algorithm() {
    let custom = Tenant {
        tenant: "acme".to_owned(),
        plan: None,
    };
    for algorithm in ALGORITHMS {
        let verified = round_trip(algorithm, &policy(), &custom);
        let claims = verified.claims();
        let facts = claims.facts();
        assert_eq!(facts.user.as_str(), "älice \"quoted\"");
        assert_eq!(
            facts.token,
            facts.session.map(|id| TokenId::of_generation(id, 4))
        );
        assert_eq!(facts.binding.unwrap().generation, 4);
        assert_eq!(facts.issued_at, Some(NOW));
        assert_eq!(facts.expires_at.as_secs(), NOW.as_secs() + 7200);
        assert_eq!(roles(claims), ["user", "admin"]);
        assert!(claims.scopes().eq(["a:read", "user"]));
        assert_eq!(claims.authenticated_at(), Some(NOW));
        assert_eq!(claims.acr(), Some("high"));
        assert!(claims.amr().eq(["pwd", "otp"]));
        assert_eq!(claims.client_id(), Some(policy().audience.as_str()));
        assert_eq!(claims.custom::<Tenant>(), Some(&custom));
    }
}

#[test]
fn session_and_roles_are_written_as_configured_and_read_back() {
    let as_list = policy().with_names(names(RolesClaim::List("groups".to_owned())));
    let payload = minted(&as_list);
    assert_eq!(
        payload["session_id"],
        "0197a0d2-5c4e-7000-8000-000000000001"
    );
    assert_eq!(payload["groups"], json!(["user", "admin"]));
    assert!(payload.get("sid").is_none() && payload.get("roles").is_none());
    let verified = round_trip(Algorithm::Hs256, &as_list, &NoClaims {});
    assert_eq!(roles(verified.claims()), ["user", "admin"]);
    assert!(verified.claims().facts().session.is_some());

    let as_single = policy().with_names(names(RolesClaim::Single("role".to_owned())));
    assert_eq!(minted(&as_single)["role"], "user");
    let verified = round_trip(Algorithm::Hs256, &as_single, &NoClaims {});
    assert_eq!(roles(verified.claims()), ["user"]);

    let as_scope = policy().with_names(names(RolesClaim::Scope));
    assert_eq!(minted(&as_scope)["scope"], "user admin a:read");
    let verified = round_trip(Algorithm::Hs256, &as_scope, &NoClaims {});
    assert_eq!(roles(verified.claims()), ["user", "admin", "a:read"]);
}

#[test]
fn the_client_is_the_audience_unless_configured() {
    assert_eq!(minted(&policy())["client_id"], policy().audience);
    assert_eq!(minted(&policy().with_client_id("app"))["client_id"], "app");
}

#[test]
fn nothing_is_written_where_there_is_nothing_to_say() {
    let mut case = Case::new();
    case.roles.clear();
    case.scopes.clear();
    case.authentication = Authentication::default();
    for roles in [
        RolesClaim::List("roles".to_owned()),
        RolesClaim::Single("roles".to_owned()),
        RolesClaim::Scope,
    ] {
        let policy = policy().with_names(ClaimNames::default().with_roles(roles));
        let ring = ring(Algorithm::Hs256);
        let token = case.token(&NoClaims {}).mint(&ring, &policy).unwrap();
        let verifier = Verifier::new::<NoClaims>(ring, policy);
        let verified = verifier
            .verify(RawToken::from_parameter(&token), NOW)
            .unwrap();
        let claims = verified.claims();
        assert_eq!(
            (claims.roles().len(), claims.scopes().len(), claims.acr()),
            (0, 0, None)
        );
    }
}

#[test]
fn a_custom_claim_with_a_meaning_of_its_own_is_refused() {
    let ring = ring(Algorithm::Hs256);
    let with_names = policy().with_names(names(RolesClaim::Single("role".to_owned())));
    for name in [
        "iss",
        "sub",
        "exp",
        "nbf",
        "gen",
        "client_id",
        "session_id",
        "role",
        "amr",
    ] {
        let custom = json!({name: 1});
        let error = Case::new()
            .token(&custom)
            .mint(&ring, &with_names)
            .unwrap_err();
        assert!(matches!(error, MintError::Reserved { claim } if claim == name));
    }
    let free = json!({"sid": 1, "roles": [], "tenant": {"a": null}});
    assert!(Case::new().token(&free).mint(&ring, &with_names).is_ok());
}

#[test]
fn custom_claims_that_are_no_object_are_refused() {
    let ring = ring(Algorithm::Hs256);
    for custom in [json!(null), json!([1]), json!("x"), json!(1)] {
        let error = Case::new()
            .token(&custom)
            .mint(&ring, &policy())
            .unwrap_err();
        assert!(matches!(error, MintError::NotAnObject));
    }
}

#[test]
fn a_scope_that_would_be_read_as_two_is_refused() {
    let ring = ring(Algorithm::Hs256);
    for word in ["", "a b", "a\"", "a\\", "ä", "a\n"] {
        let mut case = Case::new();
        case.scopes.push(word.to_owned());
        let error = case.token(&NoClaims {}).mint(&ring, &policy()).unwrap_err();
        assert!(matches!(error, MintError::Scope), "{word:?}");
    }
    let mut case = Case::new();
    case.roles.push("two words".to_owned());
    assert!(case.token(&NoClaims {}).mint(&ring, &policy()).is_ok());
    let as_scope = policy().with_names(names(RolesClaim::Scope));
    assert!(case.token(&NoClaims {}).mint(&ring, &as_scope).is_err());
}

#[test]
fn a_token_that_nobody_would_accept_is_not_made() {
    let custom = json!({"big": "x".repeat(7000)});
    let error = Case::new()
        .token(&custom)
        .mint(&ring(Algorithm::Hs256), &policy())
        .unwrap_err();
    assert!(matches!(error, MintError::TooLong { bytes } if bytes > 8192));
}

#[test]
fn without_a_signing_key_nothing_is_made() {
    let ring = KeyRing::new([(key(Algorithm::Hs256), KeyState::VerifyOnly)]).unwrap();
    let error = Case::new()
        .token(&NoClaims {})
        .mint(&ring, &policy())
        .unwrap_err();
    assert!(matches!(error, MintError::Sign(SignError::NoKey)));
}

#[test]
fn a_token_of_just_the_longest_size_is_made_and_one_byte_more_is_not() {
    let (ring, case) = (ring(Algorithm::Hs256), Case::new());
    let custom = NoClaims {};
    let made = case.token(&custom).mint(&ring, &policy()).unwrap();
    let of = |size| {
        case.token(&custom)
            .mint(&ring, &policy().with_max_size(size))
    };
    assert_eq!(of(made.len()).unwrap(), made);
    let error = of(made.len() - 1).unwrap_err();
    assert!(matches!(error, MintError::TooLong { bytes } if bytes == made.len()));

    // Without signing the longest signature is reckoned with.
    let check = |size| case.token(&custom).check(&policy().with_max_size(size));
    let payload = made.split('.').nth(1).unwrap();
    let longest = payload.len().next_multiple_of(4) + LONGEST_FRAME;
    assert!(check(longest).is_ok());
    let error = check(longest - 1).unwrap_err();
    assert!(matches!(error, MintError::TooLong { bytes } if bytes == longest));
}

#[test]
fn custom_claims_that_no_reader_would_take_are_refused() {
    let ring = ring(Algorithm::Hs256);
    let many = |number: usize| {
        let members = (0..number).map(|number| (format!("c{number}"), json!(number)));
        Value::Object(members.collect())
    };
    let nested = |levels: usize, wrap: fn(Value) -> Value| {
        let deep = (1..levels).fold(json!(0), |inner, _| wrap(inner));
        json!({"deep": deep})
    };
    let in_list: fn(Value) -> Value = |inner| json!([1, inner]);
    let in_object: fn(Value) -> Value = |inner| json!({"a": 1, "b": inner});
    for (custom, made) in [
        (many(MAX_CUSTOM), true),
        (many(MAX_CUSTOM + 1), false),
        (nested(MAX_DEPTH, in_list), true),
        (nested(MAX_DEPTH + 1, in_list), false),
        (nested(MAX_DEPTH, in_object), true),
        (nested(MAX_DEPTH + 1, in_object), false),
    ] {
        let minted = Case::new().token(&custom).mint(&ring, &policy());
        match minted {
            Ok(_) => assert!(made, "{custom}"),
            Err(error) => assert!(!made && matches!(error, MintError::TooComplex), "{error}"),
        }
    }
}

#[test]
fn why_no_token_was_made_is_said_and_names_no_value() {
    let broken = || serde_json::from_str::<Value>("{").unwrap_err();
    let claim = "iss".to_owned();
    for (error, said) in [
        (MintError::Custom(broken()), "cannot be written"),
        (MintError::NotAnObject, "no JSON object"),
        (MintError::Reserved { claim }, "\"iss\" has a meaning"),
        (MintError::TooComplex, "more than 200"),
        (MintError::Scope, "a scope is empty"),
        (MintError::Sign(SignError::Failed), "signing failed"),
        (MintError::Sign(SignError::NoKey), "no key that signs"),
        (MintError::TooLong { bytes: 9000 }, "9000 bytes"),
    ] {
        assert!(error.to_string().contains(said), "{error}");
        let has_source = std::error::Error::source(&error).is_some();
        assert_eq!(has_source, matches!(error, MintError::Custom(_)));
    }
}
