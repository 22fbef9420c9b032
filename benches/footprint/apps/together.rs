use axum::{Router, routing::get};
use jwt_authorizer::{IntoLayer, JwtAuthorizer, JwtClaims, RegisteredClaims};
use tower_sessions::{MemoryStore, Session, SessionManagerLayer};

async fn me(session: Session, JwtClaims(claims): JwtClaims<RegisteredClaims>) -> String {
    let user: Option<String> = session.get("user").await.unwrap();
    user.or(claims.sub).unwrap_or_default()
}

#[tokio::main]
async fn main() {
    let secret = "a secret that is long enough for a footprint";
    let authorizer: JwtAuthorizer<RegisteredClaims> = JwtAuthorizer::from_secret(secret);
    let authorizer = authorizer.build().await.unwrap().into_layer();
    let sessions = SessionManagerLayer::new(MemoryStore::default());
    let app = Router::new().route("/me", get(me));
    let app = app.layer(sessions).layer(authorizer);
    let app = app.route("/", get(async || "hello"));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    axum::serve(listener, app).await.unwrap();
}
