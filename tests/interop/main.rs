//! Our tokens in the libraries of others and theirs in ours, every algorithm; and a stock OAuth client at our endpoints.

mod tools;

use serde_json::{Value, json};
use tokio::net::TcpListener;
use tower_jwt_session::session::SessionStore;
use tower_jwt_session::verify::{Algorithm, Key, KeyState, TokenPolicy};
use tower_jwt_session::{
    Device, IntrospectionClient, JwtSession, JwtSessionBuilder, MemoryStore, Tokens, UserId,
};

/// Long enough for HS512.
const SECRET: &str = "8e6f1a3c5d7b9f0e2a4c6d8e0f1b3a5c7d9e4b2f60c8d1739a5e0b6f4c2d8e17f3a9";
const ISSUER: &str = "https://id.example";
const AUDIENCE: &str = "https://api.example";

const ALGORITHMS: [Algorithm; 12] = [
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

fn builder(key: Key) -> JwtSessionBuilder {
    JwtSession::builder()
        .key(key, KeyState::Sign)
        .refresh_secret(SECRET)
        .token_policy(TokenPolicy::new(ISSUER, AUDIENCE).add_issuer("them"))
}

fn key(algorithm: Algorithm) -> Key {
    if algorithm.is_symmetric() {
        Key::hmac(Some("ours"), algorithm, SECRET.as_bytes()).unwrap()
    } else {
        Key::generate(Some("ours"), algorithm).unwrap()
    }
}

async fn sign_in(auth: &JwtSession) -> Tokens {
    let user = UserId::new("ada").unwrap();
    let ticket = auth.sessions().ticket(&user).await.unwrap();
    let signed_in = auth.sessions().sign_in(ticket, Device::default());
    signed_in.await.unwrap().tokens()
}

/// One of our tokens for each algorithm, and what it takes to verify it.
async fn ours() -> Vec<Value> {
    let mut ours = Vec::new();
    for algorithm in ALGORITHMS {
        let auth = builder(key(algorithm)).build().unwrap();
        let token = sign_in(&auth).await.access_token;
        ours.push(json!({
            "alg": algorithm.as_str(), "token": token, "secret": SECRET, "jwks": auth.keys().jwks(),
            "issuer": ISSUER, "audience": AUDIENCE,
        }));
    }
    ours
}

fn claims() -> Value {
    let now = std::time::SystemTime::UNIX_EPOCH
        .elapsed()
        .unwrap()
        .as_secs();
    json!({
        "iss": "them", "aud": AUDIENCE, "sub": "ada", "jti": "theirs-1", "client_id": "them",
        "iat": now, "exp": now + 600, "roles": ["reader"],
    })
}

async fn asked() -> Value {
    let make = ALGORITHMS.map(Algorithm::as_str);
    json!({ "verify": ours().await, "make": make, "secret": SECRET, "claims": claims() })
}

/// They verified all of ours and would not have verified others; we verify all of theirs.
async fn agrees(told: &Value, libraries: usize) {
    let verified = told["verified"].as_array().unwrap();
    assert_eq!(verified.len(), ALGORITHMS.len() * libraries);
    for one in verified {
        assert_eq!(one["claims"]["sub"], "ada", "{one}");
        assert_eq!(one["claims"]["aud"], AUDIENCE, "{one}");
        assert_eq!(one["refuses"], true, "{one}");
    }
    let made = told["made"].as_array().unwrap();
    assert_eq!(made.len(), ALGORITHMS.len());
    for one in made {
        let algorithm: Algorithm = one["alg"].as_str().unwrap().parse().unwrap();
        let theirs = if algorithm.is_symmetric() {
            Key::hmac(Some("theirs"), algorithm, SECRET.as_bytes()).unwrap()
        } else {
            let set = json!({ "keys": [one["jwk"]] }).to_string();
            Key::from_jwk_set(&set).unwrap().pop().unwrap()
        };
        let auth = builder(Key::generate(Some("ours"), Algorithm::EdDsa).unwrap());
        let auth = auth
            .key(theirs.foreign("them"), KeyState::VerifyOnly)
            .build()
            .unwrap();
        for (library, token) in one["tokens"].as_object().unwrap() {
            let token = token.as_str().unwrap();
            let session = auth.parse(token).await;
            let session = session.unwrap_or_else(|error| panic!("{library} {one}: {error}"));
            assert_eq!(session.subject().as_str(), "ada");
            assert!(session.has_role("reader"));
            let (signed, tag) = token.rsplit_once('.').unwrap();
            let first = if tag.starts_with('B') { "C" } else { "B" };
            let broken = format!("{signed}.{first}{}", &tag[1..]);
            assert!(auth.parse(&broken).await.is_err(), "{library} {one}");
        }
    }
}

#[tokio::test]
async fn pyjwt_and_joserfc_take_our_tokens_and_we_take_theirs() {
    let told = tools::python("tokens.py", &asked().await);
    agrees(&told, 2).await;
}

#[tokio::test]
async fn jose_takes_our_tokens_and_we_take_its() {
    let told = tools::node("tokens.mjs", &asked().await);
    agrees(&told, 1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stock_client_finds_the_keys_introspects_and_revokes() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let (id, secret) = ("gateway", "6f1d0c9ab27e4853f0e19d7c5a3b8264");
    let store = MemoryStore::new();
    let auth = JwtSession::builder()
        .key(key(Algorithm::Es256), KeyState::Sign)
        .refresh_secret(SECRET)
        .token_policy(TokenPolicy::new(&*base, format!("{base}/api")))
        .introspection_client(IntrospectionClient::new(id, secret).unwrap())
        .store(store.clone())
        .build()
        .unwrap();
    let tokens = sign_in(&auth).await;
    let app: axum::Router = auth.routes();
    let serving = tokio::spawn(async move { axum::serve(listener, app).await });
    let asked = json!({
        "base": base, "client_id": id, "client_secret": secret,
        "access": tokens.access_token, "refresh": tokens.refresh_token,
    });
    let told = tokio::task::spawn_blocking(move || tools::python("client.py", &asked));
    let told = told.await.unwrap();
    serving.abort();
    assert_eq!(told["metadata"]["resource"], format!("{base}/api"));
    assert_eq!(told["metadata"]["authorization_servers"], json!([base]));
    assert_eq!(told["claims"]["sub"], "ada");
    assert_eq!(told["active"], json!([true, true, true, true, true, true]));
    assert_eq!(told["refresh"]["token_type"], "refresh_token");
    assert_eq!(told["revoked"], 200);
    assert_eq!(told["after"], json!({ "active": false }));
    let record = store.find(tokens.session_id).await.unwrap().unwrap();
    assert!(record.ended.is_some());
}
