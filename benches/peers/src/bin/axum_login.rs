//! axum-login, over the memory of tower-sessions.

#[path = "../setup/axum_login.rs"]
mod setup;

use axum_login::AuthSession;
use http::Request;
use http::header::COOKIE;
use setup::Backend;
use tower::{Layer, Service, service_fn};
use tower_jwt_session_peers::{Inner, PARSED, Worker};

fn main() {
    let mut worker = Worker::new();
    let (layer, cookie) = worker.runtime.block_on(setup::signed_in());
    let inner = service_fn(|request: Request<()>| async move {
        let auth = request
            .extensions()
            .get::<AuthSession<Backend>>()
            .expect("the layer's");
        assert!(auth.user.is_some(), "nobody is signed in");
        Inner.call(request).await
    });
    worker.case("memory", PARSED, COOKIE, vec![cookie], layer.layer(inner));
    worker.serve();
}
