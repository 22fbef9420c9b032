//! axum-jwt-auth, which is an extractor.

#[path = "../setup/axum_jwt_auth.rs"]
mod setup;

use axum::extract::FromRequestParts;
use axum_jwt_auth::Claims as Extracted;
use http::Request;
use http::header::AUTHORIZATION;
use jsonwebtoken_10::DecodingKey;
use jsonwebtoken_10::jwk::JwkSet;
use setup::State;
use tower::{Service, service_fn};
use tower_jwt_session_peers::{ALGORITHMS, Claims, Folder, Inner, SECRET, Worker, batch};

fn main() {
    let folder = Folder::of_run();
    let mut worker = Worker::new();
    let jwks: JwkSet = serde_json::from_str(&folder.jwks()).expect("a JWK set");
    for name in ALGORITHMS {
        let key = match name {
            "HS256" => DecodingKey::from_secret(SECRET.as_bytes()),
            _ => DecodingKey::from_jwk(jwks.find(name).expect("its key")).expect("a good key"),
        };
        let state = State::new(name.parse().expect("it is known"), key);
        let service = service_fn(move |request: Request<()>| {
            let state = state.clone();
            async move {
                let (mut parts, body) = request.into_parts();
                let claims = Extracted::<Claims>::from_request_parts(&mut parts, &state).await;
                parts
                    .extensions
                    .insert(claims.expect("a good token").claims);
                Inner.call(Request::from_parts(parts, body)).await
            }
        });
        worker.case(
            name,
            batch(name),
            AUTHORIZATION,
            vec![folder.bearer(name)],
            service,
        );
    }
    worker.serve();
}
