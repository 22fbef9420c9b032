//! axum_session, in memory.

#[path = "../setup/axum_session.rs"]
mod setup;

use axum_session::{Session, SessionNullPool};
use http::Request;
use http::header::COOKIE;
use tower::{Layer, Service, service_fn};
use tower_jwt_session_peers::{Inner, PARSED, Worker};

fn main() {
    let mut worker = Worker::new();
    let (layer, cookies) = worker.runtime.block_on(setup::signed_in());
    let inner = service_fn(|request: Request<()>| async move {
        let session = request
            .extensions()
            .get::<Session<SessionNullPool>>()
            .expect("the layer's");
        let user: Option<String> = session.get("user");
        assert!(user.is_some(), "nobody is signed in");
        Inner.call(request).await
    });
    // It starts work in the background, for which it needs a runtime.
    let service = worker.runtime.block_on(async { layer.layer(inner) });
    worker.case("memory", PARSED, COOKIE, vec![cookies], service);
    worker.serve();
}
