use axum::{Router, routing::get};
use tower_jwt_session::{JwtSession, Session};

async fn me(session: Session) -> String {
    session.subject().to_string()
}

#[tokio::main]
async fn main() {
    let auth = JwtSession::from_env().unwrap();
    let running = auth.start().await.unwrap();
    let app = Router::new().route("/me", get(me)).layer(auth.layer());
    let app = app.merge(auth.routes()).route("/", get(async || "hello"));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    axum::serve(listener, app).await.unwrap();
    running.shutdown().await;
}
