use axum::{Router, routing::get};
use jwt_authorizer::{IntoLayer, JwtAuthorizer, JwtClaims, RegisteredClaims};

async fn me(JwtClaims(claims): JwtClaims<RegisteredClaims>) -> String {
    claims.sub.unwrap_or_default()
}

#[tokio::main]
async fn main() {
    let secret = "a secret that is long enough for a footprint";
    let authorizer: JwtAuthorizer<RegisteredClaims> = JwtAuthorizer::from_secret(secret);
    let authorizer = authorizer.build().await.unwrap().into_layer();
    let app = Router::new().route("/me", get(me)).layer(authorizer);
    let app = app.route("/", get(async || "hello"));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    axum::serve(listener, app).await.unwrap();
}
