//! What must hold whoever comes first, on two nodes that share a Redis server.

mod redis_server;
mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use futures_util::future::join_all;
use redis_server::Server;
use support::{SECRET, admit, sign_in, started, user};
use tower_jwt_session::revocation::EndReason;
use tower_jwt_session::{Device, JwtSession, JwtSessionBuilder, Rotation, Running, SessionLimit};

struct World {
    nodes: [JwtSession; 2],
    _running: Vec<Running>,
    _server: Server,
}

impl World {
    async fn new(set: impl Fn(JwtSessionBuilder) -> JwtSessionBuilder) -> Self {
        let server = Server::new();
        let nodes = [0, 1].map(|_| {
            let builder = JwtSession::builder()
                .hmac_secret(SECRET)
                .revocation(support::patient())
                .store(server.store());
            set(builder).build().unwrap()
        });
        let mut running = Vec::new();
        for node in &nodes {
            running.push(started(node).await);
        }
        Self {
            nodes,
            _running: running,
            _server: server,
        }
    }

    fn node(&self, number: usize) -> &JwtSession {
        &self.nodes[number % 2]
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn parallel_sign_ins_on_two_nodes_leave_exactly_the_limit_alive() {
    let world = World::new(|builder| builder.limit(SessionLimit::evicting(10))).await;
    for round in 0..5 {
        let ada = user(&format!("ada{round}"));
        let tasks = (0..64).map(|number| {
            let (auth, ada) = (world.node(number).clone(), ada.clone());
            tokio::spawn(async move { sign_in(&auth, &ada).await.unwrap() })
        });
        let tokens = join_all(tasks).await;
        let listed = world.node(round).sessions().list(&ada).await.unwrap();
        assert_eq!(listed.len(), 10, "round {round}");
        for token in tokens {
            let token = token.unwrap();
            let alive = listed.iter().any(|session| session.id == token.session_id);
            let admitted = admit(world.node(round), &token.access_token).await;
            assert_eq!(admitted.is_ok(), alive, "round {round}: {admitted:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_token_refreshed_on_two_nodes_at_once_has_one_successor() {
    let world = World::new(|builder| builder).await;
    for round in 0..20 {
        let first = sign_in(world.node(round), &user("ada")).await.unwrap();
        let presented: Arc<str> = first.refresh_token.unwrap().into();
        let tasks = (0..50).map(|number| {
            let (auth, presented) = (world.node(number).clone(), presented.clone());
            tokio::spawn(async move { auth.sessions().refresh(&presented).await.unwrap() })
        });
        let answers = join_all(tasks).await;
        let answers: Vec<_> = answers.into_iter().map(Result::unwrap).collect();
        for answer in &answers {
            assert_eq!(answer.refresh_token, answers[0].refresh_token);
            assert_eq!(answer.generation, 2);
            admit(world.node(round), &answer.access_token)
                .await
                .unwrap();
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nothing_that_a_refresh_mints_survives_a_revocation_on_the_other_node() {
    let world = World::new(|builder| builder.limit(SessionLimit::UNLIMITED)).await;
    let mut random = fastrand::Rng::with_seed(11);
    for round in 0..300 {
        let (one, other) = (world.node(round), world.node(round + 1));
        let ada = user(&format!("user{}", round % 97));
        let tokens = sign_in(one, &ada).await.unwrap();
        let pause = [random.u64(0..2_000), random.u64(0..2_000)];
        let presented = tokens.refresh_token.clone().unwrap();
        let refresh = async {
            tokio::time::sleep(Duration::from_micros(pause[0])).await;
            one.sessions().refresh(&presented).await
        };
        let revoke = async {
            tokio::time::sleep(Duration::from_micros(pause[1])).await;
            if round % 2 == 0 {
                other.sessions().end_all(&ada).await.unwrap();
            } else {
                let sessions = other.sessions();
                let ended = sessions.end(tokens.session_id, EndReason::AdminRevoked);
                assert_eq!(ended.await.unwrap().count(), 1);
            }
            admit(other, &tokens.access_token).await.unwrap_err();
        };
        let (refreshed, ()) = tokio::join!(refresh, revoke);
        if let Ok(minted) = refreshed {
            admit(other, &minted.access_token).await.unwrap_err();
            let presented = minted.refresh_token.unwrap();
            one.sessions().refresh(&presented).await.unwrap_err();
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_session_of_the_old_password_survives_its_change_on_the_other_node() {
    let world = World::new(|builder| builder.limit(SessionLimit::UNLIMITED)).await;
    let mut random = fastrand::Rng::with_seed(13);
    for round in 0..300 {
        let (one, other) = (world.node(round), world.node(round + 1));
        let ada = user(&format!("user{round}"));
        let password = AtomicU32::new(1);
        let pause = [random.u64(0..1_000), random.u64(0..3_000)];
        let signing_in = async {
            let ticket = one.sessions().ticket(&ada).await.unwrap();
            if password.load(Ordering::SeqCst) != 1 {
                return None;
            }
            tokio::time::sleep(Duration::from_micros(pause[0])).await;
            let signed_in = one.sessions().sign_in(ticket, Device::default()).await;
            signed_in.ok()
        };
        let changing = async {
            tokio::time::sleep(Duration::from_micros(pause[1])).await;
            password.store(2, Ordering::SeqCst);
            let sessions = other.sessions();
            let ended = sessions.end_all(&ada);
            ended.because(EndReason::PasswordChanged).await.unwrap();
        };
        let (signed_in, ()) = tokio::join!(signing_in, changing);
        assert_eq!(one.sessions().count(&ada).await.unwrap(), 0);
        if let Some(signed_in) = signed_in {
            let tokens = signed_in.tokens();
            admit(other, &tokens.access_token).await.unwrap_err();
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_is_revoked_everywhere_is_refused_everywhere_when_that_returns() {
    let world = World::new(|builder| builder.rotation(Rotation::default())).await;
    for round in 0..50 {
        let (one, other) = (world.node(round), world.node(round + 1));
        let tokens = sign_in(one, &user("ada")).await.unwrap();
        admit(other, &tokens.access_token).await.unwrap();
        let sessions = one.sessions();
        let ended = sessions.end(tokens.session_id, EndReason::SignedOut);
        ended.await.unwrap().everywhere().await.unwrap();
        admit(other, &tokens.access_token).await.unwrap_err();
    }
}
