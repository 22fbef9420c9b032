//! The least that a check of a token can cost: the signature by a key that is parsed already, one
//! pass over the claims, and the place for them in the request. No revocation, no header, no cache.

use std::sync::Arc;

use aws_lc_rs::hmac;
use aws_lc_rs::rsa::PublicKeyComponents;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ED25519, ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::{Request, header};
use serde::Deserialize;
use tower_jwt_session::verify::{Algorithm, Key, KeyRing, KeyState};

/// A key as the cryptographic library has it.
pub enum Floor {
    Hmac(Box<hmac::Key>),
    Public(ParsedPublicKey),
}

/// What a token of ours says, in types of the standard library.
#[derive(Deserialize)]
#[allow(dead_code)]
struct Claims {
    iss: String,
    aud: String,
    sub: String,
    sid: String,
    jti: String,
    client_id: String,
    iat: u64,
    exp: u64,
    auth_time: u64,
    #[serde(rename = "gen")]
    generation: u32,
    ugen: u64,
    rgen: u64,
}

impl Floor {
    /// The checking half of `key`; `secret` is what it was made of where it is one.
    pub fn new(key: &Key, secret: &[u8]) -> Self {
        if key.algorithm() == Algorithm::Hs256 {
            return Self::Hmac(Box::new(hmac::Key::new(hmac::HMAC_SHA256, secret)));
        }
        let ring = KeyRing::new([(key.clone(), KeyState::VerifyOnly)]).expect("one key");
        let jwk = &ring.jwks()["keys"][0];
        let part = |name: &str| decode(jwk[name].as_str().expect("a part of the key"));
        let parsed = match key.algorithm() {
            Algorithm::Es256 => {
                let point = [vec![4], part("x"), part("y")].concat();
                ParsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point)
            }
            Algorithm::EdDsa => ParsedPublicKey::new(&ED25519, part("x")),
            _ => PublicKeyComponents {
                n: part("n"),
                e: part("e"),
            }
            .to_parsed_public_key(&RSA_PKCS1_2048_8192_SHA256),
        };
        Self::Public(parsed.expect("a good key"))
    }

    /// Checks the token of a request and puts its claims there.
    pub fn check(&self, request: &mut Request<()>) {
        let value = request.headers()[header::AUTHORIZATION].as_bytes();
        let token = std::str::from_utf8(&value[BEARER.len()..]).expect("ASCII");
        let (signed, signature) = token.rsplit_once('.').expect("three parts");
        let (_, payload) = signed.split_once('.').expect("three parts");
        let signature = decode(signature);
        match self {
            Self::Hmac(key) => {
                hmac::verify(key, signed.as_bytes(), &signature).expect("a good signature")
            }
            Self::Public(key) => key
                .verify_sig(signed.as_bytes(), &signature)
                .expect("a good signature"),
        }
        let claims: Claims = serde_json::from_slice(&decode(payload)).expect("good claims");
        request.extensions_mut().insert(Arc::new(claims));
    }
}

fn decode(text: &str) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode(text).expect("base64url")
}

const BEARER: &str = "Bearer ";
