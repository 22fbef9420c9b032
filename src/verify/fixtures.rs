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

/// The base64 of an RSA key's PKCS#8; not every library makes such keys.
pub(crate) const RSA_PRIVATE: &str = "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQDDuSFQRqSyGKiEiLNJ23oL/wFaY/xhI543mACfRqWZ/3IjL8U4LwpvgsAN5dYIqChDPT//ulccE2C+LJKXwraF3CduNcL+qP2iN/1GI3G6aHiIjfQZl6qp3QRDisOUiRjY2KIjSYlyT/9Wje/i3dCbDo+Dc3yqho+KAbU7+DVoaECTqoBDHWO5qqlJTHXg2/PpgYDSlJTg6pdS2wVnpIvgBu6Q6gUc3xQZg9tNT7H1kLAgXauddxeN2kbya6L4x5VLhThf30YTU0ds1ch6VfSQCUqumaSy7b27leGpZIC713QoIQFqGooezp24o9kpGPtChyhnA2kI/mMXbeRccAPZAgMBAAECggEAA3TyGy5cO08HLuwRKpVHRw32cqfAbeDIqxeyrx160Ej8NZXi6FagWw7WoIg2Kwn5SBK9XiFm53aKJ2G3JxoHyj50rdQiQQgwDpzpisMWf6HXuyWysX8FwyFFsYGyaZ2wRCgzWOc0F8JE8rzoBzw+snZj34D7KzHcOCZGkqwUGWdyD3Iye5Qk8/E5a9MyebQoz5gwtT3czc6B5MWiBmmqv4VlNaFNuEODPjJ3u+yoPOHygY+447yVi+1x+yDqHynPFUk/r/Z8Vv1+t6yyXqs+VumwM5yrG1oh0mYzT8zehvKsMfeojGOkL2Va+54Hq7DIoX7NK8YjtiZLy1a3Igln3wKBgQDmm331Zfm1iHo9dvBBJseHdjvcA7kMH/j73mLdn0V3cXNnVK0fXIo04VDTGTOtQerkEN3G0IVx3psFcXxw6dmILUMP8m0dWQma1q1vJYnCbp9Btr00dQExVVTBeucFNVPap7V15Ug9TqsWWAW8kI0Z2aIV2wUoCaRP3JJw7W8EXwKBgQDZRkyglnLZ2nPoN4SAm9xaz7gkGrO21FZqLwRrcxG/IXfU2+rEc2zBpb2bon7YBHFnwnuz0kH6f88IwhdIKGEdIblDCAC+krxNjuDKtWwY4gs9bcV/1F/1ck2TMBvgMlDrvpmnmK86jv8QLMBUK6HQwrQMHcif0Foyt18pZdEixwKBgQCEcuBYdtaCLj3PWaXKNcS6B+1/g1/gF+kAeI0eLyFN5gpbWeYJMjRrBNJQPJRSuZ54mTtXumI6sZkl+jV4AMghD6YJ3bpP9divZwe747qIwtKTgqqPG3iw5grFCZrwgd2Eo3h0m1jvZWScc7fvwrJYG4idturyQP9vowc09xohTwKBgA0K2UKyhUZqhJal7oBB2uJgoa8ZIzyQVnedRuikSaZtfeH7KYaNXzPonQ8gm/ifm6cc14wdzPQag/UEoZ0lP18eTR6m9lR6Pm9xajEA3vJHb2FKm5ZmyzPSnrF9K88zdgQQtuyGj842Ez2HUiw7SkVbyq8HgqmFOkTdGQtFH161AoGAIDq747tTqfK+ET6BDvmH0/8kqR9DjSDHaW2maYSbs0iFZkTtuQAAO6zRhSQXT1uyZJuiyUhZHcIkiMqElZvf8c4ox9FDN2ECmBAtiCu3JteMiMJWocXXv8GpGlQJRejMZ2+i4h1/0CAW98/aEswtskSdfqiTkSkfS6VVzI6o82Q=";

/// A key of an algorithm with the `kid` `"k"`, the same in each test.
pub(crate) fn key(algorithm: Algorithm) -> Key {
    static KEYS: OnceLock<Mutex<HashMap<Algorithm, Key>>> = OnceLock::new();
    let mut keys = KEYS.get_or_init(Mutex::default).lock().unwrap();
    keys.entry(algorithm)
        .or_insert_with(|| {
            if !algorithm.as_str().starts_with(['P', 'R']) {
                return Key::generate(Some("k"), algorithm).unwrap();
            }
            let pem =
                format!("-----BEGIN PRIVATE KEY-----\n{RSA_PRIVATE}\n-----END PRIVATE KEY-----\n");
            Key::from_private_pem(Some("k"), algorithm, pem.as_bytes()).unwrap()
        })
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
