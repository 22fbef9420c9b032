//! The layer from outside, with real tokens on the memory store.

mod world;

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::mem;
use std::sync::{Arc, LazyLock, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::Bytes;
use http::header::{AUTHORIZATION, CACHE_CONTROL, COOKIE, HeaderName, HeaderValue};
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use proptest::prelude::*;
use tokio::runtime::Runtime;
use tower::{Layer, Service, ServiceExt, service_fn};
use tower_jwt_session::guard::{RequireConfirmed, RequireFresh, RequireRole, RequireScope};
use tower_jwt_session::middleware::{Anonymous, CountAs, Enforcement};
use tower_jwt_session::rejection::EmptyResponses;
use tower_jwt_session::revocation::{Confirm, EndReason, OnStoreFailure};
use tower_jwt_session::token::TokenSource;
use tower_jwt_session::{JwtSessionLayer, Rejection, Session};
use world::{World, whoami};

type Body = Full<Bytes>;

async fn handle(request: Request<Body>) -> Result<Response<Body>, Infallible> {
    let session = request.extensions().get::<Session>();
    Ok(Response::new(Body::from(whoami(session))))
}

fn bare() -> Request<Body> {
    Request::new(Body::default())
}

fn bearer(token: &str) -> Request<Body> {
    let mut request = bare();
    let value = HeaderValue::try_from(format!("Bearer {token}")).expect("a token is ASCII");
    request.headers_mut().insert(AUTHORIZATION, value);
    request
}

async fn send<L>(layer: &L, request: Request<Body>) -> Response<Body>
where
    L: Layer<Handler>,
    L::Service: Service<Request<Body>, Response = Response<Body>, Error = Infallible>,
{
    let Ok(response) = layer.layer(Handler).oneshot(request).await;
    response
}

async fn answer<L>(layer: &L, request: Request<Body>) -> (u16, String)
where
    L: Layer<Handler>,
    L::Service: Service<Request<Body>, Response = Response<Body>, Error = Infallible>,
{
    let response = send(layer, request).await;
    let status = response.status().as_u16();
    let Ok(body) = response.into_body().collect().await;
    let text = String::from_utf8_lossy(&body.to_bytes()).into_owned();
    (status, text)
}

/// Answers who sent the request.
#[derive(Clone, Copy)]
struct Handler;

impl Service<Request<Body>> for Handler {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Ready<Result<Response<Body>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let session = request.extensions().get::<Session>();
        ready(Ok(Response::new(Body::from(whoami(session)))))
    }
}

const ADA: (u16, &str) = (200, "ada as user");
const NOBODY: (u16, &str) = (200, "nobody");

#[tokio::test]
async fn a_good_token_brings_its_session_on_first_and_later_sight() {
    let world = World::new().await;
    let token = world.sign_in().await;
    let layer = world.auth.layer();
    for _ in 0..3 {
        let (status, text) = answer(&layer, bearer(&token)).await;
        assert_eq!((status, text.as_str()), ADA);
    }
    assert_eq!(world.heard.refusals(), []);
}

#[tokio::test]
async fn what_passes_depends_on_the_token_then_on_the_knobs() {
    use Anonymous::{Allow, Reject};
    use Enforcement::{Enforce, ReportOnly};

    let world = World::new().await;
    let good = world.sign_in().await;
    let none = Option::<&str>::None;
    let cases = [
        (none, Reject, Enforce, 401, "missing_token"),
        (none, Reject, ReportOnly, 200, "missing_token"),
        (none, Allow, Enforce, 200, ""),
        (none, Allow, ReportOnly, 200, ""),
        (Some("bad"), Reject, Enforce, 401, "malformed_token"),
        (Some("bad"), Reject, ReportOnly, 200, "malformed_token"),
        (Some("bad"), Allow, Enforce, 401, "malformed_token"),
        (Some("bad"), Allow, ReportOnly, 200, "malformed_token"),
    ];
    for (token, anonymous, enforcement, status, code) in cases {
        let layer = world.auth.layer();
        let layer = layer
            .with_anonymous(anonymous)
            .with_enforcement(enforcement);
        let request = token.map_or_else(bare, bearer);
        let case = format!("{token:?} {anonymous:?} {enforcement:?}");
        let (found, text) = answer(&layer, request).await;
        assert_eq!(found, status, "{case}");
        assert!(found != 200 || text == NOBODY.1, "{case}: {text}");
        let reported: Vec<_> = world.heard.refusals();
        let codes: Vec<_> = reported.iter().map(|(code, ..)| *code).collect();
        let expected: &[&str] = if code.is_empty() { &[] } else { &[code] };
        assert_eq!(codes, expected, "{case}");
        let report_only = enforcement == ReportOnly;
        assert!(reported.iter().all(|(.., only)| *only == report_only));

        let (found, text) = answer(&layer, bearer(&good)).await;
        assert_eq!((found, text.as_str()), ADA, "{case}");
    }
}

#[tokio::test]
async fn an_ended_session_is_refused_on_the_next_request() {
    let world = World::new().await;
    let token = world.sign_in().await;
    let layer = world.auth.layer();
    assert_eq!(answer(&layer, bearer(&token)).await.0, 200);
    end_everything(&world).await;

    let response = send(&layer, bearer(&token)).await;
    assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
    let reason = Some(EndReason::AdminRevoked);
    assert_eq!(
        response.extensions().get(),
        Some(&Rejection::TokenRevoked { reason })
    );
    let expected = [("token_revoked", "admin_revoked", false)];
    assert_eq!(world.heard.refusals(), expected);
}

async fn end_everything(world: &World) {
    let sessions = world.auth.sessions();
    let (page, _) = sessions
        .page(None, None, 100)
        .await
        .expect("memory is there");
    for info in page {
        let ended = sessions.end(info.id, EndReason::AdminRevoked).await;
        ended.expect("it was alive");
    }
}

#[tokio::test]
async fn report_only_lets_an_ended_session_through_without_its_session() {
    let world = World::new().await;
    let token = world.sign_in().await;
    end_everything(&world).await;
    for confirm in [Confirm::Never, Confirm::FirstSight, Confirm::Always] {
        let layer = world.auth.layer().with_confirm(confirm);
        let layer = layer.with_enforcement(Enforcement::ReportOnly);
        let (status, text) = answer(&layer, bearer(&token)).await;
        assert_eq!((status, text.as_str()), NOBODY);
        let expected = [("token_revoked", "admin_revoked", true)];
        assert_eq!(world.heard.refusals(), expected, "{confirm:?}");
    }
}

#[tokio::test]
async fn a_route_that_always_asks_hears_of_other_nodes_at_once() {
    let world = World::new().await;
    let token = world.sign_in().await;
    let layer = world.auth.layer().with_confirm(Confirm::Always);
    assert_eq!(answer(&layer, bearer(&token)).await.0, 200);
    end_everything(&world.neighbour().await).await;
    assert_eq!(answer(&layer, bearer(&token)).await.0, 401);
}

#[tokio::test]
async fn a_token_past_its_end_is_refused_although_it_was_seen_before() {
    let world = World::new().await;
    let token = world.sign_in().await;
    let layer = world.auth.layer().with_confirm(Confirm::Never);
    assert_eq!(answer(&layer, bearer(&token)).await.0, 200);
    world.clock.advance(Duration::from_secs(3 * 60 * 60));
    let response = send(&layer, bearer(&token)).await;
    assert_eq!(response.status(), 401);
    assert_eq!(response.extensions().get(), Some(&Rejection::TokenExpired));
}

#[tokio::test]
async fn a_second_authorization_header_is_refused_even_when_both_are_good() {
    let world = World::new().await;
    let token = world.sign_in().await;
    let mut request = bearer(&token);
    let again = request.headers()[AUTHORIZATION].clone();
    request.headers_mut().append(AUTHORIZATION, again);
    let layer = world.auth.layer().with_anonymous(Anonymous::Allow);
    let response = send(&layer, request).await;
    assert_eq!(response.status(), 401);
    assert_eq!(
        response.extensions().get(),
        Some(&Rejection::MalformedToken)
    );
}

#[tokio::test]
async fn a_token_that_was_seen_brings_nothing_in_that_merely_holds_it() {
    let world = World::new().await;
    let token = world.sign_in().await;
    let layer = world.auth.layer().with_anonymous(Anonymous::Allow);
    assert_eq!(answer(&layer, bearer(&token)).await.0, 200);
    let cookies = world.auth.layer().with_source(TokenSource::cookie("at"));
    for around in [
        "@ x",
        "@ ",
        " @",
        "@,@",
        "@, Bearer @",
        "\"@\"",
        "@=",
        "@==",
        "@.",
        ".@",
        "@\u{e9}",
        "@\t",
    ] {
        let text = around.replace('@', &token);
        let refused = send(&layer, with_bytes(AUTHORIZATION, &format!("Bearer {text}"))).await;
        assert_eq!(
            refused.extensions().get(),
            Some(&Rejection::MalformedToken),
            "{around:?}"
        );
        if around.trim_ascii() != "@" {
            let refused = send(&cookies, with_bytes(COOKIE, &format!("at={text}"))).await;
            assert_eq!(refused.status(), 401, "{around:?}");
        }
    }
    assert_eq!(answer(&layer, bearer(&token)).await.0, 200);
}

fn with_bytes(name: HeaderName, value: &str) -> Request<Body> {
    let mut request = bare();
    let value = HeaderValue::from_bytes(value.as_bytes()).expect("no control character");
    request.headers_mut().insert(name, value);
    request
}

#[tokio::test]
async fn a_session_that_somebody_else_put_in_is_taken_out() {
    let world = World::new().await;
    let session = session_of(&world).await;
    for anonymous in [Anonymous::Allow, Anonymous::Reject] {
        let layer = world.auth.layer().with_anonymous(anonymous);
        let mut forged = bare();
        forged.extensions_mut().insert(session.clone());
        let (status, text) = answer(&layer, forged).await;
        assert!(status == 401 || text == "nobody", "{status} {text}");
    }
    let reporting = world.auth.layer();
    let reporting = reporting.with_enforcement(Enforcement::ReportOnly);
    let mut forged = bearer("bad");
    forged.extensions_mut().insert(session);
    assert_eq!(answer(&reporting, forged).await.1, "nobody");
}

/// The session that a handler saw.
async fn session_of(world: &World) -> Session {
    let seen = Arc::new(Mutex::new(None));
    let keep = seen.clone();
    let handler = service_fn(move |request: Request<Body>| {
        *keep.lock().expect("nobody panicked") = request.extensions().get::<Session>().cloned();
        handle(request)
    });
    let token = world.sign_in().await;
    let Ok(response) = world
        .auth
        .layer()
        .layer(handler)
        .oneshot(bearer(&token))
        .await;
    assert_eq!(response.status(), 200);
    let session = seen.lock().expect("nobody panicked").take();
    session.expect("a good token brings its session")
}

#[tokio::test]
async fn of_several_layers_the_innermost_decides() {
    let world = World::new().await;
    let token = world.sign_in().await;
    let outer = world.auth.layer().with_anonymous(Anonymous::Allow);
    let inner = world.auth.layer().with_confirm(Confirm::Always);
    let both = (outer.clone(), inner);
    assert_eq!(answer(&both, bearer(&token)).await.0, 200);
    assert_eq!(answer(&both, bare()).await.0, 401);

    let other_place = world.auth.layer().with_anonymous(Anonymous::Allow);
    let other_place = other_place.with_source(TokenSource::cookie("at"));
    let (status, text) = answer(&(outer, other_place), bearer(&token)).await;
    assert_eq!((status, text.as_str()), NOBODY);
}

#[tokio::test]
async fn the_token_is_read_where_the_layer_looks() {
    let world = World::new().await;
    let token = world.sign_in().await;
    let layer = world.auth.layer().with_source(TokenSource::cookie("at"));
    let mut request = bare();
    let cookie = HeaderValue::try_from(format!("at={token}")).expect("a token is ASCII");
    request.headers_mut().insert(COOKIE, cookie);
    assert_eq!(answer(&layer, request).await.0, 200);
    assert_eq!(answer(&layer, bearer(&token)).await.0, 401);
}

/// What a shared cache is told of the response.
async fn told_to_caches(layer: &JwtSessionLayer, request: Request<Body>) -> Option<HeaderValue> {
    let response = send(layer, request).await;
    response.headers().get(CACHE_CONTROL).cloned()
}

#[tokio::test]
async fn no_shared_cache_may_keep_what_a_cookie_was_answered_with() {
    let world = World::new().await;
    let token = world.sign_in().await;
    let places = [TokenSource::bearer(), TokenSource::cookie("at")];
    let layer = world
        .auth
        .layer()
        .with_source(TokenSource::first_of(places));
    let layer = layer.with_anonymous(Anonymous::Allow);
    let cookie = |text: String| {
        let mut request = bare();
        let value = HeaderValue::try_from(text).expect("a token is ASCII");
        request.headers_mut().insert(COOKIE, value);
        request
    };
    let good = cookie(format!("at={token}"));
    assert_eq!(told_to_caches(&layer, good).await.unwrap(), "private");
    // Whose cookie is good for nothing sees the page of nobody, and the next one may be somebody.
    let bad = cookie("at=x".to_owned());
    assert_eq!(told_to_caches(&layer, bad).await.unwrap(), "private");
    assert_eq!(told_to_caches(&layer, bearer(&token)).await, None);
    assert_eq!(told_to_caches(&layer, bare()).await, None);
    let anothers = cookie("theme=dark".to_owned());
    assert_eq!(told_to_caches(&layer, anothers).await, None);
}

#[tokio::test]
async fn what_a_service_says_to_caches_itself_stands() {
    let world = World::new().await;
    let token = world.sign_in().await;
    let layer = world.auth.layer().with_source(TokenSource::cookie("at"));
    let service = layer.layer(service_fn(async |_: Request<Body>| {
        let mut response = Response::new(Body::default());
        let public = HeaderValue::from_static("public, max-age=60");
        response.headers_mut().insert(CACHE_CONTROL, public);
        Ok::<_, Infallible>(response)
    }));
    let mut request = bare();
    let cookie = HeaderValue::try_from(format!("at={token}")).expect("a token is ASCII");
    request.headers_mut().insert(COOKIE, cookie);
    let Ok(response) = service.oneshot(request).await;
    assert_eq!(response.headers()[CACHE_CONTROL], "public, max-age=60");
}

#[tokio::test]
async fn guards_decide_about_the_session_that_the_layer_left() {
    let world = World::new().await;
    let token = world.sign_in().await;
    let layer = || world.auth.layer().with_anonymous(Anonymous::Allow);
    let user = (layer(), RequireRole::new("user"));
    let admin = (layer(), RequireRole::new("admin"));
    let read = (layer(), RequireScope::new("read"));
    assert_eq!(answer(&user, bearer(&token)).await.0, 200);
    assert_eq!(answer(&admin, bearer(&token)).await.0, 403);
    assert_eq!(answer(&read, bearer(&token)).await.0, 200);
    for guarded in [user, admin] {
        assert_eq!(answer(&guarded, bare()).await.0, 401);
    }
}

#[tokio::test]
async fn freshness_wears_off_while_the_token_lives() {
    let world = World::new().await;
    let token = world.sign_in().await;
    let fresh = RequireFresh::within(Duration::from_secs(300));
    let guarded = (world.auth.layer().with_confirm(Confirm::Never), fresh);
    world.clock.advance(Duration::from_secs(298));
    assert_eq!(answer(&guarded, bearer(&token)).await.0, 200);
    world.clock.advance(Duration::from_secs(3));
    let response = send(&guarded, bearer(&token)).await;
    assert_eq!(response.status(), 401);
    let code = response.extensions().get().map(Rejection::code);
    assert_eq!(code, Some("insufficient_user_authentication"));
}

#[tokio::test]
async fn a_confirmed_route_hears_of_other_nodes_at_once() {
    let world = World::new().await;
    let token = world.sign_in().await;
    let layer = world.auth.layer().with_confirm(Confirm::Never);
    let confirmed = (layer, RequireConfirmed::always());
    assert_eq!(answer(&confirmed, bearer(&token)).await.0, 200);
    end_everything(&world.neighbour().await).await;
    assert_eq!(answer(&confirmed, bearer(&token)).await.0, 401);
}

#[tokio::test]
async fn a_session_hears_of_its_own_end() {
    let world = World::new().await;
    let session = session_of(&world).await;
    assert_eq!(session.confirm().await, Ok(()));
    let ended = tokio::spawn(session.ended());
    end_everything(&world).await;
    assert_eq!(ended.await.expect("it waited"), EndReason::AdminRevoked);
    assert!(session.confirm().await.is_err());
}

#[tokio::test]
async fn every_knob_can_be_turned_at_once_and_the_default_layer_stays_as_it_was() {
    let world = World::new().await;
    let strict = world.auth.layer();
    let open: JwtSessionLayer<EmptyResponses> = strict
        .clone()
        .with_anonymous(Anonymous::Allow)
        .with_enforcement(Enforcement::Enforce)
        .with_confirm(Confirm::Never)
        .with_on_store_failure(OnStoreFailure::AcceptVerifiedUntilExpiry)
        .with_activity(CountAs::Background)
        .with_source(TokenSource::bearer())
        .with_responses(EmptyResponses);
    assert_eq!(answer(&open, bare()).await.0, 200);
    let (status, text) = answer(&open, bearer("bad")).await;
    assert_eq!((status, text.as_str()), (401, ""));
    assert_eq!(answer(&strict, bare()).await.0, 401);
}

/// Fails the test when it is called without having been polled ready; a clone never was.
struct Strict(bool);

impl Clone for Strict {
    fn clone(&self) -> Self {
        Self(false)
    }
}

/// An error that converts into nothing.
#[derive(Debug, PartialEq)]
struct Broken;

impl Service<Request<Body>> for Strict {
    type Response = Response<Body>;
    type Error = Broken;
    type Future = Ready<Result<Response<Body>, Broken>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Broken>> {
        self.0 = true;
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Request<Body>) -> Self::Future {
        assert!(mem::take(&mut self.0), "called without having been ready");
        ready(Err(Broken))
    }
}

#[tokio::test]
async fn the_instance_that_was_ready_is_called_and_its_error_passes_whoever_is_asked() {
    let world = World::new().await;
    let token = world.sign_in().await;
    for confirm in [Confirm::FirstSight, Confirm::Never, Confirm::Always] {
        let mut service = world
            .auth
            .layer()
            .with_confirm(confirm)
            .layer(Strict(false));
        for _ in 0..2 {
            let ready = service.ready().await.expect("it is always ready");
            let outcome = ready.call(bearer(&token)).await;
            assert_eq!(outcome.map(|_| ()), Err(Broken));
        }
    }
}

#[tokio::test]
async fn a_token_that_was_seen_is_answered_at_the_first_poll() {
    let world = World::new().await;
    let token = world.sign_in().await;
    let layer = world.auth.layer();
    assert_eq!(answer(&layer, bearer(&token)).await.0, 200);
    let mut second = Box::pin(layer.layer(Handler).call(bearer(&token)));
    let mut context = Context::from_waker(Waker::noop());
    assert!(second.as_mut().poll(&mut context).is_ready());
}

static HELD: LazyLock<(Runtime, World, String)> = LazyLock::new(|| {
    let runtime = Runtime::new().expect("threads can be had");
    let (world, token) = runtime.block_on(async {
        let world = World::new().await;
        let token = world.sign_in().await;
        (world, token)
    });
    (runtime, world, token)
});

/// Any value a header can have; often one that looks like a token.
fn value(token: &'static str) -> impl Strategy<Value = HeaderValue> {
    let cut = (0..token.len(), any::<u8>()).prop_map(move |(at, byte)| {
        let mut bytes = format!("Bearer {token}").into_bytes();
        bytes[at] = byte;
        bytes
    });
    let scheme = proptest::collection::vec(any::<u8>(), 0..200);
    let scheme = scheme.prop_map(|rest| [b"Bearer ".as_slice(), &rest].concat());
    let cookie = "(at|__Host-at|a)=[!-~]{0,80}(; at=[ -~]{0,40})?".prop_map(String::into_bytes);
    let bytes = proptest::collection::vec(any::<u8>(), 0..400);
    prop_oneof![bytes, scheme, cookie, cut].prop_filter_map("not a header value", |bytes| {
        HeaderValue::from_bytes(&bytes).ok()
    })
}

fn header(token: &'static str) -> impl Strategy<Value = (HeaderName, HeaderValue)> {
    let other = "[a-z][a-z0-9-]{0,20}"
        .prop_map(|name| HeaderName::try_from(name).expect("the pattern allows names alone"));
    let name = prop_oneof![Just(AUTHORIZATION), Just(COOKIE), other];
    (name, value(token))
}

proptest! {
    #[test]
    fn no_bytes_in_any_header_make_a_call_panic(
        headers in proptest::collection::vec(header(&HELD.2), 0..6),
    ) {
        let (runtime, world, _) = &*HELD;
        let places = [TokenSource::bearer(), TokenSource::cookie("at")];
        let layer = world.auth.layer().with_source(TokenSource::first_of(places));
        let mut request = bare();
        for (name, value) in headers {
            request.headers_mut().append(name, value);
        }
        let (status, _) = runtime.block_on(answer(&layer, request));
        prop_assert!(status == 200 || status == 401, "{status}");
    }
}
