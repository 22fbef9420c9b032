//! What the integration tests share: a layer around a service that says who came in.
#![allow(dead_code)]

pub mod broken;
pub mod nginx;
pub mod races;

use std::convert::Infallible;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{Request, Response, StatusCode, header};
use http_body_util::Full;
use tower::{Layer, ServiceExt, service_fn};
use tower_jwt_session::revocation::RevocationSettings;
use tower_jwt_session::testing::ManualClock;
use tower_jwt_session::{
    CustomClaims, Device, JwtSession, JwtSessionBuilder, Rejection, Running, Session, SessionError,
    Tokens, UserId,
};

pub type Body = Full<Bytes>;

pub const SECRET: &[u8] = b"8e6f1a3c5d7b9f0e2a4c6d8e0f1b3a5c7d9e";

pub fn user(name: &str) -> UserId {
    UserId::new(name).expect("a good name")
}

/// A builder with a secret, a clock that stands still, and a store that is waited for however busy
/// the machine is.
pub fn builder() -> (JwtSessionBuilder, ManualClock) {
    let clock = ManualClock::new();
    let builder = JwtSession::builder()
        .hmac_secret(SECRET)
        .revocation(patient())
        .clock(Arc::new(clock.clone()));
    (builder, clock)
}

/// Settings for tests in which it does not matter how long a step takes.
pub fn patient() -> RevocationSettings {
    RevocationSettings::default().with_store_timeout(Duration::from_secs(20))
}

/// More than anything here takes: only whether it comes at all is the matter.
const ENOUGH: Duration = Duration::from_secs(120);

/// Starts a node on a store that a busy machine may let nobody reach for a while.
pub async fn started<C: CustomClaims>(auth: &JwtSession<C>) -> Running {
    let start = async || auth.start().await.map_err(SessionError::Store);
    patiently(start).await
}

/// Repeats a step that the store is away for; nothing else may go wrong.
pub async fn patiently<T>(mut step: impl AsyncFnMut() -> Result<T, SessionError>) -> T {
    let began = Instant::now();
    loop {
        match step().await {
            Ok(done) => return done,
            Err(error) => {
                let is_away =
                    matches!(&error, SessionError::Store(error) if error.is_unavailable());
                assert!(is_away && began.elapsed() < ENOUGH, "{error:?}");
            }
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

pub async fn sign_in<C: CustomClaims>(
    auth: &JwtSession<C>,
    user: &UserId,
) -> Result<Tokens, SessionError> {
    let ticket = auth.sessions().ticket(user).await?;
    let signed_in = auth.sessions().sign_in(ticket, Device::default()).await?;
    Ok(signed_in.tokens())
}

pub fn request(token: &str) -> Request<()> {
    Request::builder()
        .header(header::AUTHORIZATION, format!("Bearer {token}"))
        .body(())
        .expect("a good request")
}

/// Sends a request through the layer: the session that came in, or why none did.
pub async fn admit<C: CustomClaims>(
    auth: &JwtSession<C>,
    token: &str,
) -> Result<Session, Rejection> {
    send(auth, request(token)).await
}

pub async fn send<C: CustomClaims>(
    auth: &JwtSession<C>,
    request: Request<()>,
) -> Result<Session, Rejection> {
    let service = auth
        .layer()
        .layer(service_fn(|request: Request<()>| async move {
            let mut response = Response::new(Body::default());
            if let Some(session) = request.extensions().get::<Session>() {
                response.extensions_mut().insert(session.clone());
            }
            Ok::<_, Infallible>(response)
        }));
    let mut response = service.oneshot(request).await.expect("infallible");
    if let Some(rejection) = response.extensions_mut().remove::<Rejection>() {
        assert_eq!(response.status(), rejection.status());
        return Err(rejection);
    }
    assert_eq!(response.status(), StatusCode::OK);
    let session = response.extensions_mut().remove::<Session>();
    Ok(session.expect("an admitted request carries its session"))
}
