//! axum-jwt-auth, which is an extractor.

use std::sync::Arc;

use axum::extract::{FromRef, FromRequestParts};
use axum_jwt_auth::{Claims as Extracted, Decoder, LocalDecoder};
use http::Request;
use http::header::AUTHORIZATION;
use jsonwebtoken_10::jwk::JwkSet;
use jsonwebtoken_10::{Algorithm, DecodingKey, Validation};
use tower::{Service, service_fn};
use tower_jwt_session_peers::{
    ALGORITHMS, AUDIENCE, Claims, Folder, ISSUER, Inner, SECRET, Worker, batch,
};

#[derive(Clone)]
struct State(Decoder<Claims>);

impl FromRef<State> for Decoder<Claims> {
    fn from_ref(state: &State) -> Self {
        state.0.clone()
    }
}

fn main() {
    let folder = Folder::of_run();
    let mut worker = Worker::new();
    let jwks: JwkSet = serde_json::from_str(&folder.jwks()).expect("a JWK set");
    for name in ALGORITHMS {
        let algorithm: Algorithm = name.parse().expect("it is known");
        let key = match name {
            "HS256" => DecodingKey::from_secret(SECRET.as_bytes()),
            _ => DecodingKey::from_jwk(jwks.find(name).expect("its key")).expect("a good key"),
        };
        let mut validation = Validation::new(algorithm);
        validation.set_issuer(&[ISSUER]);
        validation.set_audience(&[AUDIENCE]);
        validation.validate_nbf = true;
        let decoder = LocalDecoder::new(vec![key], validation).expect("a sound configuration");
        let state = State(Arc::new(decoder));
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
