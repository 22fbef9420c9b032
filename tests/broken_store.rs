//! What a store that fails, hangs or answers late may do to requests and verbs, and by which terms.

mod support;

use std::time::Duration;

use support::broken::{self, Broken, Fault, Method};
use support::{admit, sign_in, user};
use tower_jwt_session::revocation::{
    Confirm, EndReason, OnStoreFailure, RevocationSettings, Terms,
};
use tower_jwt_session::testing::ManualClock;
use tower_jwt_session::{
    Introspection, JwtSession, Rejection, SessionError, StoreErrorKind, Tokens,
};

fn with_terms(confirm: Confirm, on_store_failure: OnStoreFailure) -> (JwtSession, Broken) {
    let (builder, store, _clock) = broken::builder();
    let terms = Terms::new(confirm).with_on_store_failure(on_store_failure);
    (builder.terms(terms).build().unwrap(), store)
}

async fn end(auth: &JwtSession, tokens: &Tokens) {
    let id = tokens.session_id;
    let ended = auth.sessions().end(id, EndReason::SignedOut).await;
    ended.unwrap();
}

async fn is_active(auth: &JwtSession, tokens: &Tokens) -> bool {
    let worth = auth.introspect(&tokens.access_token).await;
    matches!(worth, Introspection::Active(_))
}

#[tokio::test(start_paused = true)]
async fn how_often_the_store_is_asked_is_as_the_builder_was_told() {
    for (confirm, expected) in [
        (Confirm::Always, [1, 2, 3, 4]),
        (Confirm::FirstSight, [1, 1, 1, 1]),
        (Confirm::Never, [0, 0, 0, 0]),
    ] {
        let (auth, store) = with_terms(confirm, OnStoreFailure::Reject);
        let _running = auth.start().await.unwrap();
        tokio::time::sleep(Duration::from_secs(3)).await;
        let tokens = sign_in(&auth, &user("ada")).await.unwrap();
        let mut asked = Vec::new();
        for _ in 0..2 {
            admit(&auth, &tokens.access_token).await.unwrap();
            asked.push(store.calls(Method::Ask));
        }
        for _ in 0..2 {
            assert!(is_active(&auth, &tokens).await);
            asked.push(store.calls(Method::Ask));
        }
        assert_eq!(asked, expected, "{confirm:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn who_was_let_in_before_passes_without_the_store_where_the_builder_was_told_so() {
    for fault in [Fault::Fails, Fault::Held] {
        let terms = OnStoreFailure::AcceptVerifiedUntilExpiry;
        let (auth, store) = with_terms(Confirm::Always, terms);
        let _running = auth.start().await.unwrap();
        let seen = sign_in(&auth, &user("ada")).await.unwrap();
        let ended = sign_in(&auth, &user("ada")).await.unwrap();
        let never_seen = sign_in(&auth, &user("ada")).await.unwrap();
        for tokens in [&seen, &ended] {
            admit(&auth, &tokens.access_token).await.unwrap();
        }
        end(&auth, &ended).await;

        store.set(Method::Ask, fault);
        admit(&auth, &seen.access_token).await.unwrap();
        let refused = admit(&auth, &ended.access_token).await.map(|_| ());
        assert!(matches!(refused, Err(Rejection::TokenRevoked { .. })));
        assert!(!is_active(&auth, &ended).await);
        let refused = admit(&auth, &never_seen.access_token).await.map(|_| ());
        assert!(matches!(refused, Err(Rejection::StoreUnavailable { .. })));
    }
}

#[tokio::test(start_paused = true)]
async fn nobody_passes_without_the_store_where_the_builder_was_told_nothing() {
    for fault in [Fault::Fails, Fault::Held] {
        let (auth, store) = with_terms(Confirm::Always, OnStoreFailure::default());
        let _running = auth.start().await.unwrap();
        let seen = sign_in(&auth, &user("ada")).await.unwrap();
        admit(&auth, &seen.access_token).await.unwrap();
        store.set(Method::Ask, fault);
        let refused = admit(&auth, &seen.access_token).await.map(|_| ());
        assert!(matches!(refused, Err(Rejection::StoreUnavailable { .. })));
        let worth = auth.introspect(&seen.access_token).await;
        assert!(matches!(worth, Introspection::StoreUnavailable { .. }));
    }
}

#[tokio::test(start_paused = true)]
async fn a_process_that_stood_still_gives_out_no_token_of_before() {
    let (builder, store, clock) = broken::builder();
    let auth = builder.build().unwrap();
    let tokens = sign_in(&auth, &user("ada")).await.unwrap();
    clock.advance(Duration::from_secs(120));
    let late = |error: &SessionError| matches!(error, SessionError::Store(error) if error.kind() == StoreErrorKind::Timeout);

    let long = Fault::Stops(Duration::from_secs(10));
    store.set(Method::SignIn, long);
    let error = sign_in(&auth, &user("ada")).await.map(|_| ()).unwrap_err();
    assert!(late(&error), "{error:?}");
    store.set(Method::Refresh, long);
    let refresh_token = tokens.refresh_token.as_deref().unwrap();
    let refreshed = auth.sessions().refresh(refresh_token).await;
    let error = refreshed.map(|_| ()).unwrap_err();
    assert!(late(&error), "{error:?}");

    let short = Fault::Stops(Duration::from_millis(400));
    store.set(Method::SignIn, short);
    sign_in(&auth, &user("ada")).await.unwrap();
    store.set(Method::Refresh, short);
    auth.sessions().refresh(refresh_token).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn an_end_whose_answer_does_not_come_is_an_error_and_holds_all_the_same() {
    let (builder, store, _clock) = broken::builder();
    let auth = builder.build().unwrap();
    let _running = auth.start().await.unwrap();
    let tokens = sign_in(&auth, &user("ada")).await.unwrap();
    admit(&auth, &tokens.access_token).await.unwrap();
    store.set(Method::End, Fault::Held);
    let ending = auth.sessions().end(tokens.session_id, EndReason::SignedOut);
    let error = ending.await.map(|_| ()).unwrap_err();
    assert!(matches!(error, SessionError::Store(_)), "{error:?}");
    admit(&auth, &tokens.access_token).await.unwrap_err();
    store.mend(Method::End);
    tokio::time::sleep(Duration::from_secs(30)).await;
    admit(&auth, &tokens.access_token).await.unwrap_err();
    assert_eq!(auth.sessions().count(&user("ada")).await.unwrap(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_sign_in_whose_answer_was_lost_is_repeated_and_finds_its_session() {
    let (builder, store, _clock) = broken::builder();
    let auth = builder.build().unwrap();
    store.set(Method::SignIn, Fault::Silent);
    let mended = async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        store.mend(Method::SignIn);
    };
    let ada = user("ada");
    let (tokens, ()) = tokio::join!(sign_in(&auth, &ada), mended);
    assert_eq!(store.calls(Method::SignIn), 2);
    admit(&auth, &tokens.unwrap().access_token).await.unwrap();
    assert_eq!(auth.sessions().count(&ada).await.unwrap(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_write_is_repeated_once_where_the_store_was_away_and_not_where_it_refused() {
    for (fault, times) in [(Fault::Fails, 2), (Fault::Refuses, 1)] {
        let (builder, store, _clock) = broken::builder();
        let auth = builder.build().unwrap();
        let ada = user("ada");
        let tokens = sign_in(&auth, &ada).await.unwrap();
        let before = store.calls(Method::SignIn);
        for method in [Method::Change, Method::SignIn, Method::Refresh] {
            store.set(method, fault);
        }
        let sessions = auth.sessions();
        let renamed = sessions.rename(&ada, tokens.session_id, Some("desk")).await;
        assert!(
            matches!(renamed, Err(SessionError::Store(_))),
            "{renamed:?}"
        );
        let refreshed = sessions.refresh(&tokens.refresh_token.unwrap()).await;
        assert!(matches!(refreshed, Err(SessionError::Store(_))));
        assert!(matches!(
            sign_in(&auth, &ada).await,
            Err(SessionError::Store(_))
        ));
        let calls = [
            store.calls(Method::Change),
            store.calls(Method::Refresh),
            store.calls(Method::SignIn) - before,
        ];
        assert_eq!(calls, [times; 3], "{fault:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_ends_while_the_store_is_waited_for_is_out_by_any_terms() {
    let terms = OnStoreFailure::AcceptVerifiedUntilExpiry;
    let (auth, store) = with_terms(Confirm::Always, terms);
    let _running = auth.start().await.unwrap();
    let tokens = sign_in(&auth, &user("ada")).await.unwrap();
    admit(&auth, &tokens.access_token).await.unwrap();
    store.set(Method::Ask, Fault::Held);
    let (admitted, ()) = tokio::join!(admit(&auth, &tokens.access_token), end(&auth, &tokens));
    let refused = admitted.map(|_| ());
    assert!(matches!(refused, Err(Rejection::TokenRevoked { .. })));
}

#[tokio::test(start_paused = true)]
async fn a_session_that_the_store_does_not_know_is_refused() {
    let (here, _) = with_terms(Confirm::FirstSight, OnStoreFailure::Reject);
    let (elsewhere, _) = with_terms(Confirm::FirstSight, OnStoreFailure::Reject);
    let tokens = sign_in(&elsewhere, &user("ada")).await.unwrap();
    admit(&elsewhere, &tokens.access_token).await.unwrap();
    admit(&here, &tokens.access_token).await.unwrap_err();
    assert!(!is_active(&here, &tokens).await);
}

#[tokio::test(start_paused = true)]
async fn what_is_being_ended_stays_out_on_a_node_whose_clock_was_set_back_by_a_day() {
    let (builder, clock) = support::builder();
    let store = Broken::new(ManualClock::new(), clock.clone());
    let builder = builder.revocation(RevocationSettings::default());
    let auth = builder.store(store.clone()).build().unwrap();
    let _running = auth.start().await.unwrap();
    let tokens = sign_in(&auth, &user("ada")).await.unwrap();
    admit(&auth, &tokens.access_token).await.unwrap();
    clock.step_wall_back(Duration::from_secs(86_400));
    store.set(Method::End, Fault::Held);
    let sessions = auth.sessions();
    let ended = sessions.end(tokens.session_id, EndReason::SignedOut).await;
    assert!(matches!(ended, Err(SessionError::Store(_))));
    // Each poll lets some shelves forget what is over; all have had their turn by then.
    tokio::time::sleep(Duration::from_secs(60)).await;
    clock.step_wall(Duration::from_secs(86_400));
    tokio::time::sleep(Duration::from_secs(2)).await;
    let refused = admit(&auth, &tokens.access_token).await.map(|_| ());
    assert!(
        matches!(refused, Err(Rejection::TokenRevoked { .. })),
        "{refused:?}"
    );
}
