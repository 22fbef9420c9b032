//! A server of axum behind tower-sessions, in memory.

use std::sync::Arc;

use axum::Router;
use axum::routing::get;
use tower_jwt_session_peers::{announced, hello};
use tower_sessions::{MemoryStore, Session, SessionManagerLayer};

#[tokio::main(flavor = "current_thread")]
async fn main() {
    tower_jwt_session_peers::refuse_a_debug_build();
    let store = MemoryStore::default();
    let session = Session::new(None, Arc::new(store.clone()), None);
    session
        .insert("user", "user-00000001@bench.example")
        .await
        .expect("it can be written");
    session.save().await.expect("the store takes it");
    let handler = async |session: Session| {
        let user: Option<String> = session.get("user").await.expect("the store answers");
        hello(user)
    };
    let app = Router::new()
        .route("/", get(handler))
        .layer(SessionManagerLayer::new(store));
    let id = session.id().expect("it was saved");
    let listener = announced(&format!("Cookie: id={id}")).await;
    axum::serve(listener, app).await.expect("it serves");
}
