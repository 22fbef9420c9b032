//! What axum-jwt-auth's extractor takes from the state of an application.

use std::sync::Arc;

use axum::extract::FromRef;
use axum_jwt_auth::{Decoder, LocalDecoder};
use jsonwebtoken_10::{Algorithm, DecodingKey, Validation};
use tower_jwt_session_peers::{AUDIENCE, Claims, ISSUER};

#[derive(Clone)]
pub struct State(Decoder<Claims>);

impl State {
    pub fn new(algorithm: Algorithm, key: DecodingKey) -> Self {
        let mut validation = Validation::new(algorithm);
        validation.set_issuer(&[ISSUER]);
        validation.set_audience(&[AUDIENCE]);
        validation.validate_nbf = true;
        let decoder = LocalDecoder::new(vec![key], validation).expect("a sound configuration");
        Self(Arc::new(decoder))
    }
}

impl FromRef<State> for Decoder<Claims> {
    fn from_ref(state: &State) -> Self {
        state.0.clone()
    }
}
