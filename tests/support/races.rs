//! What must hold whoever comes first, on any store that keeps its sessions.
#![allow(dead_code)]

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use futures_util::future::join_all;
use tower_jwt_session::revocation::EndReason;
use tower_jwt_session::testing::ManualClock;
use tower_jwt_session::{Device, JwtSession, JwtSessionBuilder, Running, SessionStore};

use super::{SECRET, admit, sign_in, started, user};

/// A node on a store, and whatever has to live as long.
pub struct World<F> {
    auth: JwtSession,
    clock: ManualClock,
    _running: Running,
    _floor: F,
}

impl<F> World<F> {
    pub async fn on(
        store: impl SessionStore,
        clock: ManualClock,
        floor: F,
        set: impl FnOnce(JwtSessionBuilder) -> JwtSessionBuilder,
    ) -> Self {
        let builder = JwtSession::builder()
            .hmac_secret(SECRET)
            .revocation(super::patient())
            .store(store)
            .clock(Arc::new(clock.clone()));
        let auth = set(builder).build().unwrap();
        let running = started(&auth).await;
        Self {
            auth,
            clock,
            _running: running,
            _floor: floor,
        }
    }
}

pub async fn parallel_sign_ins_leave_exactly_the_limit_alive<F>(world: World<F>) {
    for round in 0..5 {
        let ada = user(&format!("ada{round}"));
        let tasks = (0..64).map(|_| {
            let (auth, ada) = (world.auth.clone(), ada.clone());
            tokio::spawn(async move { sign_in(&auth, &ada).await.unwrap() })
        });
        let tokens = join_all(tasks).await;
        let listed = world.auth.sessions().list(&ada).await.unwrap();
        assert_eq!(listed.len(), 10, "round {round}");
        for token in tokens {
            let token = token.unwrap();
            let alive = listed.iter().any(|session| session.id == token.session_id);
            let admitted = admit(&world.auth, &token.access_token).await;
            assert_eq!(admitted.is_ok(), alive, "round {round}: {admitted:?}");
        }
    }
}

pub async fn one_token_refreshed_by_fifty_clients_at_once_has_one_successor<F>(world: World<F>) {
    let mut current = sign_in(&world.auth, &user("ada")).await.unwrap();
    for round in 0..20 {
        world.clock.advance(Duration::from_secs(61));
        let presented: Arc<str> = current.refresh_token.clone().unwrap().into();
        let tasks = (0..50).map(|_| {
            let (auth, presented) = (world.auth.clone(), presented.clone());
            tokio::spawn(async move { auth.sessions().refresh(&presented).await.unwrap() })
        });
        let answers = join_all(tasks).await;
        let mut answers: Vec<_> = answers.into_iter().map(Result::unwrap).collect();
        for answer in &answers {
            assert_eq!(answer.refresh_token, answers[0].refresh_token);
            assert_eq!(answer.generation, round + 2);
            admit(&world.auth, &answer.access_token).await.unwrap();
        }
        current = answers.swap_remove(0);
    }
}

pub async fn nothing_that_a_refresh_mints_survives_a_revocation<F>(world: World<F>) {
    let mut random = fastrand::Rng::with_seed(11);
    for round in 0..500 {
        let auth = &world.auth;
        let ada = user(&format!("user{}", round % 97));
        let tokens = sign_in(auth, &ada).await.unwrap();
        world.clock.advance(Duration::from_secs(1));
        let pause = [random.u64(0..400), random.u64(0..400)];
        let presented = tokens.refresh_token.clone().unwrap();
        let refresh = async {
            tokio::time::sleep(Duration::from_micros(pause[0])).await;
            auth.sessions().refresh(&presented).await
        };
        let revoke = async {
            tokio::time::sleep(Duration::from_micros(pause[1])).await;
            if round % 2 == 0 {
                auth.sessions().end_all(&ada).await.unwrap();
            } else {
                let sessions = auth.sessions();
                let ended = sessions.end(tokens.session_id, EndReason::AdminRevoked);
                assert_eq!(ended.await.unwrap().count(), 1);
            }
            admit(auth, &tokens.access_token).await.unwrap_err();
        };
        let (refreshed, ()) = tokio::join!(refresh, revoke);
        if let Ok(minted) = refreshed {
            admit(auth, &minted.access_token).await.unwrap_err();
            let presented = minted.refresh_token.unwrap();
            auth.sessions().refresh(&presented).await.unwrap_err();
        }
    }
}

pub async fn no_session_of_the_old_password_survives_its_change<F>(world: World<F>) {
    let mut random = fastrand::Rng::with_seed(13);
    for round in 0..500 {
        let (auth, ada) = (&world.auth, user(&format!("user{round}")));
        let password = AtomicU32::new(1);
        let pause = [random.u64(0..300), random.u64(0..600)];
        let signing_in = async {
            let ticket = auth.sessions().ticket(&ada).await.unwrap();
            if password.load(Ordering::SeqCst) != 1 {
                return None;
            }
            tokio::time::sleep(Duration::from_micros(pause[0])).await;
            auth.sessions()
                .sign_in(ticket, Device::default())
                .await
                .ok()
        };
        let changing = async {
            tokio::time::sleep(Duration::from_micros(pause[1])).await;
            password.store(2, Ordering::SeqCst);
            let sessions = auth.sessions();
            let ended = sessions.end_all(&ada);
            ended.because(EndReason::PasswordChanged).await.unwrap();
        };
        let (signed_in, ()) = tokio::join!(signing_in, changing);
        assert_eq!(
            auth.sessions().count(&ada).await.unwrap(),
            0,
            "round {round}"
        );
        if let Some(signed_in) = signed_in {
            let tokens = signed_in.tokens();
            admit(auth, &tokens.access_token).await.unwrap_err();
        }
    }
}

/// The four of them, in a world of each store.
#[macro_export]
macro_rules! races {
    ($world:ident) => {
        $crate::races!($world:
            parallel_sign_ins_leave_exactly_the_limit_alive(SessionLimit::evicting(10)),
            one_token_refreshed_by_fifty_clients_at_once_has_one_successor(SessionLimit::UNLIMITED),
            nothing_that_a_refresh_mints_survives_a_revocation(SessionLimit::UNLIMITED),
            no_session_of_the_old_password_survives_its_change(SessionLimit::UNLIMITED));
    };
    ($world:ident: $($rule:ident($limit:expr)),+) => {
        $(#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
        async fn $rule() {
            $crate::support::races::$rule($world(|builder| builder.limit($limit)).await).await;
        })+
    };
}
