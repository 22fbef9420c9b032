//! What must hold whoever comes first. The memory store; every store runs the same rules in the
//! conformance suite.

mod support;

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use support::{admit, builder, sign_in, user};
use tokio::sync::Barrier;
use tower_jwt_session::revocation::EndReason;
use tower_jwt_session::{JwtSession, Rejection, SessionError, SessionLimit};

const GRACE: Duration = Duration::from_secs(30);

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn parallel_sign_ins_leave_exactly_the_limit_alive() {
    for round in 0..100 {
        let (builder, _clock) = builder();
        let auth = builder.limit(SessionLimit::evicting(10)).build().unwrap();
        let _running = auth.start().await.unwrap();
        let ada = user("ada");
        let tasks = (0..200).map(|_| {
            let (auth, ada) = (auth.clone(), ada.clone());
            tokio::spawn(async move { sign_in(&auth, &ada).await.unwrap() })
        });
        let tokens: Vec<_> = join_all(tasks)
            .await
            .into_iter()
            .map(Result::unwrap)
            .collect();

        let listed = auth.sessions().list(&ada).await.unwrap();
        assert_eq!(listed.len(), 10, "round {round}");
        assert_eq!(auth.sessions().count(&ada).await.unwrap(), 10);
        for token in &tokens {
            let alive = listed.iter().any(|session| session.id == token.session_id);
            let admitted = admit(&auth, &token.access_token).await;
            assert_eq!(admitted.is_ok(), alive, "round {round}: {admitted:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn parallel_sign_ins_under_reject_admit_exactly_the_limit() {
    for _ in 0..100 {
        let (builder, _clock) = builder();
        let auth = builder.limit(SessionLimit::rejecting(3)).build().unwrap();
        let ada = user("ada");
        let tasks = (0..50).map(|_| {
            let (auth, ada) = (auth.clone(), ada.clone());
            tokio::spawn(async move { sign_in(&auth, &ada).await })
        });
        let mut made = 0;
        for outcome in join_all(tasks).await {
            match outcome.unwrap() {
                Ok(_) => made += 1,
                Err(error) => {
                    assert_eq!(error.to_string(), "maximum concurrent sessions exceeded");
                }
            }
        }
        assert_eq!(made, 3);
        assert_eq!(auth.sessions().count(&ada).await.unwrap(), 3);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_token_refreshed_by_fifty_clients_at_once_has_one_successor() {
    let (builder, clock) = builder();
    let auth = builder.build().unwrap();
    let _running = auth.start().await.unwrap();
    let mut current = sign_in(&auth, &user("ada")).await.unwrap();
    for round in 0..1_000 {
        clock.advance(Duration::from_secs(61));
        let presented: Arc<str> = current.refresh_token.clone().unwrap().into();
        let start = Arc::new(Barrier::new(50));
        let tasks = (0..50).map(|_| {
            let (auth, presented, start) = (auth.clone(), presented.clone(), start.clone());
            tokio::spawn(async move {
                start.wait().await;
                auth.sessions().refresh(&presented).await
            })
        });
        let mut answers = Vec::new();
        for answer in join_all(tasks).await {
            answers.push(answer.unwrap().unwrap());
        }
        for answer in &answers {
            assert_eq!(
                answer.refresh_token, answers[0].refresh_token,
                "round {round}"
            );
            assert_eq!(answer.generation, round + 2);
            admit(&auth, &answer.access_token).await.unwrap();
        }
        current = answers.swap_remove(0);
    }
    assert_eq!(auth.sessions().count(&user("ada")).await.unwrap(), 1);
}

#[tokio::test]
async fn lost_answers_that_are_retried_sign_nobody_out() {
    let (builder, clock) = builder();
    let auth = builder
        .lifetimes(
            tower_jwt_session::Lifetimes::default()
                .with_session(Duration::from_secs(86_400 * 3_650)),
        )
        .build()
        .unwrap();
    let _running = auth.start().await.unwrap();
    let mut random = fastrand::Rng::with_seed(7);
    let mut held = sign_in(&auth, &user("ada")).await.unwrap();
    let mut lost = 0;
    for _ in 0..10_000 {
        clock.advance(Duration::from_secs(random.u64(61..7_000)));
        loop {
            let answer = auth
                .sessions()
                .refresh(held.refresh_token.as_deref().unwrap())
                .await
                .expect("nobody is signed out");
            if random.f64() < 0.3 {
                lost += 1;
                clock.advance(Duration::from_secs(random.u64(0..25)));
                continue;
            }
            held = answer;
            break;
        }
        admit(&auth, &held.access_token).await.expect("admitted");
    }
    assert!(lost > 2_000);
}

/// What the victim of a theft does afterwards.
#[derive(Clone, Copy, Debug)]
enum Victim {
    Refreshes,
    Sleeps,
    UsesTheAccessToken,
}

#[tokio::test]
async fn a_thief_who_replays_after_the_window_ends_with_the_session_or_is_shut_out() {
    for victim in [
        Victim::Refreshes,
        Victim::Sleeps,
        Victim::UsesTheAccessToken,
    ] {
        let (builder, clock) = builder();
        let auth = builder.build().unwrap();
        let _running = auth.start().await.unwrap();
        let first = sign_in(&auth, &user("ada")).await.unwrap();
        let stolen = first.refresh_token.clone().unwrap();
        clock.advance(Duration::from_secs(3_600));
        let second = auth.sessions().refresh(&stolen).await.unwrap();
        match victim {
            Victim::Refreshes => {
                clock.advance(Duration::from_secs(3_600));
                let presented = second.refresh_token.clone().unwrap();
                auth.sessions().refresh(&presented).await.unwrap();
            }
            Victim::Sleeps => {}
            Victim::UsesTheAccessToken => {
                admit(&auth, &second.access_token).await.unwrap();
            }
        }
        clock.advance(2 * GRACE);
        match auth.sessions().refresh(&stolen).await {
            Err(SessionError::RefreshReused) => {
                let refused = admit(&auth, &second.access_token).await.unwrap_err();
                assert!(
                    matches!(refused, Rejection::TokenRevoked { .. }),
                    "{victim:?}"
                );
            }
            Ok(thiefs) => {
                // Only a victim who slept leaves a thief a successor, and waking ends both.
                assert!(matches!(victim, Victim::Sleeps), "{victim:?}");
                clock.advance(2 * GRACE);
                let woken = second.refresh_token.clone().unwrap();
                let refused = auth.sessions().refresh(&woken).await.unwrap_err();
                assert!(matches!(refused, SessionError::RefreshReused));
                admit(&auth, &thiefs.access_token).await.unwrap_err();
                let thiefs = thiefs.refresh_token.unwrap();
                auth.sessions().refresh(&thiefs).await.unwrap_err();
            }
            Err(error) => panic!("{victim:?}: {error}"),
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nothing_that_a_refresh_mints_survives_a_revocation() {
    let (builder, clock) = builder();
    let auth = builder.limit(SessionLimit::UNLIMITED).build().unwrap();
    let _running = auth.start().await.unwrap();
    let mut random = fastrand::Rng::with_seed(11);
    for round in 0..10_000 {
        let ada = user(&format!("user{}", round % 97));
        let tokens = sign_in(&auth, &ada).await.unwrap();
        clock.advance(Duration::from_secs(1));
        let everything = random.bool();
        let pause = [random.u32(0..40), random.u32(0..40)];
        let refresh = tokio::spawn({
            let (auth, presented) = (auth.clone(), tokens.refresh_token.clone().unwrap());
            async move {
                spin(pause[0]);
                auth.sessions().refresh(&presented).await
            }
        });
        let revoke = tokio::spawn({
            let (auth, ada, id) = (auth.clone(), ada.clone(), tokens.session_id);
            async move {
                spin(pause[1]);
                if everything {
                    let done = auth.sessions().end_all(&ada).await.unwrap();
                    assert!(done.count() >= 1);
                } else {
                    let done = auth.sessions().end(id, EndReason::AdminRevoked).await;
                    assert_eq!(done.unwrap().count(), 1);
                }
            }
        });
        revoke.await.unwrap();
        admit(&auth, &tokens.access_token).await.unwrap_err();
        if let Ok(minted) = refresh.await.unwrap() {
            admit(&auth, &minted.access_token)
                .await
                .expect_err("a revoked session stays revoked");
            let presented = minted.refresh_token.unwrap();
            auth.sessions().refresh(&presented).await.unwrap_err();
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_session_of_the_old_password_survives_its_change() {
    let (builder, _clock) = builder();
    let auth = builder.limit(SessionLimit::UNLIMITED).build().unwrap();
    let _running = auth.start().await.unwrap();
    let mut random = fastrand::Rng::with_seed(13);
    for round in 0..10_000 {
        let ada = user(&format!("user{round}"));
        let password = Arc::new(std::sync::atomic::AtomicU32::new(1));
        let pause = [random.u32(0..40), random.u32(0..40), random.u32(0..40)];
        let signing_in = tokio::spawn({
            let (auth, ada, password) = (auth.clone(), ada.clone(), password.clone());
            async move {
                let ticket = auth.sessions().ticket(&ada).await.unwrap();
                spin(pause[0]);
                if password.load(std::sync::atomic::Ordering::SeqCst) != 1 {
                    return None;
                }
                spin(pause[1]);
                let device = tower_jwt_session::Device::default();
                auth.sessions().sign_in(ticket, device).await.ok()
            }
        });
        let changing = tokio::spawn({
            let (auth, ada) = (auth.clone(), ada.clone());
            async move {
                spin(pause[2]);
                password.store(2, std::sync::atomic::Ordering::SeqCst);
                let ended = auth
                    .sessions()
                    .end_all(&ada)
                    .because(EndReason::PasswordChanged);
                ended.await.unwrap();
            }
        });
        changing.await.unwrap();
        let signed_in = signing_in.await.unwrap();
        assert_eq!(
            auth.sessions().count(&ada).await.unwrap(),
            0,
            "round {round}"
        );
        if let Some(signed_in) = signed_in {
            let tokens = signed_in.tokens();
            admit(&auth, &tokens.access_token).await.unwrap_err();
        }
    }
}

/// Lets the other task go first by a little, without a clock.
fn spin(times: u32) {
    for _ in 0..times * 50 {
        std::hint::spin_loop();
    }
}

/// Both handles can be moved to other threads.
#[test]
fn handles_are_send_and_sync() {
    fn check<T: Send + Sync + Clone>() {}
    check::<JwtSession>();
    check::<tower_jwt_session::Sessions>();
}
