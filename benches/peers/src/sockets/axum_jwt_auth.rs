//! A server of axum whose handler takes axum-jwt-auth's extractor.

#[path = "../setup/axum_jwt_auth.rs"]
mod setup;

use axum::Router;
use axum::routing::get;
use axum_jwt_auth::Claims as Extracted;
use jsonwebtoken_10::{Algorithm, DecodingKey};
use setup::State;
use tower_jwt_session_peers::{Claims, SECRET, TOKEN_OF_OURS, announced};

#[tokio::main(flavor = "current_thread")]
async fn main() {
    tower_jwt_session_peers::refuse_a_debug_build();
    let key = DecodingKey::from_secret(SECRET.as_bytes());
    let app = Router::new()
        .route("/", get(async |_: Extracted<Claims>| "hello"))
        .with_state(State::new(Algorithm::HS256, key));
    let listener = announced(TOKEN_OF_OURS).await;
    axum::serve(listener, app).await.expect("it serves");
}
