//! A server of axum behind tower-oauth2-resource-server.

#[path = "../setup/tower_oauth2.rs"]
mod setup;

use axum::Router;
use axum::body::Body;
use axum::routing::get;
use tower_jwt_session_peers::announced;

#[tokio::main(flavor = "current_thread")]
async fn main() {
    tower_jwt_session_peers::refuse_a_debug_build();
    let jwks = std::env::args().nth(1).expect("the public keys");
    let header = std::env::args()
        .nth(2)
        .expect("a header with a token of theirs");
    let server = setup::server(jwks).await;
    let hello = Router::new().route("/", get(async || "hello"));
    let app = hello.layer(server.into_layer::<Body>());
    let listener = announced(&header).await;
    axum::serve(listener, app).await.expect("it serves");
}
