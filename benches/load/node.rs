//! A node with its layer around a service that does nothing.

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{HeaderValue, Request, Response, header};
use http_body_util::Full;
use tower::{Layer, Service};
use tower_jwt_session::middleware::JwtSessionService;
use tower_jwt_session::revocation::Terms;
use tower_jwt_session::verify::{BadTokenShare, Key, KeyState, TokenPolicy};
use tower_jwt_session::{Device, JwtSession, SessionLimit, SessionStore, Tokens, UserId};

use crate::forge::ISSUER;

pub type Layered = JwtSessionService<Inner>;

/// What a node is made with.
pub struct Settings {
    pub share: BadTokenShare,
    pub cache: u64,
    pub terms: Terms,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            share: BadTokenShare::default(),
            cache: 64 * 1024 * 1024,
            terms: Terms::default(),
        }
    }
}

/// A node that follows the log of its store for as long as the process lives.
pub async fn node(key: &Key, store: impl SessionStore, settings: Settings) -> JwtSession {
    let policy = TokenPolicy::new(ISSUER, ISSUER)
        .with_cache_size(settings.cache)
        .with_bad_token_share(settings.share);
    let auth = JwtSession::builder()
        .key(key.clone(), KeyState::Sign)
        .refresh_secret(b"0d4c1b7f9a3e5628d7c0f1e2b3a49586")
        .token_policy(policy)
        .store(store)
        .limit(SessionLimit::UNLIMITED)
        .terms(settings.terms)
        .build()
        .expect("a sound configuration");
    std::mem::forget(auth.start().await.expect("the store answers"));
    auth
}

pub async fn signed_in(auth: &JwtSession, name: &str) -> Tokens {
    let user = UserId::new(name).expect("a good name");
    let ticket = auth.sessions().ticket(&user).await.expect("a ticket");
    let signed_in = auth.sessions().sign_in(ticket, Device::default()).await;
    signed_in.expect("a session").tokens()
}

pub fn layered(auth: &JwtSession) -> Layered {
    auth.layer().layer(Inner)
}

pub fn request(bearer: &HeaderValue) -> Request<()> {
    let mut request = Request::new(());
    let headers = request.headers_mut();
    headers.insert(header::AUTHORIZATION, bearer.clone());
    request
}

pub fn bearer(token: &str) -> HeaderValue {
    HeaderValue::try_from(format!("Bearer {token}")).expect("ASCII")
}

#[derive(Clone)]
pub struct Inner;

impl Service<Request<()>> for Inner {
    type Response = Response<Full<Bytes>>;
    type Error = Infallible;
    type Future = Ready<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<()>) -> Self::Future {
        drop(std::hint::black_box(request));
        ready(Ok(Response::new(Full::default())))
    }
}

/// As the setting is written: `off`, or the default.
pub fn share(text: &str) -> BadTokenShare {
    match text {
        "off" => BadTokenShare::UNLIMITED,
        _ => BadTokenShare::default(),
    }
}
