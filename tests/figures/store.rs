//! Calls to the store.

use std::time::Duration;

use tower_jwt_session::revocation::EndReason;

use crate::recorder::Recorder;
use crate::support::broken::{self, Fault, Method};
use crate::support::{sign_in, user};

#[tokio::test(start_paused = true)]
async fn calls_are_measured_by_operation_and_failures_counted_by_class() {
    let recorder = Recorder::install();
    let (builder, store, _clock) = broken::builder();
    let auth = builder.build().unwrap();
    let ada = user("ada");
    let tokens = sign_in(&auth, &ada).await.unwrap();
    store.set(Method::Refresh, Fault::Fails);
    let token = tokens.refresh_token.unwrap();
    auth.sessions().refresh(&token).await.unwrap_err();
    // Silent for so long that nobody waits any more.
    store.set(Method::SignIn, Fault::Held);
    sign_in(&auth, &ada).await.unwrap_err();
    tokio::time::sleep(Duration::from_secs(60)).await;

    let seen = recorder.seen(&auth);
    let errors = |operation: &str, class: &str| {
        seen.value(&format!(
            "jwt_session_store_errors_total{{operation=\"{operation}\",class=\"{class}\"}}"
        ))
    };
    assert!(errors("refresh", "unavailable") >= 1.0, "{seen:?}");
    assert!(errors("sign_in", "abandoned") >= 1.0, "{seen:?}");
    assert_eq!(seen.sum("jwt_session_store_errors_total"), {
        errors("refresh", "unavailable") + errors("sign_in", "abandoned")
    });
    let took = |operation: &str| {
        seen.value(&format!(
            "jwt_session_store_operation_duration_seconds_count{{operation=\"{operation}\"}}"
        ))
    };
    assert!(took("sign_in") >= 2.0, "{seen:?}");
    assert!(took("counters") >= 1.0, "{seen:?}");
}

#[tokio::test(start_paused = true)]
async fn a_store_that_is_away_shows_in_the_state_of_its_breaker() {
    let recorder = Recorder::install();
    let (builder, store, _clock) = broken::builder();
    let auth = builder.build().unwrap();
    let tokens = sign_in(&auth, &user("ada")).await.unwrap();
    let state = "jwt_session_store_breaker_state{class=\"write\"}";
    assert_eq!(recorder.seen(&auth).value(state), 0.0);
    store.set(Method::End, Fault::Fails);
    let end = auth.sessions().end(tokens.session_id, EndReason::SignedOut);
    end.await.unwrap_err();
    let seen = recorder.seen(&auth);
    assert!(seen.value(state) > 0.0, "{seen:?}");
    assert_eq!(seen.value("jwt_session_unsettled_writes"), 1.0, "{seen:?}");
    let confirm = "jwt_session_store_breaker_state{class=\"confirm\"}";
    assert_eq!(seen.value(confirm), 0.0, "{seen:?}");
    store.mend(Method::End);
    tokio::time::sleep(Duration::from_secs(60)).await;
    let seen = recorder.seen(&auth);
    assert_eq!(seen.value(state), 0.0, "{seen:?}");
    assert_eq!(seen.value("jwt_session_unsettled_writes"), 0.0, "{seen:?}");
}
