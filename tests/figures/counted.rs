//! Verbs, ends, and how the node stands.

use std::time::Duration;

use tower_jwt_session::revocation::{EndReason, RevocationSettings};
use tower_jwt_session::testing::ManualClock;
use tower_jwt_session::throttle::Attempt;
use tower_jwt_session::{Device, JwtSession, MemoryStore, RateLimit, SessionLimit};

use crate::recorder::{Recorder, Seen};
use crate::support::{self, sign_in, user};

fn node() -> (JwtSession, ManualClock) {
    let (builder, clock) = support::builder();
    (builder.build().unwrap(), clock)
}

#[tokio::test]
async fn refreshes_are_counted_by_their_outcome() {
    let recorder = Recorder::install();
    let (auth, clock) = node();
    let first = sign_in(&auth, &user("ada")).await.unwrap();
    let token = first.refresh_token.unwrap();
    let second = auth.sessions().refresh(&token).await.unwrap();
    auth.sessions().refresh(&token).await.unwrap();
    auth.sessions().refresh("nothing").await.unwrap_err();
    clock.advance(Duration::from_secs(3_600));
    auth.sessions()
        .refresh(&second.refresh_token.unwrap())
        .await
        .unwrap();
    auth.sessions().refresh(&token).await.unwrap_err();
    auth.sessions().refresh(&token).await.unwrap_err();

    let seen = recorder.seen(&auth);
    let outcome = |outcome: &str| {
        seen.value(&format!(
            "jwt_session_refreshes_total{{outcome=\"{outcome}\"}}"
        ))
    };
    assert_eq!(outcome("done"), 2.0, "{seen:?}");
    assert_eq!(outcome("repeated"), 1.0, "{seen:?}");
    assert_eq!(outcome("invalid_token"), 1.0, "{seen:?}");
    assert_eq!(outcome("refresh_reused"), 1.0, "{seen:?}");
    assert_eq!(outcome("over"), 1.0, "{seen:?}");
    assert_eq!(seen.sum("jwt_session_refreshes_total"), 6.0);
    let took = "jwt_session_operation_duration_seconds_count{operation=\"refresh\"}";
    assert_eq!(seen.value(took), 6.0);
}

#[tokio::test]
async fn sign_ins_are_counted_by_their_outcome_and_wrong_passwords_among_them() {
    let recorder = Recorder::install();
    let (builder, _clock) = support::builder();
    let auth = builder.limit(SessionLimit::rejecting(1)).build().unwrap();
    let ada = user("ada");
    sign_in(&auth, &ada).await.unwrap();
    sign_in(&auth, &ada).await.unwrap_err();
    auth.sessions().credentials_refused();
    let ticket = auth.sessions().ticket(&ada).await.unwrap();
    // Nobody waits for this one.
    drop(
        auth.sessions()
            .sign_in(ticket, Device::default())
            .into_future(),
    );

    let seen = recorder.seen(&auth);
    let outcome = |outcome: &str| {
        seen.value(&format!(
            "jwt_session_sign_ins_total{{outcome=\"{outcome}\"}}"
        ))
    };
    assert_eq!(outcome("done"), 1.0, "{seen:?}");
    assert_eq!(outcome("limit_reached"), 1.0, "{seen:?}");
    assert_eq!(outcome("credentials_refused"), 1.0, "{seen:?}");
    assert_eq!(seen.sum("jwt_session_sign_ins_total"), 3.0);
    assert_eq!(
        seen.value("jwt_session_events_total{event=\"sign_in_refused\"}"),
        1.0
    );
}

#[tokio::test]
async fn an_end_is_counted_once_with_its_reason_and_how_long_the_session_lasted() {
    let recorder = Recorder::install();
    let (auth, clock) = node();
    let ada = user("ada");
    let first = sign_in(&auth, &ada).await.unwrap();
    sign_in(&auth, &ada).await.unwrap();
    clock.advance(Duration::from_secs(600));
    auth.sessions()
        .end(first.session_id, EndReason::SignedOut)
        .await
        .unwrap();
    auth.sessions()
        .end(first.session_id, EndReason::SignedOut)
        .await
        .unwrap();
    clock.advance(Duration::from_secs(600));
    auth.sessions()
        .end_all(&ada)
        .because(EndReason::PasswordChanged)
        .await
        .unwrap();

    let seen = recorder.seen(&auth);
    for (reason, lasted) in [("signed_out", 600.0), ("password_changed", 1_200.0)] {
        let ended = format!("jwt_session_sessions_ended_total{{reason=\"{reason}\"}}");
        assert_eq!(seen.value(&ended), 1.0, "{seen:?}");
        let sum = format!("jwt_session_session_lifetime_seconds_sum{{reason=\"{reason}\"}}");
        assert_eq!(seen.value(&sum), lasted, "{seen:?}");
    }
    assert_eq!(seen.sum("jwt_session_sessions_ended_total"), 2.0);
}

#[tokio::test]
async fn active_sessions_and_the_view_are_shown_while_the_node_runs() {
    let recorder = Recorder::install();
    let (auth, clock) = node();
    for name in ["ada", "bob", "eve"] {
        sign_in(&auth, &user(name)).await.unwrap();
    }
    let running = auth.start().await.unwrap();
    let counted = |seen: &Seen| seen.value("jwt_session_active_sessions") == 3.0;
    let seen = recorder.until(&auth, counted).await;
    assert_eq!(seen.value("jwt_session_view_fresh"), 1.0, "{seen:?}");
    assert_eq!(seen.value("jwt_session_view_complete"), 1.0, "{seen:?}");
    running.shutdown().await;
    clock.advance(Duration::from_secs(60));
    let seen = recorder.seen(&auth);
    assert_eq!(seen.value("jwt_session_view_fresh"), 0.0, "{seen:?}");
    assert_eq!(seen.value("jwt_session_view_age_seconds"), 60.0, "{seen:?}");
}

#[tokio::test]
async fn the_lag_is_from_the_write_elsewhere_to_the_view_here_by_the_stores_clock() {
    let recorder = Recorder::install();
    let (builder, clock) = support::builder();
    let (beside, _clock) = support::builder();
    let store = MemoryStore::with_clock(std::sync::Arc::new(clock.clone()));
    let settings = RevocationSettings::default().with_poll_interval(Duration::from_millis(20));
    let writer = builder.store(store.clone()).build().unwrap();
    // Its own clock is wrong by an hour, and nobody should see that.
    let ahead = ManualClock::new();
    ahead.advance(Duration::from_secs(3_600));
    let reader = beside.clock(std::sync::Arc::new(ahead)).store(store);
    let reader = reader.revocation(settings).build().unwrap();
    let ada = user("ada");
    let tokens = sign_in(&writer, &ada).await.unwrap();
    let running = reader.start().await.unwrap();
    writer
        .sessions()
        .end(tokens.session_id, EndReason::SignedOut)
        .await
        .unwrap();
    let heard = async {
        while reader.view().entries == 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), heard)
        .await
        .unwrap();
    let seen = recorder.seen(&reader);
    let count = seen.value("jwt_session_propagation_lag_seconds_count");
    let sum = seen.value("jwt_session_propagation_lag_seconds_sum");
    assert_eq!((count, sum), (1.0, 0.0), "{seen:?}");
    running.shutdown().await;
}

#[tokio::test]
async fn refused_attempts_are_counted_by_what_was_tried() {
    let recorder = Recorder::install();
    let (builder, _clock) = support::builder();
    let limit = RateLimit::new(1, Duration::from_secs(600));
    let auth = builder.rate_limit(limit).build().unwrap();
    let address = Some([192, 0, 2, 7].into());
    auth.rate_limiter()
        .attempt(Attempt::Register, address)
        .unwrap();
    auth.rate_limiter()
        .attempt(Attempt::Register, address)
        .unwrap_err();
    let sign_in = Attempt::SignIn { account: "ada" };
    auth.rate_limiter().attempt(sign_in, address).unwrap_err();
    let seen = recorder.seen(&auth);
    let refused = |attempt: &str| {
        seen.value(&format!(
            "jwt_session_throttled_total{{attempt=\"{attempt}\"}}"
        ))
    };
    assert_eq!((refused("register"), refused("sign_in")), (1.0, 1.0));
    assert_eq!(refused("refresh"), 0.0);
}

#[tokio::test]
async fn a_recorder_may_be_installed_after_everything_else() {
    let (auth, _clock) = node();
    let running = auth.start().await.unwrap();
    let ada = user("ada");
    let token = sign_in(&auth, &ada).await.unwrap().access_token;
    support::admit(&auth, &token).await.unwrap();
    auth.publish_metrics();
    let recorder = Recorder::install();
    support::admit(&auth, &token).await.unwrap();
    sign_in(&auth, &ada).await.unwrap();
    let seen = recorder.seen(&auth);
    assert_eq!(
        seen.sum("jwt_session_authentications_total"),
        1.0,
        "{seen:?}"
    );
    assert_eq!(seen.sum("jwt_session_sign_ins_total"), 1.0, "{seen:?}");
    running.shutdown().await;
}
