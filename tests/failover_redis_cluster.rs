//! A master of a Redis Cluster that dies under load, and the replica that takes its place.

mod redis_cluster;
mod redis_server;
mod support;

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::future::join_all;
use redis_cluster::{Cluster, fresh_prefix};
use redis_server::Server;
use support::{SECRET, admit, patiently, sign_in, started, user};
use tower_jwt_session::revocation::{
    Confirm, EndReason, EntryId, RevocationEntry, RevocationSettings, RevocationStore, Revoked,
    Terms,
};
use tower_jwt_session::session::refresh::bucket_of;
use tower_jwt_session::{
    JwtSession, RedisStore, Running, SessionError, SessionId, SessionLimit, SessionStore, Tokens,
    UnixTime, UserId,
};

async fn node(
    store: RedisStore,
    terms: Terms,
    settings: RevocationSettings,
) -> (JwtSession, Running) {
    let auth = JwtSession::builder()
        .hmac_secret(SECRET)
        .limit(SessionLimit::UNLIMITED)
        .terms(terms)
        .revocation(settings)
        .store(store)
        .build()
        .unwrap();
    let running = started(&auth).await;
    (auth, running)
}

/// Waits until something holds; two minutes at most.
async fn eventually(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    for _ in 0..2_400 {
        if holds().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("{what}: not within two minutes");
}

/// What was acknowledged while a master died.
#[derive(Default)]
struct Seen {
    ended: Vec<Tokens>,
}

impl Seen {
    /// What a server answers with 503, and a client repeats; all else but a session that the
    /// failover lost would be a 500.
    async fn note<T>(&mut self, outcome: Result<T, SessionError>) -> Option<T> {
        match outcome {
            Ok(done) => Some(done),
            Err(SessionError::Store(error)) if error.is_unavailable() => {
                tokio::time::sleep(Duration::from_millis(20)).await;
                None
            }
            Err(SessionError::NotFound | SessionError::Over(_)) => None,
            Err(error) => panic!("neither done nor away: {error:?}"),
        }
    }
}

/// Signs in, refreshes and ends until it is told to stop; how many lives it saw is counted.
async fn work(auth: &JwtSession, worker: usize, stop: &AtomicBool, lives: &AtomicUsize) -> Seen {
    let mut seen = Seen::default();
    let mut number = 0;
    while !stop.load(Ordering::Relaxed) {
        number += 1;
        let name = user(&format!("user-{worker}-{}", number % 40));
        let Some(first) = seen.note(sign_in(auth, &name).await).await else {
            continue;
        };
        let presented = first.refresh_token.as_deref().expect("it has one");
        let refreshed = auth.sessions().refresh(presented).await;
        let tokens = seen.note(refreshed).await.unwrap_or(first);
        let sessions = auth.sessions();
        let end = sessions.end(tokens.session_id, EndReason::AdminRevoked);
        // The new master may never have heard of the session; only what was ended counts.
        if let Some(done) = seen.note(end.await).await
            && done.count() == 1
        {
            seen.ended.push(tokens);
            lives.fetch_add(1, Ordering::Relaxed);
        }
        for tokens in seen.ended.iter().rev().take(5) {
            let refused = admit(auth, &tokens.access_token).await.unwrap_err();
            assert!(
                matches!(refused.status().as_u16(), 401 | 503),
                "{refused:?}"
            );
        }
    }
    seen
}

fn is_master(server: &Server) -> bool {
    let role: Vec<redis::Value> = server.run(&["ROLE"]);
    format!("{:?}", role.first()).contains("master")
}

async fn promoted(replica: &Server) {
    eventually("the replica is promoted", async || is_master(replica)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_master_that_dies_under_load_fails_nobody_for_long_and_forgets_no_revocation() {
    let mut cluster = Cluster::with_replica();
    let prefix = fresh_prefix();
    // The machine may be busy with other tests.
    let settings = || RevocationSettings::default().with_store_timeout(Duration::from_secs(3));
    let (one, _running) = node(cluster.store(&prefix), Terms::default(), settings()).await;
    let (other, _other) = node(cluster.store(&prefix), Terms::default(), settings()).await;
    let (stop, lives) = (AtomicBool::new(false), AtomicUsize::new(0));
    let working = join_all((0..4).map(|number| {
        let auth = if number % 2 == 0 { &one } else { &other };
        work(auth, number, &stop, &lives)
    }));
    let (killed, lives_of) = (cluster.store(&prefix), &lives);
    let failing = async {
        eventually("there is something to lose", async || {
            lives_of.load(Ordering::Relaxed) > 40
        })
        .await;
        cluster.masters[0].kill();
        promoted(cluster.replica.as_ref().expect("there is one")).await;
        let began = std::time::Instant::now();
        // Everybody goes on, those of the new master, too.
        let before = lives_of.load(Ordering::Relaxed);
        eventually("sessions are made again", async || {
            lives_of.load(Ordering::Relaxed) > before + 40
        })
        .await;
        eprintln!(
            "sessions are made again {:?} after the promotion",
            began.elapsed()
        );
        let moved = user_at(&cluster, &prefix, 0);
        eventually("those of the new master are served", async || {
            killed.counters(&moved).await.is_ok() && sign_in(&one, &moved).await.is_ok()
        })
        .await;
        eprintln!("served again {:?} after the promotion", began.elapsed());
        stop.store(true, Ordering::Relaxed);
    };
    let (seen, ()) = tokio::join!(working, failing);
    let ended: Vec<_> = seen.iter().flat_map(|seen| &seen.ended).collect();
    for tokens in &ended {
        for auth in [&one, &other] {
            admit(auth, &tokens.access_token).await.unwrap_err();
        }
    }
    // A node that goes by the log alone, once the others have written back what it lost.
    let (third, _third) = node(
        cluster.store(&prefix),
        Terms::new(Confirm::Never),
        settings(),
    )
    .await;
    for tokens in &ended {
        eventually("it is refused", async || {
            admit(&third, &tokens.access_token).await.is_err()
        })
        .await;
    }
}

/// Somebody whose part is kept by that master.
fn user_at(cluster: &Cluster, prefix: &str, master: usize) -> UserId {
    let users = (0..).map(|number| user(&format!("user-{number}")));
    let here = |user: &UserId| {
        let bucket = bucket_of(user);
        cluster.master_of(&format!("{{{prefix}:{bucket}}}:fleet")) == master
    };
    users.into_iter().find(here).expect("they never end")
}

fn newer_entry(user: &UserId) -> RevocationEntry {
    RevocationEntry {
        id: EntryId::random(),
        revoked: Revoked::Session {
            session: SessionId::random(),
            user: Some(user.clone()),
        },
        reason: EndReason::AdminRevoked,
        at: UnixTime::EPOCH,
        until: UnixTime::EPOCH,
    }
}

/// Its piece of the log is the longer one, so its numbers alone would tell nothing.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_promoted_replica_of_a_part_that_lost_a_tail_and_took_newer_entries_gets_it_back() {
    let mut cluster = Cluster::with_replica();
    let prefix = fresh_prefix();
    let ada = user_at(&cluster, &prefix, 0);
    // It polls rarely, so that others write to the new master first.
    let settings = RevocationSettings::default()
        .with_poll_interval(Duration::from_secs(5))
        .with_max_staleness(Duration::from_secs(40))
        .with_store_timeout(Duration::from_secs(10));
    let (one, _running) = node(cluster.store(&prefix), Terms::default(), settings).await;
    let mut signed_in = Vec::new();
    for _ in 0..5 {
        signed_in.push(patiently(async || sign_in(&one, &ada).await).await);
    }
    let replica = cluster.replica.take().expect("there is one");
    let seen = |server: &Server| {
        let info: String = server.run(&["INFO", "replication"]);
        let offset = info
            .lines()
            .find(|line| line.starts_with("master_repl_offset"));
        offset.map(str::to_owned)
    };
    eventually("the replica has all", async || {
        seen(&replica) == seen(&cluster.masters[0])
    })
    .await;
    // From now on it hears nothing more.
    let deaf = ["ACL", "SETUSER", "default", "-psync", "-sync"];
    cluster.masters[0].run::<()>(&deaf);
    cluster.masters[0].run::<u64>(&["CLIENT", "KILL", "TYPE", "replica"]);
    for tokens in &signed_in {
        let sessions = one.sessions();
        let ended = sessions.end(tokens.session_id, EndReason::AdminRevoked);
        assert_eq!(ended.await.unwrap().count(), 1);
    }
    cluster.masters[0].kill();
    promoted(&replica).await;
    let newer = cluster.store(&prefix);
    eventually("the new master takes entries", async || {
        let entries = (0..30).map(|_| newer_entry(&ada)).collect();
        newer.append(entries).await.is_ok()
    })
    .await;
    let by_the_log = Terms::new(Confirm::Never);
    let patient = RevocationSettings::default().with_store_timeout(Duration::from_secs(10));
    let (third, _third) = node(newer, by_the_log, patient).await;
    for tokens in &signed_in {
        admit(&one, &tokens.access_token).await.unwrap_err();
        eventually("it is refused by the log alone", async || {
            admit(&third, &tokens.access_token).await.is_err()
        })
        .await;
        let store = cluster.store(&prefix);
        eventually("the session has ended in the store, too", async || {
            let found = store.find(tokens.session_id).await;
            found.is_ok_and(|found| found.is_some_and(|record| record.ended.is_some()))
        })
        .await;
    }
}
