//! Keys, policies and forged tokens for the tests of this crate.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::{Algorithm, Key, KeyRing, KeyState, TokenPolicy, VerifiedToken, Verifier, VerifyError};
use crate::clock::UnixTime;
use crate::token::{RawToken, SessionId, TokenId};

pub(crate) const NOW: UnixTime = UnixTime::from_secs(1_800_000_000);
pub(crate) const ISSUER: &str = "https://id.example";
pub(crate) const AUDIENCE: &str = "https://api.example";
pub(crate) const SESSION: &str = "0197a0d2-5c4e-7000-8000-000000000001";

pub(crate) const ALGORITHMS: [Algorithm; 12] = [
    Algorithm::EdDsa,
    Algorithm::Es256,
    Algorithm::Es384,
    Algorithm::Hs256,
    Algorithm::Hs384,
    Algorithm::Hs512,
    Algorithm::Ps256,
    Algorithm::Ps384,
    Algorithm::Ps512,
    Algorithm::Rs256,
    Algorithm::Rs384,
    Algorithm::Rs512,
];

/// A key of an algorithm with the `kid` `"k"`, the same in each test.
pub(crate) fn key(algorithm: Algorithm) -> Key {
    static KEYS: OnceLock<Mutex<HashMap<Algorithm, Key>>> = OnceLock::new();
    let mut keys = KEYS.get_or_init(Mutex::default).lock().unwrap();
    keys.entry(algorithm)
        .or_insert_with(|| Key::generate(Some("k"), algorithm).unwrap())
        .clone()
}

pub(crate) fn policy() -> TokenPolicy {
    TokenPolicy::new(ISSUER, AUDIENCE)
}

pub(crate) fn ring(key: &Key) -> Arc<KeyRing> {
    Arc::new(KeyRing::new([(key.clone(), KeyState::VerifyOnly)]).unwrap())
}

/// The claims of a good token of ours, one minute old, with nine minutes to go.
pub(crate) fn claims() -> Value {
    json!({
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": "alice",
        "iat": NOW.as_secs() - 60,
        "exp": NOW.as_secs() + 540,
        "jti": TokenId::of_generation(SESSION.parse::<SessionId>().unwrap(), 3),
        "sid": SESSION,
        "gen": 3,
        "ugen": 1_700_000_000_000_000_u64,
        "rgen": 7,
        "roles": ["user", "admin"],
        "scope": "a:read b:write",
    })
}

/// The same with a member set, or taken out where `value` is null.
pub(crate) fn claims_with(name: &str, value: Value) -> Value {
    let mut all = claims();
    let members = all.as_object_mut().unwrap();
    if value.is_null() {
        members.remove(name);
    } else {
        members.insert(name.to_owned(), value);
    }
    all
}

pub(crate) fn header(key: &Key) -> Value {
    json!({"alg": key.algorithm().as_str(), "typ": "at+jwt", "kid": key.kid()})
}

pub(crate) fn encode(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Signs any header and any payload.
pub(crate) fn forge(key: &Key, header: &str, payload: &str) -> String {
    let signed = format!("{}.{}", encode(header), encode(payload));
    let signature = key.sign(signed.as_bytes()).unwrap();
    format!("{signed}.{}", encode(signature))
}

/// A token of ours with these claims.
pub(crate) fn token(key: &Key, claims: &Value) -> String {
    forge(key, &header(key).to_string(), &claims.to_string())
}

pub(crate) fn verify(verifier: &Verifier, token: &str) -> Result<VerifiedToken, VerifyError> {
    verifier.verify(RawToken::from_parameter(token), NOW)
}
