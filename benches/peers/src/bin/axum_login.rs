//! axum-login, over the memory of tower-sessions.

use std::convert::Infallible;

use axum_login::{AuthManagerLayerBuilder, AuthSession, AuthUser, AuthnBackend};
use http::header::{COOKIE, SET_COOKIE};
use http::{HeaderValue, Request};
use tower::{Layer, Service, ServiceExt, service_fn};
use tower_jwt_session_peers::{Inner, PARSED, Worker};
use tower_sessions::{MemoryStore, SessionManagerLayer};

#[derive(Clone, Debug)]
struct User;

impl AuthUser for User {
    type Id = String;

    fn id(&self) -> String {
        "user-00000001@bench.example".to_owned()
    }

    fn session_auth_hash(&self) -> &[u8] {
        b"0123456789abcdef0123456789abcdef"
    }
}

#[derive(Clone)]
struct Backend;

impl AuthnBackend for Backend {
    type User = User;
    type Credentials = ();
    type Error = Infallible;

    async fn authenticate(&self, (): ()) -> Result<Option<User>, Infallible> {
        Ok(Some(User))
    }

    async fn get_user(&self, _: &String) -> Result<Option<User>, Infallible> {
        Ok(Some(User))
    }
}

fn main() {
    let mut worker = Worker::new();
    let sessions = SessionManagerLayer::new(MemoryStore::default());
    let layer = AuthManagerLayerBuilder::new(Backend, sessions).build();
    let sign_in = layer.layer(service_fn(|request: Request<()>| async move {
        let mut auth = request
            .extensions()
            .get::<AuthSession<Backend>>()
            .expect("the layer's")
            .clone();
        auth.login(&User).await.expect("the store takes it");
        Inner.call(request).await
    }));
    let answer = worker.runtime.block_on(sign_in.oneshot(Request::new(())));
    let answer = answer.expect("it answers");
    let cookie = answer.headers()[SET_COOKIE].to_str().expect("ASCII");
    let cookie = cookie.split(';').next().expect("a name and a value");
    let cookie = HeaderValue::try_from(cookie).expect("ASCII");
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
