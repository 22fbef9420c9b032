use axum::{Router, routing::get};
use tower_sessions::{MemoryStore, Session, SessionManagerLayer};

async fn me(session: Session) -> String {
    let user: Option<String> = session.get("user").await.unwrap();
    user.unwrap_or_default()
}

#[tokio::main]
async fn main() {
    let sessions = SessionManagerLayer::new(MemoryStore::default());
    let app = Router::new().route("/me", get(me)).layer(sessions);
    let app = app.route("/", get(async || "hello"));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    axum::serve(listener, app).await.unwrap();
}
