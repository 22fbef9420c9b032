//! A server of axum: alone, behind this crate, and behind the signature check that its tokens need.

use std::time::Duration;

use axum::body::Body;
use axum::routing::get;
use axum::{Router, serve};
use http::Request;
use http::header::AUTHORIZATION;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode};
use tower::ServiceBuilder;
use tower_jwt_session::verify::{Algorithm as Signed, Key, KeyState, TokenPolicy};
use tower_jwt_session::{Device, JwtSession, Lifetimes, Running, UserId};
use tower_jwt_session_peers::{AUDIENCE, Claims, ISSUER, SECRET, announced};

#[tokio::main(flavor = "current_thread")]
async fn main() {
    tower_jwt_session_peers::refuse_a_debug_build();
    let modes = "bare, layered, ours, raw or keys";
    let mode = std::env::args().nth(1).expect(modes);
    if mode == "keys" {
        return keys().await;
    }
    let key = Key::hmac(Some("HS256"), Signed::Hs256, SECRET.as_bytes()).expect("a key");
    let (auth, running, header) = signed_in(key).await;
    let hello = Router::new().route("/", get(async || "hello"));
    let app = match mode.as_str() {
        "bare" => hello,
        "layered" => {
            hello.layer(ServiceBuilder::new().map_request(|request: Request<Body>| request))
        }
        "ours" => hello.layer(auth.layer()),
        "raw" => hello.layer(ServiceBuilder::new().map_request(by_hand())),
        other => panic!("{other} is none of: {modes}"),
    };
    let listener = announced(&header).await;
    serve(listener, app).await.expect("it serves");
    drop(running);
}

/// A node, and the header of a user who is signed in there.
async fn signed_in(key: Key) -> (JwtSession, Running, String) {
    let auth = JwtSession::builder()
        .key(key, KeyState::Sign)
        .refresh_secret(b"0d4c1b7f9a3e5628d7c0f1e2b3a49586")
        .token_policy(TokenPolicy::new(ISSUER, AUDIENCE))
        .lifetimes(Lifetimes::default().with_access(Duration::from_secs(3_600)))
        .build()
        .expect("a sound configuration");
    let running = auth.start().await.expect("memory is always there");
    let user = UserId::new("user-00000001@bench.example").expect("a good name");
    let ticket = auth.sessions().ticket(&user).await.expect("a ticket");
    let signed_in = auth.sessions().sign_in(ticket, Device::default()).await;
    let tokens = signed_in.expect("a session").tokens();
    let header = format!("Authorization: Bearer {}", tokens.access_token);
    (auth, running, header)
}

/// For a peer that takes no secrets: public keys, and a header with a token of theirs.
async fn keys() {
    let key = Key::generate(Some("RS256"), Signed::Rs256).expect("a key");
    let (auth, _running, header) = signed_in(key).await;
    println!("{}", auth.keys().jwks());
    println!("{header}");
}

fn by_hand() -> impl Fn(Request<Body>) -> Request<Body> + Clone {
    let key = DecodingKey::from_secret(SECRET.as_bytes());
    let mut validation = Validation::new(Algorithm::HS256);
    validation.set_issuer(&[ISSUER]);
    validation.set_audience(&[AUDIENCE]);
    move |mut request| {
        let value = request.headers()[AUTHORIZATION].to_str().expect("ASCII");
        let token = value.strip_prefix("Bearer ").expect("a bearer token");
        let claims = decode::<Claims>(token, &key, &validation)
            .expect("a good token")
            .claims;
        request.extensions_mut().insert(claims);
        request
    }
}
