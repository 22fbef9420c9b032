//! A server of axum behind tower-sessions, in memory.

use std::sync::Arc;

use axum::Router;
use axum::routing::get;
use tokio::net::TcpListener;
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
    let hello = async |session: Session| {
        let user: Option<String> = session.get("user").await.expect("the store answers");
        assert!(user.is_some(), "nobody is signed in");
        "hello"
    };
    let app = Router::new()
        .route("/", get(hello))
        .layer(SessionManagerLayer::new(store));
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    println!("{}", listener.local_addr().expect("it is bound").port());
    println!("Cookie: id={}", session.id().expect("it was saved"));
    axum::serve(listener, app).await.expect("it serves");
}
