//! axum_session, and a session that says who it is of, in memory.

use axum_session::{Session, SessionConfig, SessionLayer, SessionNullPool, SessionStore};
use http::header::SET_COOKIE;
use http::{HeaderValue, Request};
use tower::{Layer, Service, ServiceExt, service_fn};
use tower_jwt_session_peers::{Answer, Inner};

/// The layer, and the cookies of the session.
pub async fn signed_in() -> (SessionLayer<SessionNullPool>, HeaderValue) {
    let store = SessionStore::<SessionNullPool>::new(None, SessionConfig::default());
    let layer = SessionLayer::new(store.await.expect("a sound configuration"));
    let sign_in = layer.layer(service_fn(|request: Request<()>| async move {
        let session = request
            .extensions()
            .get::<Session<SessionNullPool>>()
            .expect("the layer's");
        session.set("user", "user-00000001@bench.example");
        Inner.call(request).await
    }));
    let answer: Answer = sign_in.oneshot(Request::new(())).await.expect("it answers");
    let set = answer.headers().get_all(SET_COOKIE).iter();
    let pairs: Vec<_> = set
        .filter_map(|cookie| cookie.to_str().ok()?.split(';').next())
        .collect();
    let cookies = HeaderValue::try_from(pairs.join("; ")).expect("ASCII");
    (layer, cookies)
}
