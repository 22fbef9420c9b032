mod cache;
mod claims;
mod custom;
mod header;
mod keys;
mod printed;
mod robust;
mod times;
mod vectors;

use super::Verifier;
use crate::verify::fixtures::{forge, header, key, policy, ring};
use crate::verify::{Algorithm, Key, NoClaims, VerifyErrorKind};
use crate::verify::{TokenPolicy, fixtures};

fn verifier(key: &Key) -> Verifier {
    verifier_with(key, policy())
}

fn verifier_with(key: &Key, policy: TokenPolicy) -> Verifier {
    Verifier::new::<NoClaims>(ring(key), policy)
}

/// What a client learns; `None` when the token passes.
fn kind(verifier: &Verifier, token: &str) -> Option<VerifyErrorKind> {
    fixtures::verify(verifier, token)
        .err()
        .map(|error| error.kind())
}

/// What a client learns of a token of ours with one claim changed.
fn kind_with(name: &str, value: serde_json::Value) -> Option<VerifyErrorKind> {
    let key = key(Algorithm::Hs256);
    kind(
        &verifier(&key),
        &fixtures::token(&key, &fixtures::claims_with(name, value)),
    )
}

fn cause(verifier: &Verifier, token: &str) -> Option<&'static str> {
    fixtures::verify(verifier, token)
        .err()
        .map(|error| error.cause())
}
