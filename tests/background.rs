//! What runs in the background does so by itself. Time is paused: it goes on where all wait.

mod support;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use support::broken::{self, BY_THE_VIEW, Broken, Fault, Method};
use support::{admit, sign_in, user};
use tower_jwt_session::events::Event;
use tower_jwt_session::revocation::EndReason;
use tower_jwt_session::testing::ManualClock;
use tower_jwt_session::{JwtSession, JwtSessionBuilder, Lifetimes, SessionLimit, UnixTime};

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);

fn built(
    set_up: impl FnOnce(JwtSessionBuilder) -> JwtSessionBuilder,
) -> (JwtSession, Broken, ManualClock) {
    let (builder, store, clock) = broken::builder();
    let builder = builder.terms(BY_THE_VIEW).limit(SessionLimit::UNLIMITED);
    (set_up(builder).build().unwrap(), store, clock)
}

/// When the only session of ada was last used, as the store has it.
async fn last_active(auth: &JwtSession) -> UnixTime {
    let listed = auth.sessions().list(&user("ada")).await.unwrap();
    assert_eq!(listed.len(), 1);
    listed[0].last_active
}

#[tokio::test(start_paused = true)]
async fn a_use_is_written_down_by_itself_within_a_quarter_of_a_minute() {
    let (auth, _store, clock) = built(|builder| builder);
    let _running = auth.start().await.unwrap();
    let tokens = sign_in(&auth, &user("ada")).await.unwrap();
    tokio::time::sleep(SECOND).await;
    clock.advance(MINUTE);
    let used = ManualClock::START + MINUTE;
    admit(&auth, &tokens.access_token).await.unwrap();
    tokio::time::sleep(15 * SECOND).await;
    assert_eq!(last_active(&auth).await, used);
}

#[tokio::test(start_paused = true)]
async fn a_use_that_could_not_be_written_is_written_the_next_time() {
    let (auth, store, clock) = built(|builder| builder);
    let _running = auth.start().await.unwrap();
    let tokens = sign_in(&auth, &user("ada")).await.unwrap();
    tokio::time::sleep(SECOND).await;
    clock.advance(MINUTE);
    admit(&auth, &tokens.access_token).await.unwrap();
    for fault in [Fault::Fails, Fault::Held] {
        let before = store.calls(Method::Touch);
        store.set(Method::Touch, fault);
        tokio::time::sleep(15 * SECOND).await;
        assert!(store.calls(Method::Touch) > before);
        assert_eq!(last_active(&auth).await, ManualClock::START);
    }
    store.mend(Method::Touch);
    tokio::time::sleep(15 * SECOND).await;
    assert_eq!(last_active(&auth).await, ManualClock::START + MINUTE);
    let written = store.calls(Method::Touch);
    tokio::time::sleep(MINUTE).await;
    assert_eq!(store.calls(Method::Touch), written, "once is enough");
}

#[tokio::test(start_paused = true)]
async fn one_sweep_ends_all_that_is_over_however_many() {
    let heard: Arc<Mutex<usize>> = Arc::default();
    let ears = heard.clone();
    let (auth, _store, clock) = built(|builder| {
        let lifetimes = Lifetimes::default().with_idle(30 * MINUTE);
        let hear = move |_: UnixTime, event: &Event| {
            if let Event::Ended { reason, .. } = event {
                assert_eq!(*reason, EndReason::Idle);
                *ears.lock().unwrap() += 1;
            }
        };
        builder.lifetimes(lifetimes).observer(hear)
    });
    let _running = auth.start().await.unwrap();
    for _ in 0..501 {
        sign_in(&auth, &user("ada")).await.unwrap();
    }
    tokio::time::sleep(SECOND).await;
    clock.advance(31 * MINUTE);
    tokio::time::sleep(MINUTE).await;
    assert_eq!(*heard.lock().unwrap(), 501);
    let ended = auth.sessions().list_ended(&user("ada")).await.unwrap();
    assert_eq!(ended.len(), 501);
}

#[tokio::test(start_paused = true)]
async fn a_sweep_that_failed_is_made_up_for_by_the_next() {
    let (auth, store, clock) =
        built(|builder| builder.lifetimes(Lifetimes::default().with_idle(30 * MINUTE)));
    let _running = auth.start().await.unwrap();
    sign_in(&auth, &user("ada")).await.unwrap();
    tokio::time::sleep(SECOND).await;
    clock.advance(31 * MINUTE);
    let ended = async || auth.sessions().list_ended(&user("ada")).await.unwrap();
    for fault in [Fault::Fails, Fault::Held] {
        store.set(Method::Sweep, fault);
        tokio::time::sleep(MINUTE).await;
        assert!(ended().await.is_empty());
    }
    store.mend(Method::Sweep);
    tokio::time::sleep(MINUTE).await;
    assert_eq!(ended().await.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn shutting_down_writes_the_last_uses_and_stops_everything() {
    let (auth, store, clock) = built(|builder| builder);
    let running = auth.start().await.unwrap();
    let tokens = sign_in(&auth, &user("ada")).await.unwrap();
    tokio::time::sleep(SECOND).await;
    clock.advance(MINUTE);
    admit(&auth, &tokens.access_token).await.unwrap();
    running.shutdown().await;
    assert_eq!(last_active(&auth).await, ManualClock::START + MINUTE);
    // What was under way is cancelled at its next step.
    tokio::time::sleep(SECOND).await;
    let calls = || [Method::Poll, Method::Sweep, Method::Touch].map(|method| store.calls(method));
    let before = calls();
    tokio::time::sleep(5 * MINUTE).await;
    assert_eq!(calls(), before);
}

#[tokio::test(start_paused = true)]
async fn a_start_that_failed_may_be_tried_again_and_one_that_did_not_may_not() {
    let (auth, store, _clock) = built(|builder| builder);
    store.set(Method::Attach, Fault::Fails);
    auth.start().await.unwrap_err();
    store.mend(Method::Attach);
    let _running = auth.start().await.unwrap();
    auth.start().await.unwrap_err();
}

#[tokio::test(start_paused = true)]
async fn a_key_that_no_token_needs_any_more_retires_by_itself() {
    use tower_jwt_session::verify::{Algorithm, Key, KeyState};
    let (auth, _store, clock) = built(|builder| builder);
    let _running = auth.start().await.unwrap();
    let old = sign_in(&auth, &user("ada")).await.unwrap();
    let new = Key::generate(Some("new"), Algorithm::EdDsa).unwrap();
    auth.keys().announce(new).unwrap();
    admit(&auth, &old.access_token).await.unwrap();
    let until = auth.sign_with("new").unwrap();
    let life = Lifetimes::default().access();
    assert!(until > ManualClock::START + life, "its last token needs it");
    assert!(until < ManualClock::START + 2 * life);
    admit(&auth, &old.access_token).await.unwrap();
    let signed = sign_in(&auth, &user("bob")).await.unwrap();
    admit(&auth, &signed.access_token).await.unwrap();
    let state = || {
        let keys = auth.keys().list().into_iter();
        let mut old = keys.filter(|key| key.kid != "new");
        old.next().unwrap().state
    };
    clock.advance(life);
    tokio::time::sleep(16 * SECOND).await;
    assert_eq!(state(), KeyState::VerifyOnly);
    clock.advance(life);
    tokio::time::sleep(16 * SECOND).await;
    assert_eq!(state(), KeyState::Retired);
}
