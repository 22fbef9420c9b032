//! A server of axum 0.7 behind jwt-authorizer.

use axum_07::Router;
use axum_07::routing::get;
use jwt_authorizer::{IntoLayer, JwtAuthorizer, Validation};
use tokio::net::TcpListener;
use tower_jwt_session_peers::{AUDIENCE, Claims, ISSUER, SECRET};

#[tokio::main(flavor = "current_thread")]
async fn main() {
    tower_jwt_session_peers::refuse_a_debug_build();
    let validation = Validation::new().iss(&[ISSUER]).aud(&[AUDIENCE]).nbf(true);
    let authorizer: JwtAuthorizer<Claims> = JwtAuthorizer::from_secret(SECRET);
    let authorizer = authorizer
        .validation(validation)
        .build()
        .await
        .expect("a sound configuration");
    let hello = Router::new().route("/", get(|| async { "hello" }));
    let app = hello.layer(authorizer.into_layer());
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    println!("{}", listener.local_addr().expect("it is bound").port());
    // The tokens are those of ours: the secret is the same.
    println!();
    axum_07::serve(listener, app).await.expect("it serves");
}
