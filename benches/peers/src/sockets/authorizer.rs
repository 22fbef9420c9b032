//! A server of axum 0.7, which is what jwt-authorizer is for: alone, and behind it.

use axum_07::Router;
use axum_07::routing::get;
use jwt_authorizer::{IntoLayer, JwtAuthorizer, Validation};
use tower_jwt_session_peers::{AUDIENCE, Claims, ISSUER, SECRET, TOKEN_OF_OURS, announced};

#[tokio::main(flavor = "current_thread")]
async fn main() {
    tower_jwt_session_peers::refuse_a_debug_build();
    let mode = std::env::args().nth(1).expect("bare or guarded");
    let validation = Validation::new().iss(&[ISSUER]).aud(&[AUDIENCE]).nbf(true);
    let authorizer: JwtAuthorizer<Claims> = JwtAuthorizer::from_secret(SECRET);
    let authorizer = authorizer
        .validation(validation)
        .build()
        .await
        .expect("a sound configuration");
    let hello = Router::new().route("/", get(|| async { "hello" }));
    let app = match mode.as_str() {
        "bare" => hello,
        "guarded" => hello.layer(authorizer.into_layer()),
        other => panic!("{other} is none of: bare guarded"),
    };
    let listener = announced(TOKEN_OF_OURS).await;
    axum_07::serve(listener, app).await.expect("it serves");
}
