//! Tokens, good and bad.

use aws_lc_rs::hmac;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::json;
use tower_jwt_session::verify::{Algorithm, Key};
use tower_jwt_session::{Clock, SessionId, SystemClock};

use crate::scale::user_name;

/// Makes tokens as they come, each another.
pub struct Forge {
    key: Key,
    pair: Option<EcdsaKeyPair>,
    secret: hmac::Key,
    random: SystemRandom,
}

impl Forge {
    pub fn new(algorithm: Algorithm) -> Self {
        let random = SystemRandom::new();
        let secret = hmac::Key::new(hmac::HMAC_SHA256, SECRET);
        if algorithm != Algorithm::Es256 {
            let key = match algorithm {
                Algorithm::Hs256 => Key::hmac(Some(KID), algorithm, SECRET),
                _ => Key::generate(Some(KID), algorithm),
            };
            return Self {
                key: key.expect("a key"),
                pair: None,
                secret,
                random,
            };
        }
        // One whose signatures are made here, too.
        let signing = &ECDSA_P256_SHA256_FIXED_SIGNING;
        let pair = EcdsaKeyPair::generate(signing).expect("the system has randomness");
        let der = pair.to_pkcs8v1().expect("it is a key");
        let body = STANDARD.encode(der.as_ref());
        let pem = format!("-----BEGIN PRIVATE KEY-----\n{body}\n-----END PRIVATE KEY-----\n");
        let key = Key::from_private_pem(Some(KID), algorithm, pem.as_bytes());
        Self {
            key: key.expect("a key"),
            pair: Some(pair),
            secret,
            random,
        }
    }

    pub fn key(&self) -> &Key {
        &self.key
    }

    /// A well-made token under a signature that is none.
    pub fn forged(&self, kid: &str) -> String {
        let mut signature = [0; 256];
        let length = match self.key.algorithm() {
            Algorithm::Hs256 => 32,
            Algorithm::Rs256 => 256,
            _ => 64,
        };
        fastrand::fill(&mut signature[..length]);
        // Below the modulus and the order, so that all of the check is made.
        signature[0] &= 0x3f;
        signature[length - 1] &= 0x0f;
        let signed = self.signed_part(kid, SessionId::random(), LIFE);
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(&signature[..length]))
    }

    /// A genuine token of a session that nobody keeps, which has this long to go.
    pub fn genuine(&self, lives: i64) -> String {
        let signed = self.signed_part(KID, SessionId::random(), lives);
        let text = signed.as_bytes();
        let signature = match (&self.pair, self.key.algorithm()) {
            (Some(pair), _) => {
                let signature = pair.sign(&self.random, text).expect("it can sign");
                URL_SAFE_NO_PAD.encode(signature)
            }
            (None, Algorithm::Hs256) => URL_SAFE_NO_PAD.encode(hmac::sign(&self.secret, text)),
            (None, other) => panic!("{} is not signed here", other.as_str()),
        };
        format!("{signed}.{signature}")
    }

    fn signed_part(&self, kid: &str, session: SessionId, lives: i64) -> String {
        let now = SystemClock.now().as_secs().cast_signed();
        let expires = now + lives;
        let header = json!({ "alg": self.key.algorithm().as_str(), "typ": "at+jwt", "kid": kid });
        let claims = json!({
            "iss": ISSUER, "aud": ISSUER, "client_id": ISSUER,
            "sub": user_name(&format!("{:08}", fastrand::u32(..100_000_000))), "sid": session, "jti": SessionId::random(),
            "iat": expires - LIFE, "exp": expires, "auth_time": expires - LIFE,
            "gen": 1, "ugen": 1, "rgen": 1,
        });
        let [header, claims] =
            [header, claims].map(|part| URL_SAFE_NO_PAD.encode(part.to_string()));
        format!("{header}.{claims}")
    }
}

pub const KID: &str = "bench";
pub const ISSUER: &str = "bench.example";
const SECRET: &[u8] = b"7e0a9c51d3f84b26a1c05d9e47b3f8620f1e2d3c4b5a69788796a5b4c3d2e1f0";
const LIFE: i64 = 600;
