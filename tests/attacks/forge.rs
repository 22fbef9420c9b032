//! Everything an attacker can make of a key, its public half, and somebody's token.

use std::fmt::Write as _;

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der, PublicKeyX509Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair as RsaKeyPair, KeySize};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _, RSA_PKCS1_SHA256,
};
use aws_lc_rs::{hmac, rand};
use base64::Engine as _;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use serde_json::{Map, Value, json};

/// The key of a server, or one of an attacker's own.
pub struct Key {
    pub algorithm: &'static str,
    kind: Kind,
}

enum Kind {
    Ec(EcdsaKeyPair, Vec<u8>),
    Ed(Ed25519KeyPair, Vec<u8>),
    Hmac(String),
    Rsa(RsaKeyPair),
}

impl Key {
    pub fn new(algorithm: &'static str) -> Self {
        let kind = match algorithm {
            "HS256" => {
                let mut secret = [0; 32];
                rand::fill(&mut secret).expect("there is randomness");
                Kind::Hmac(hex(&secret))
            }
            "RS256" => Kind::Rsa(RsaKeyPair::generate(KeySize::Rsa2048).expect("a key")),
            "ES256" => {
                let random = SystemRandom::new();
                let signing = &ECDSA_P256_SHA256_FIXED_SIGNING;
                let der = EcdsaKeyPair::generate_pkcs8(signing, &random).expect("a key");
                let pair = EcdsaKeyPair::from_pkcs8(signing, der.as_ref()).expect("the same");
                Kind::Ec(pair, der.as_ref().to_vec())
            }
            _ => {
                let der = Ed25519KeyPair::generate_pkcs8v1(&SystemRandom::new()).expect("a key");
                let pair = Ed25519KeyPair::from_pkcs8_maybe_unchecked(der.as_ref());
                Kind::Ed(pair.expect("the same"), der.as_ref().to_vec())
            }
        };
        Self { algorithm, kind }
    }

    /// The secret of a symmetric key.
    pub fn secret(&self) -> Option<&str> {
        match &self.kind {
            Kind::Hmac(secret) => Some(secret),
            _ => None,
        }
    }

    /// The private key as the server reads it.
    pub fn private_pem(&self) -> Option<String> {
        let der = match &self.kind {
            Kind::Hmac(_) => return None,
            Kind::Ec(_, der) | Kind::Ed(_, der) => der.clone(),
            Kind::Rsa(pair) => {
                let der: Pkcs8V1Der<'_> = pair.as_der().expect("a key has a form");
                der.as_ref().to_vec()
            }
        };
        Some(pem("PRIVATE KEY", &der))
    }

    pub fn signature(&self, message: &[u8]) -> Vec<u8> {
        let random = SystemRandom::new();
        match &self.kind {
            Kind::Ec(pair, _) => {
                let signed = pair.sign(&random, message).expect("it signs");
                signed.as_ref().to_vec()
            }
            Kind::Ed(pair, _) => pair.sign(message).as_ref().to_vec(),
            Kind::Hmac(secret) => mac("HS256", secret.as_bytes(), message),
            Kind::Rsa(pair) => {
                let mut signed = vec![0; pair.public_modulus_len()];
                let signing = pair.sign(&RSA_PKCS1_SHA256, &random, message, &mut signed);
                signing.expect("it signs");
                signed
            }
        }
    }

    /// A token of exactly these bytes.
    pub fn token(&self, header: impl AsRef<[u8]>, payload: impl AsRef<[u8]>) -> String {
        let signed = signed_part(header, payload);
        let signature = self.signature(signed.as_bytes());
        format!("{signed}.{}", url(signature))
    }

    /// The forms in which a public key is published, each of which somebody took for a secret once.
    pub fn public_forms(&self) -> Vec<(&'static str, Vec<u8>)> {
        let (spki, raw) = match &self.kind {
            Kind::Hmac(_) => return Vec::new(),
            Kind::Ec(pair, _) => (spki(pair.public_key()), pair.public_key().as_ref().to_vec()),
            Kind::Ed(pair, _) => (spki(pair.public_key()), pair.public_key().as_ref().to_vec()),
            Kind::Rsa(pair) => (spki(pair.public_key()), pair.public_key().as_ref().to_vec()),
        };
        let text = pem("PUBLIC KEY", &spki);
        let jwk = self.jwk();
        let set = json!({ "keys": [jwk] });
        let mut forms = vec![
            ("PEM", text.clone().into_bytes()),
            (
                "PEM without its last line end",
                text.trim_end().as_bytes().to_vec(),
            ),
            ("PEM with CRLF", text.replace('\n', "\r\n").into_bytes()),
            ("PEM in one line", text.replace('\n', "").into_bytes()),
            (
                "body of the PEM",
                BASE64_STANDARD.encode(&spki).into_bytes(),
            ),
            ("SPKI as DER", spki.clone()),
            ("SPKI in hexadecimal", hex(&spki).into_bytes()),
            ("SPKI in base64url", url(&spki).into_bytes()),
            ("raw key", raw.clone()),
            ("raw key in hexadecimal", hex(&raw).into_bytes()),
            ("raw key in base64url", url(&raw).into_bytes()),
            ("JWK", jwk.to_string().into_bytes()),
            ("JWK, pretty", format!("{jwk:#}").into_bytes()),
            ("JWK Set", set.to_string().into_bytes()),
            ("PKCS#1 PEM label", pem("RSA PUBLIC KEY", &raw).into_bytes()),
        ];
        for (name, member) in [("n", "n"), ("e", "e"), ("x", "x"), ("y", "y")] {
            if let Some(value) = jwk[member].as_str() {
                forms.push((name, value.as_bytes().to_vec()));
            }
        }
        forms
    }

    /// The public key as a JWK, as an attacker would embed it.
    pub fn jwk(&self) -> Value {
        match &self.kind {
            Kind::Hmac(secret) => json!({ "kty": "oct", "k": url(secret) }),
            Kind::Ec(pair, _) => {
                let point = pair.public_key().as_ref();
                let (x, y) = point[1..].split_at(32);
                json!({ "kty": "EC", "crv": "P-256", "x": url(x), "y": url(y) })
            }
            Kind::Ed(pair, _) => {
                json!({ "kty": "OKP", "crv": "Ed25519", "x": url(pair.public_key()) })
            }
            Kind::Rsa(pair) => {
                let key = pair.public_key();
                // Of 2048 bits, so every length is known: sequence, n with a zero before, e.
                let der = key.as_ref();
                let (n, e) = (&der[9..265], &der[267..]);
                json!({ "kty": "RSA", "n": url(n), "e": url(e) })
            }
        }
    }
}

fn spki(key: &impl AsDer<PublicKeyX509Der<'static>>) -> Vec<u8> {
    key.as_der().expect("a key has a form").as_ref().to_vec()
}

fn pem(label: &str, der: &[u8]) -> String {
    let body = BASE64_STANDARD.encode(der);
    let lines: Vec<_> = body
        .as_bytes()
        .chunks(64)
        .map(String::from_utf8_lossy)
        .collect();
    format!(
        "-----BEGIN {label}-----\n{}\n-----END {label}-----\n",
        lines.join("\n")
    )
}

pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

pub fn url(bytes: impl AsRef<[u8]>) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(bytes)
}

pub fn decoded(part: &str) -> Vec<u8> {
    BASE64_URL_SAFE_NO_PAD
        .decode(part)
        .expect("a part of a token")
}

pub fn signed_part(header: impl AsRef<[u8]>, payload: impl AsRef<[u8]>) -> String {
    format!("{}.{}", url(header), url(payload))
}

pub fn mac(algorithm: &str, secret: &[u8], message: &[u8]) -> Vec<u8> {
    let hash = match algorithm {
        "HS384" => hmac::HMAC_SHA384,
        "HS512" => hmac::HMAC_SHA512,
        _ => hmac::HMAC_SHA256,
    };
    hmac::sign(&hmac::Key::new(hash, secret), message)
        .as_ref()
        .to_vec()
}

/// The claims that every access token has.
pub const ALWAYS: [&str; 11] = [
    "iss",
    "aud",
    "sub",
    "client_id",
    "iat",
    "exp",
    "jti",
    "sid",
    "gen",
    "ugen",
    "rgen",
];

/// A token that the server made, taken apart; and the key that made it.
pub struct Forge {
    pub key: Key,
    pub others: Key,
    pub token: String,
    pub header: Map<String, Value>,
    pub claims: Map<String, Value>,
    /// Where a fetch of a key would arrive.
    pub listener: String,
}

impl Forge {
    pub fn new(key: Key, token: String, listener: String) -> Self {
        let part = |index| {
            let part = token.split('.').nth(index).expect("a token has parts");
            serde_json::from_slice(&decoded(part)).expect("each is an object")
        };
        Self {
            others: Key::new(key.algorithm),
            header: part(0),
            claims: part(1),
            key,
            token,
            listener,
        }
    }

    pub fn parts(&self) -> [&str; 3] {
        let mut parts = self.token.split('.');
        [(); 3].map(|()| parts.next().expect("a token has three parts"))
    }

    /// The header with members set, or taken away by a null.
    pub fn header_with(&self, members: Value) -> String {
        changed(&self.header, members)
    }

    /// The claims likewise.
    pub fn claims_with(&self, members: Value) -> String {
        changed(&self.claims, members)
    }

    pub fn header_text(&self) -> String {
        Value::Object(self.header.clone()).to_string()
    }

    pub fn claims_text(&self) -> String {
        Value::Object(self.claims.clone()).to_string()
    }
}

fn changed(object: &Map<String, Value>, members: Value) -> String {
    let mut object = object.clone();
    let Value::Object(members) = members else {
        unreachable!("members are an object");
    };
    for (name, value) in members {
        match value {
            Value::Null => object.remove(&name),
            value => object.insert(name, value),
        };
    }
    Value::Object(object).to_string()
}
