//! Test vectors of others, from the folder that `JOSE_VECTORS` names: Wycheproof's for JSON Web Signatures, and the
//! examples of the RFCs.
//!
//! They sign texts that are no access tokens, so what is asked here is the signature's half alone: the shape, the header, the
//! key, the algorithm, the signature.

use std::path::PathBuf;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::crypto::hmac;
use crate::verify::Key;
use crate::verify::compact::{Compact, MAX_SIGNATURE};
use crate::verify::fixtures::ALGORITHMS;

#[derive(Deserialize)]
struct Vector {
    #[serde(alias = "tcId")]
    name: Value,
    jws: String,
    result: String,
}

/// Where Wycheproof says otherwise, and why we are right.
const EXPLAINED: [(u64, &str); 6] = [
    (346, "of PS384 under a key for PS256"),
    (350, "of PS384 under a key for PS256"),
    (367, "the same bytes as 357, which is called valid"),
    (370, "the same bytes as 357, which is called valid"),
    (
        372,
        "a letter that base64url does not have (RFC 7515, section 2)",
    ),
    (
        373,
        "a letter that base64url does not have (RFC 7515, section 2)",
    ),
];

fn file(name: &str) -> Option<Value> {
    let Some(folder) = std::env::var_os("JOSE_VECTORS") else {
        eprintln!("LEFT OUT: {name}; JOSE_VECTORS names no folder");
        return None;
    };
    let path = PathBuf::from(folder).join(name);
    let text = std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    Some(serde_json::from_slice(&text).expect("vectors are JSON"))
}

/// The key of a group. Secrets that everybody knows are no keys here, so a MAC is made by hand.
enum Checker {
    Key(Key),
    Secret(String, Vec<u8>),
}

/// `None` where it is for no algorithm that we have.
fn checker(jwk: &Value, algorithm: Option<&str>) -> Option<Checker> {
    let name = jwk["alg"].as_str().or(algorithm)?;
    ALGORITHMS.into_iter().find(|one| one.as_str() == name)?;
    let kid = jwk["kid"].as_str().unwrap_or("vector");
    if let Some(k) = jwk["k"].as_str() {
        let secret = BASE64_URL_SAFE_NO_PAD.decode(k).ok()?;
        return (name == "HS256").then(|| Checker::Secret(kid.to_owned(), secret));
    }
    let mut jwk = jwk.clone();
    jwk["kid"] = kid.into();
    jwk["alg"] = name.into();
    let set = json!({ "keys": [jwk] }).to_string();
    Key::from_jwk_set(&set).ok()?.pop().map(Checker::Key)
}

fn is_accepted(checker: &Checker, jws: &str) -> bool {
    let mut room = [0; MAX_SIGNATURE];
    let Ok(token) = Compact::parse(jws.as_bytes(), &mut room, |_| None) else {
        return false;
    };
    let is_of = |own: &str| token.header.kid.as_deref().is_none_or(|kid| kid == own);
    match checker {
        Checker::Key(key) => {
            is_of(key.kid())
                && token.header.alg == key.algorithm().as_str()
                && key.is_good(token.signed, token.signature)
        }
        Checker::Secret(kid, secret) => {
            let mac = hmac::Key::new(hmac::HMAC_SHA256, secret);
            is_of(kid)
                && token.header.alg == "HS256"
                && hmac::verify(&mac, token.signed, token.signature).is_ok()
        }
    }
}

/// Whether its payload is a text at all, as claims have to be (RFC 7519, section 7.2).
fn says_something(jws: &str) -> bool {
    let payload = jws.split('.').nth(1).expect("a part");
    let bytes = BASE64_URL_SAFE_NO_PAD.decode(payload).expect("base64url");
    !bytes.is_empty() && String::from_utf8(bytes).is_ok()
}

#[test]
fn wycheproof_signatures_are_judged_as_it_says() {
    let Some(file) = file("wycheproof_json_web_signature_test.json") else {
        return;
    };
    let (mut wrong, mut judged) = (Vec::new(), 0);
    for group in file["testGroups"].as_array().expect("groups") {
        let jwk = if group["public"].is_null() {
            &group["private"]
        } else {
            &group["public"]
        };
        let key = checker(jwk, None);
        for vector in group["tests"].as_array().expect("tests") {
            let vector = Vector::deserialize(vector).expect("a test");
            let number = vector.name.as_u64().expect("a number");
            let Some(key) = &key else {
                eprintln!(
                    "{number}: refused, as there is no such key here: {}",
                    jwk["alg"]
                );
                continue;
            };
            judged += 1;
            let accepted = is_accepted(key, &vector.jws);
            let explained = EXPLAINED.iter().find(|(one, _)| *one == number);
            match explained {
                Some((_, why)) => eprintln!("{number}: otherwise: {why}"),
                None if accepted == (vector.result == "valid") => {}
                None if !accepted && !says_something(&vector.jws) => {
                    eprintln!("{number}: otherwise, since what it signs cannot be claims");
                }
                None => wrong.push(format!(
                    "{number}: {} but accepted: {accepted}",
                    vector.result
                )),
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(judged > 350, "only {judged}");
}

#[test]
fn the_examples_of_the_rfcs_are_judged_as_they_say() {
    let Some(file) = file("rfc_vectors.json") else {
        return;
    };
    for vector in file.as_array().expect("a list") {
        let key = checker(&vector["jwk"], vector["alg"].as_str()).expect("an algorithm of ours");
        let vector = Vector::deserialize(vector).expect("a vector");
        let accepted = is_accepted(&key, &vector.jws);
        assert_eq!(accepted, vector.result == "valid", "{}", vector.name);
    }
}
