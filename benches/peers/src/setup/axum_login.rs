//! axum-login, and a user who is signed in, in the memory of tower-sessions.

use std::convert::Infallible;

use axum_login::{AuthManagerLayer, AuthManagerLayerBuilder, AuthSession, AuthUser, AuthnBackend};
use http::header::SET_COOKIE;
use http::{HeaderValue, Request};
use tower::{Layer, Service, ServiceExt, service_fn};
use tower_jwt_session_peers::Inner;
use tower_sessions::{MemoryStore, SessionManagerLayer};

#[derive(Clone, Debug)]
pub struct User;

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
pub struct Backend;

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

/// The layer, and the cookie of the user.
pub async fn signed_in() -> (AuthManagerLayer<Backend, MemoryStore>, HeaderValue) {
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
    let answer = sign_in.oneshot(Request::new(())).await.expect("it answers");
    let cookie = answer.headers()[SET_COOKIE].to_str().expect("ASCII");
    let cookie = cookie.split(';').next().expect("a name and a value");
    let cookie = HeaderValue::try_from(cookie).expect("ASCII");
    (layer, cookie)
}
