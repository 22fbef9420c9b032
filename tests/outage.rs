//! What an outage of the store costs, per route, and how it is over. The store hangs: it takes
//! calls and never answers.

mod support;

use std::convert::Infallible;
use std::time::Duration;

use http::{Request, Response};
use support::broken::{self, Broken, Fault, Method};
use support::{Body, admit, request, sign_in, user};
use tokio::time::Instant;
use tower::{Layer, ServiceExt, service_fn};
use tower_jwt_session::middleware::JwtSessionLayer;
use tower_jwt_session::revocation::{BreakerState, Confirm, EndReason, OnStoreFailure};
use tower_jwt_session::testing::ManualClock;
use tower_jwt_session::{JwtSession, Rejection, SessionError};

const DEADLINE: Duration = Duration::from_millis(250);
const AT_ONCE: Duration = Duration::from_millis(5);

const WRITES: [Method; 4] = [Method::SignIn, Method::Refresh, Method::End, Method::Touch];

fn node() -> (JwtSession, Broken, ManualClock) {
    let (builder, store, clock) = broken::builder();
    (builder.build().unwrap(), store, clock)
}

fn hang(store: &Broken) {
    store.set(Method::Ask, Fault::Held);
    store.set(Method::Poll, Fault::Held);
    for method in WRITES {
        store.set(method, Fault::Held);
    }
}

fn mend(store: &Broken) {
    store.mend(Method::Ask);
    store.mend(Method::Poll);
    for method in WRITES {
        store.mend(method);
    }
}

async fn through(layer: &JwtSessionLayer, token: &str) -> Result<(), Rejection> {
    let inner =
        service_fn(|_: Request<()>| async { Ok::<_, Infallible>(Response::new(Body::default())) });
    let answer = layer.layer(inner).oneshot(request(token)).await;
    let mut response = answer.unwrap();
    match response.extensions_mut().remove::<Rejection>() {
        Some(rejection) => Err(rejection),
        None => Ok(()),
    }
}

/// How long it takes until something has an outcome.
async fn time<T>(what: impl Future<Output = T>) -> (Duration, T) {
    let begun = Instant::now();
    let outcome = what.await;
    (begun.elapsed(), outcome)
}

#[tokio::test(start_paused = true)]
async fn requests_pay_the_deadline_a_few_times_and_then_next_to_nothing() {
    let (auth, store, _clock) = node();
    let tokens = sign_in(&auth, &user("ada")).await.unwrap();
    let always = auth.layer().with_confirm(Confirm::Always);
    hang(&store);
    let mut took = Vec::new();
    for _ in 0..50 {
        let (time, refused) = time(through(&always, &tokens.access_token)).await;
        assert!(matches!(refused, Err(Rejection::StoreUnavailable { .. })));
        took.push(time);
    }
    let dear = took.iter().filter(|time| **time > AT_ONCE).count();
    assert_eq!(dear, 3, "{took:?}");
    assert!(took.iter().all(|time| *time <= DEADLINE + AT_ONCE));
    assert_eq!(auth.status().store.confirm, BreakerState::Open);
}

#[tokio::test(start_paused = true)]
async fn each_route_goes_on_or_not_as_its_layer_was_told() {
    let (auth, store, clock) = node();
    let running = auth.start().await.unwrap();
    let (seen, unseen) = (
        sign_in(&auth, &user("ada")).await.unwrap(),
        sign_in(&auth, &user("bob")).await.unwrap(),
    );
    admit(&auth, &seen.access_token).await.unwrap();
    let closed = auth.layer();
    let lenient = auth
        .layer()
        .with_on_store_failure(OnStoreFailure::AcceptVerifiedUntilExpiry);
    assert!(running.status().lenient);
    hang(&store);
    tokio::time::sleep(DEADLINE).await;
    // The view is fresh for the bound, and answers without the store.
    through(&closed, &seen.access_token).await.unwrap();
    clock.advance(Duration::from_secs(31));
    assert!(!auth.view().fresh);
    let refused = through(&closed, &seen.access_token).await;
    let Err(rejection @ Rejection::StoreUnavailable { .. }) = refused else {
        panic!("it was not refused for the store: {refused:?}");
    };
    assert_eq!(rejection.status(), 503);
    through(&lenient, &seen.access_token).await.unwrap();
    let refused = through(&lenient, &unseen.access_token).await;
    assert!(matches!(refused, Err(Rejection::StoreUnavailable { .. })));

    let ended = auth.sessions();
    let ended = ended.end(seen.session_id, EndReason::SignedOut).await;
    assert!(matches!(ended, Err(SessionError::Store(_))));
    let refused = through(&lenient, &seen.access_token).await;
    assert!(matches!(refused, Err(Rejection::TokenRevoked { .. })));
    clock.advance(Duration::from_secs(3 * 3600));
    through(&lenient, &unseen.access_token).await.unwrap_err();
}

#[tokio::test(start_paused = true)]
async fn everything_is_well_within_a_second_of_the_stores_return() {
    let (auth, store, clock) = node();
    let _running = auth.start().await.unwrap();
    let seen = sign_in(&auth, &user("ada")).await.unwrap();
    let always = auth.layer().with_confirm(Confirm::Always);
    through(&always, &seen.access_token).await.unwrap();
    hang(&store);
    for _ in 0..200 {
        tokio::time::sleep(Duration::from_millis(150)).await;
        clock.advance(Duration::from_millis(150));
        let (time, refused) = time(through(&always, &seen.access_token)).await;
        assert!(refused.is_err() && time <= DEADLINE + AT_ONCE, "{time:?}");
        let (time, failed) = time_of_sign_in(&auth).await;
        assert!(failed && time <= 2 * DEADLINE + AT_ONCE, "{time:?}");
    }
    clock.advance(Duration::from_secs(30));
    assert!(!auth.view().fresh);
    mend(&store);
    tokio::time::sleep(Duration::from_secs(1)).await;
    clock.advance(Duration::from_secs(1));
    through(&always, &seen.access_token).await.unwrap();
    sign_in(&auth, &user("ada")).await.unwrap();
    assert!(auth.view().fresh);
    assert!(auth.status().store.is_well());
}

async fn time_of_sign_in(auth: &JwtSession) -> (Duration, bool) {
    let (time, signed_in) = time(sign_in(auth, &user("bob"))).await;
    (time, signed_in.is_err())
}

#[tokio::test(start_paused = true)]
async fn a_client_that_hammers_its_sign_out_is_answered_at_once_and_costs_nothing_more() {
    let (auth, store, _clock) = node();
    let tokens = sign_in(&auth, &user("ada")).await.unwrap();
    admit(&auth, &tokens.access_token).await.unwrap();
    hang(&store);
    let end = || auth.sessions().end(tokens.session_id, EndReason::SignedOut);
    // Until the breaker is open.
    for _ in 0..3 {
        end().await.unwrap_err();
    }
    let (time, ()) = time(async {
        for _ in 0..1_000 {
            let error = end().await.unwrap_err();
            assert!(matches!(error, SessionError::Store(_)));
        }
    })
    .await;
    assert!(time <= 2 * DEADLINE + AT_ONCE, "{time:?}");
    assert_eq!(auth.view().unsettled, 1);
    admit(&auth, &tokens.access_token).await.unwrap_err();
    mend(&store);
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(auth.view().unsettled, 0);
    assert_eq!(auth.sessions().count(&user("ada")).await.unwrap(), 0);
}
