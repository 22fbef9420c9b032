//! Keys from a JWK Set.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, PublicKeyUse};
use serde::Deserialize;
use serde_json::Value;

use super::public::PublicNumbers;
use super::{Algorithm, KeyError};
use crate::crypto::Curve;

/// One public key of a set.
pub(super) struct PublicJwk {
    pub(super) kid: String,
    pub(super) algorithm: Algorithm,
    pub(super) numbers: PublicNumbers,
}

#[derive(Deserialize)]
struct Set {
    keys: Vec<Value>,
}

pub(super) fn read_set(json: &str) -> Result<Vec<PublicJwk>, KeyError> {
    let set: Set = serde_json::from_str(json).map_err(|_| {
        KeyError::new(
            "the text is no JWK Set",
            "give a JSON object with a list `keys` (RFC 7517, section 5)",
        )
    })?;
    set.keys
        .iter()
        .enumerate()
        .map(|(index, key)| read(key).map_err(|(what, fix)| named(index, key, what, fix)))
        .collect()
}

fn read(value: &Value) -> Result<PublicJwk, (&'static str, &'static str)> {
    if ["d", "k"].iter().any(|secret| value.get(secret).is_some()) {
        return Err((
            "is not public",
            "publish public keys only, and replace this one",
        ));
    }
    let unsupported = (
        "is of a type that is not supported",
        "use an RSA, EC (P-256, P-384) or Ed25519 key",
    );
    let alg = value.get("alg").and_then(Value::as_str).unwrap_or_default();
    let algorithm = alg
        .parse::<Algorithm>()
        .ok()
        .filter(|one| !one.is_symmetric())
        .ok_or(("has no supported `alg`", "name the one algorithm it is for"))?;
    let jwk = Jwk::deserialize(value).map_err(|_| unsupported)?;
    if !matches!(
        jwk.common.public_key_use,
        None | Some(PublicKeyUse::Signature)
    ) {
        return Err((
            "is not for signatures",
            "leave it out, or set `use` to `sig`",
        ));
    }
    let kid = jwk
        .common
        .key_id
        .clone()
        .ok_or(("has no `kid`", "give it one"))?;
    Ok(PublicJwk {
        kid,
        algorithm,
        numbers: numbers(&jwk).ok_or(unsupported)?,
    })
}

fn numbers(jwk: &Jwk) -> Option<PublicNumbers> {
    let decode = |text: &str| URL_SAFE_NO_PAD.decode(text).ok();
    Some(match &jwk.algorithm {
        AlgorithmParameters::EllipticCurve(key) => PublicNumbers::Ec {
            curve: match key.curve {
                EllipticCurve::P256 => Curve::P256,
                EllipticCurve::P384 => Curve::P384,
                _ => return None,
            },
            x: decode(&key.x)?,
            y: decode(&key.y)?,
        },
        AlgorithmParameters::OctetKeyPair(key) if key.curve == EllipticCurve::Ed25519 => {
            PublicNumbers::Ed { x: decode(&key.x)? }
        }
        AlgorithmParameters::RSA(key) => PublicNumbers::Rsa {
            n: decode(&key.n)?,
            e: decode(&key.e)?,
        },
        _ => return None,
    })
}

fn named(index: usize, key: &Value, what: &str, fix: &'static str) -> KeyError {
    let what = match key.get("kid").and_then(Value::as_str) {
        Some(kid) => format!("key {kid:?} of the JWK Set {what}"),
        None => format!("key {} of the JWK Set {what}", index + 1),
    };
    KeyError::new(what, fix)
}
