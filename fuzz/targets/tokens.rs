//! A bearer token, signed after the fuzzer chose what is in it: what we accept, jsonwebtoken accepts, too, and
//! what it says is what we say.
#![no_main]

use std::sync::LazyLock;

use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Validation};
use libfuzzer_sys::fuzz_target;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::runtime::{Builder, Runtime};
use tower_jwt_session::{Device, JwtSession, UserId};

const SECRET: &[u8] = b"a secret of the fuzzer's, which it may know";

struct World {
    runtime: Runtime,
    auth: JwtSession,
    /// A token that is good, for the fuzzer to take apart.
    good: String,
    /// What the fuzzer writes for what differs from one run to the next.
    names: Vec<(&'static str, String)>,
}

static WORLD: LazyLock<World> = LazyLock::new(|| {
    let runtime = Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    let auth = JwtSession::builder()
        .hmac_secret(SECRET)
        .build()
        .expect("a good configuration");
    let tokens = runtime.block_on(async {
        let user = UserId::new("ada").expect("a name");
        let ticket = auth.sessions().ticket(&user).await.expect("a ticket");
        let signed_in = auth.sessions().sign_in(ticket, Device::default()).await;
        signed_in.expect("a session").tokens()
    });
    let good = tokens.access_token;
    let claims: Value = elsewhere(&good).expect("a good token");
    let names = ["sid", "jti", "iat", "exp", "gen", "ugen", "rgen"];
    let names = names.map(|name| (name, claims[name].to_string()));
    let names = names
        .into_iter()
        .filter(|(_, value)| value != "null")
        .collect();
    World {
        runtime,
        auth,
        good,
        names,
    }
});

/// The header and the claims of the fuzzer, with a signature that is good for them. `@sid` stands for the session of
/// the good token, and so on.
fn signed(data: &[u8], names: &[(&'static str, String)]) -> Option<String> {
    let text = std::str::from_utf8(data).ok()?;
    let (header, claims) = text.split_once('\n')?;
    let claims = names
        .iter()
        .fold(claims.to_owned(), |claims, (name, value)| {
            claims.replace(&format!("@{name}"), value)
        });
    let [header, claims] = [header, &claims].map(base64);
    let message = format!("{header}.{claims}");
    let key = EncodingKey::from_secret(SECRET);
    let signature = jsonwebtoken::crypto::sign(message.as_bytes(), &key, Algorithm::HS256).ok()?;
    Some(format!("{message}.{signature}"))
}

fn base64(text: &str) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut encoded = String::new();
    for three in text.as_bytes().chunks(3) {
        let bits = three
            .iter()
            .fold(0_u32, |bits, byte| bits << 8 | u32::from(*byte));
        let bits = bits << (8 * (3 - three.len()));
        for place in 0..=three.len() {
            let letter = bits >> (18 - 6 * place) & 63;
            encoded.push(char::from(LETTERS[letter as usize]));
        }
    }
    encoded
}

/// What decides, and nothing of what nobody reads: there, numbers may be too large and texts half a character.
#[derive(Deserialize)]
struct Decides {
    sub: String,
    jti: String,
    sid: String,
}

/// What another implementation reads, and only then.
fn elsewhere<T: DeserializeOwned>(token: &str) -> Option<T> {
    let mut rules = Validation::new(Algorithm::HS256);
    rules.validate_aud = false;
    rules.leeway = 60;
    let key = DecodingKey::from_secret(SECRET);
    let read = jsonwebtoken::decode::<T>(token, &key, &rules).ok()?;
    Some(read.claims)
}

fuzz_target!(|data: &[u8]| {
    let world = &*WORLD;
    let raw = String::from_utf8_lossy(data);
    let mut tokens = vec![raw.replace("GOOD", &world.good)];
    tokens.extend(signed(data, &world.names));
    for token in tokens {
        let Ok(session) = world.runtime.block_on(world.auth.parse(&token)) else {
            continue;
        };
        let read: Decides = elsewhere(&token).expect("accepted here, and refused by jsonwebtoken");
        assert_eq!(read.sub, session.subject().as_str(), "another subject");
        assert_eq!(
            Some(read.sid),
            session.id().map(|id| id.to_string()),
            "another session"
        );
        assert_eq!(
            Some(read.jti.as_str()),
            session.token_id().map(|id| id.as_str()),
            "another token"
        );
    }
});
