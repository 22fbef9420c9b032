//! axum_session, in memory.

use axum_session::{Session, SessionConfig, SessionLayer, SessionNullPool, SessionStore};
use http::header::{COOKIE, SET_COOKIE};
use http::{HeaderValue, Request};
use tower::{Layer, Service, ServiceExt, service_fn};
use tower_jwt_session_peers::{Answer, Inner, PARSED, Worker};

fn main() {
    let mut worker = Worker::new();
    let layer = worker.runtime.block_on(async {
        let store = SessionStore::<SessionNullPool>::new(None, SessionConfig::default());
        SessionLayer::new(store.await.expect("a sound configuration"))
    });
    let (cookies, service) = worker.runtime.block_on(async {
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
        let inner = service_fn(|request: Request<()>| async move {
            let session = request
                .extensions()
                .get::<Session<SessionNullPool>>()
                .expect("the layer's");
            let user: Option<String> = session.get("user");
            assert!(user.is_some(), "nobody is signed in");
            Inner.call(request).await
        });
        (pairs.join("; "), layer.layer(inner))
    });
    let cookie = HeaderValue::try_from(cookies).expect("ASCII");
    worker.case("memory", PARSED, COOKIE, vec![cookie], service);
    worker.serve();
}
