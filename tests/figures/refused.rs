//! Requests, by what their check came to.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use http::{HeaderValue, Method as HttpMethod, Request, header};
use metrics::{
    Counter, Gauge, Histogram, Key, KeyName, Metadata, Recorder as Told, SharedString, Unit,
};
use tower::{Layer, ServiceExt, service_fn};
use tower_jwt_session::middleware::Anonymous;
use tower_jwt_session::revocation::{Confirm, EndReason};
use tower_jwt_session::{Session, SessionCookies};

use crate::recorder::{Recorder, Seen};
use crate::support::broken::{self, BY_THE_VIEW, Fault, Method};
use crate::support::{self, Body, admit, send, sign_in, user};

fn outcome(seen: &Seen, outcome: &str) -> f64 {
    seen.value(&format!(
        "jwt_session_authentications_total{{outcome=\"{outcome}\"}}"
    ))
}

#[tokio::test]
async fn each_request_is_counted_once_under_what_it_came_to() {
    let recorder = Recorder::install();
    let (builder, store, clock) = broken::builder();
    let auth = builder.build().unwrap();
    let running = auth.start().await.unwrap();
    let ada = user("ada");
    let token = sign_in(&auth, &ada).await.unwrap().access_token;
    let mut sent = 0.0;
    for _ in 0..5 {
        admit(&auth, &token).await.unwrap();
        sent += 1.0;
    }
    for garbled in ["a.b", "eyJhbGciOiJub25lIn0.e30.", &format!("{token}x")] {
        admit(&auth, garbled).await.unwrap_err();
        sent += 1.0;
    }
    send(&auth, Request::new(())).await.unwrap_err();
    sent += 1.0;

    let revoked = sign_in(&auth, &ada).await.unwrap();
    let ended = auth
        .sessions()
        .end(revoked.session_id, EndReason::AdminRevoked);
    ended.await.unwrap();
    admit(&auth, &revoked.access_token).await.unwrap_err();
    auth.sessions().roles_changed(&ada).await.unwrap();
    admit(&auth, &token).await.unwrap_err();
    sent += 2.0;

    let fresh = sign_in(&auth, &ada).await.unwrap().access_token;
    store.set(Method::Ask, Fault::Fails);
    admit(&auth, &fresh).await.unwrap_err();
    sent += 1.0;
    clock.advance(Duration::from_secs(3 * 3_600));
    admit(&auth, &token).await.unwrap_err();
    sent += 1.0;

    let seen = recorder.seen(&auth);
    assert_eq!(outcome(&seen, "admitted"), 5.0, "{seen:?}");
    let broken = outcome(&seen, "malformed_token") + outcome(&seen, "invalid_token");
    assert_eq!(broken, 3.0, "{seen:?}");
    for one in [
        "missing_token",
        "token_revoked",
        "token_stale",
        "store_unavailable",
        "token_expired",
    ] {
        assert_eq!(outcome(&seen, one), 1.0, "{one}: {seen:?}");
    }
    assert_eq!(seen.sum("jwt_session_authentications_total"), sent);
    running.shutdown().await;
}

#[tokio::test]
async fn anonymous_requests_and_those_of_other_sites_are_counted_apart() {
    let recorder = Recorder::install();
    let (builder, _clock) = support::builder();
    let builder = builder.cookies(SessionCookies::default());
    let auth = builder.terms(BY_THE_VIEW).build().unwrap();
    let running = auth.start().await.unwrap();
    let token = sign_in(&auth, &user("ada")).await.unwrap().access_token;
    let cookie = format!("__Host-at={token}");
    let post = Request::builder()
        .method(HttpMethod::POST)
        .header(header::COOKIE, cookie)
        .header("sec-fetch-site", "cross-site");
    send(&auth, post.body(()).unwrap()).await.unwrap_err();

    let inner = service_fn(|request: Request<()>| async move {
        assert!(request.extensions().get::<Session>().is_none());
        Ok::<_, std::convert::Infallible>(http::Response::new(Body::default()))
    });
    let layer = auth.layer().with_anonymous(Anonymous::Allow);
    layer.layer(inner).oneshot(Request::new(())).await.unwrap();

    let seen = recorder.seen(&auth);
    assert_eq!(outcome(&seen, "csrf_rejected"), 1.0, "{seen:?}");
    assert_eq!(outcome(&seen, "anonymous"), 1.0, "{seen:?}");
    assert_eq!(seen.sum("jwt_session_authentications_total"), 2.0);
    running.shutdown().await;
}

#[tokio::test]
async fn tokens_that_are_parsed_count_like_requests() {
    let recorder = Recorder::install();
    let (builder, _clock) = support::builder();
    let auth = builder.build().unwrap();
    let token = sign_in(&auth, &user("ada")).await.unwrap().access_token;
    auth.parse(&token).await.unwrap();
    auth.parse("nothing").await.unwrap_err();
    let seen = recorder.seen(&auth);
    assert_eq!(outcome(&seen, "admitted"), 1.0);
    assert_eq!(outcome(&seen, "malformed_token"), 1.0);
}

#[tokio::test]
async fn a_token_is_a_miss_once_and_a_hit_from_then_on() {
    let recorder = Recorder::install();
    let (builder, _clock) = support::builder();
    let auth = builder.terms(BY_THE_VIEW).build().unwrap();
    let running = auth.start().await.unwrap();
    let token = sign_in(&auth, &user("ada")).await.unwrap().access_token;
    for _ in 0..10 {
        admit(&auth, &token).await.unwrap();
    }
    let seen = recorder.seen(&auth);
    let result = |result: &str| {
        seen.value(&format!(
            "jwt_session_token_cache_total{{result=\"{result}\"}}"
        ))
    };
    assert_eq!((result("hit"), result("miss")), (9.0, 1.0));
    running.shutdown().await;
}

#[tokio::test]
async fn what_waited_for_the_store_is_measured_each_time_and_the_rest_by_sample() {
    let recorder = Recorder::install();
    let (builder, _clock) = support::builder();
    let auth = builder.build().unwrap();
    let running = auth.start().await.unwrap();
    let token = sign_in(&auth, &user("ada")).await.unwrap().access_token;
    let always = auth.layer().with_confirm(Confirm::Always);
    let inner = || {
        service_fn(|_: Request<()>| async {
            Ok::<_, std::convert::Infallible>(http::Response::new(Body::default()))
        })
    };
    let bearer = HeaderValue::try_from(format!("Bearer {token}")).unwrap();
    let request = || {
        let mut request = Request::new(());
        request
            .headers_mut()
            .insert(header::AUTHORIZATION, bearer.clone());
        request
    };
    for _ in 0..3 {
        always.layer(inner()).oneshot(request()).await.unwrap();
    }
    let warm = auth.layer();
    for _ in 0..2_048 {
        warm.layer(inner()).oneshot(request()).await.unwrap();
    }
    let seen = recorder.seen(&auth);
    let count = |answered: &str| {
        seen.value(&format!(
            "jwt_session_authentication_duration_seconds_count{{answered=\"{answered}\"}}"
        ))
    };
    assert_eq!(count("store"), 3.0, "{seen:?}");
    assert_eq!(count("node"), 2.0, "{seen:?}");
    running.shutdown().await;
}

/// Counts how often it is told anything.
#[derive(Clone, Default)]
struct Calls(Arc<AtomicUsize>);

impl Calls {
    fn note(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

impl Told for Calls {
    fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {
        self.note();
    }

    fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {
        self.note();
    }

    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {
        self.note();
    }

    fn register_counter(&self, _: &Key, _: &Metadata<'_>) -> Counter {
        self.note();
        Counter::noop()
    }

    fn register_gauge(&self, _: &Key, _: &Metadata<'_>) -> Gauge {
        self.note();
        Gauge::noop()
    }

    fn register_histogram(&self, _: &Key, _: &Metadata<'_>) -> Histogram {
        self.note();
        Histogram::noop()
    }
}

#[tokio::test]
async fn a_warm_request_never_meets_the_recorder() {
    let (builder, _clock) = support::builder();
    let auth = builder.terms(BY_THE_VIEW).build().unwrap();
    drop(auth.start().await.unwrap());
    let token = sign_in(&auth, &user("ada")).await.unwrap().access_token;
    // The first one is in the sample.
    admit(&auth, &token).await.unwrap();
    let calls = Calls::default();
    let _guard = metrics::set_default_local_recorder(&calls);
    for _ in 0..1_000 {
        admit(&auth, &token).await.unwrap();
    }
    assert_eq!(calls.0.load(Ordering::Relaxed), 0);
    for _ in 0..100 {
        admit(&auth, &token).await.unwrap();
    }
    assert_eq!(
        calls.0.load(Ordering::Relaxed),
        1,
        "one in 1,024 is measured"
    );
    auth.publish_metrics();
    assert!(calls.0.load(Ordering::Relaxed) > 20);
}
