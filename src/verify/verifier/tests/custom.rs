//! Claims of the application.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::*;
use crate::verify::fixtures::{claims, claims_with, token, verify};

#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
struct Tenant {
    tenant: String,
    #[serde(default)]
    flags: Vec<u8>,
}

#[test]
fn the_application_reads_its_own_claims_and_none_that_have_a_meaning() {
    let key = key(Algorithm::Hs256);
    let mut all = claims_with("tenant", "acme".into());
    all["sid2"] = json!({"a": [1, null]});
    let token = token(&key, &all);

    let typed = Verifier::new::<Tenant>(ring(&key), policy());
    let verified = verify(&typed, &token).unwrap();
    let expected = Tenant {
        tenant: "acme".to_owned(),
        flags: Vec::new(),
    };
    assert_eq!(verified.claims().custom::<Tenant>(), Some(&expected));
    assert!(verified.claims().custom::<NoClaims>().is_none());

    let map = Verifier::new::<HashMap<String, Value>>(ring(&key), policy());
    let verified = verify(&map, &token).unwrap();
    let custom = verified
        .claims()
        .custom::<HashMap<String, Value>>()
        .unwrap();
    assert_eq!(custom.len(), 2);
    assert_eq!(custom["sid2"], json!({"a": [1, null]}));
}

#[test]
fn claims_that_do_not_fit_the_application_are_refused() {
    let key = key(Algorithm::Hs256);
    let verifier = Verifier::new::<Tenant>(ring(&key), policy());
    for claims in [claims(), claims_with("tenant", json!(1))] {
        assert_eq!(
            kind(&verifier, &token(&key, &claims)),
            Some(VerifyErrorKind::Invalid)
        );
    }
}

/// Reads one member, and stops.
#[derive(Clone, Debug, Deserialize, Serialize)]
enum Stops {
    #[serde(rename = "first")]
    First(u8),
}

#[test]
fn an_application_that_stops_reading_early_hides_no_claim() {
    let key = key(Algorithm::Hs256);
    let verifier = Verifier::new::<Stops>(ring(&key), policy());
    let payload = claims().to_string().replacen('{', "{\"first\":1,", 1);
    let good = forge(&key, &header(&key).to_string(), &payload);
    assert_eq!(kind(&verifier, &good), None);
    let twice = payload.replacen('}', ",\"iss\":\"https://id.example\"}", 1);
    let twice = forge(&key, &header(&key).to_string(), &twice);
    assert_eq!(kind(&verifier, &twice), Some(VerifyErrorKind::Invalid));
}
