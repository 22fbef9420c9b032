//! Slots of a Redis Cluster that move while nodes work.

mod redis_cluster;
mod redis_server;
mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::future::join_all;
use redis_cluster::{Cluster, fresh_prefix};
use support::{SECRET, admit, patiently, sign_in, started, user};
use tower_jwt_session::revocation::{
    Confirm, EndReason, EntryId, NodeId, PollRequest, RevocationEntry, RevocationSettings,
    RevocationStore, Revoked, Terms,
};
use tower_jwt_session::session::refresh::bucket_of;
use tower_jwt_session::verify::Counter;
use tower_jwt_session::{
    Clock, JwtSession, RedisStore, Running, SessionLimit, SessionStore, SystemClock, Tokens, UserId,
};

/// The machine may be busy with other tests.
const PATIENT: Duration = Duration::from_secs(20);
/// So that who asks a part that is away hears it before it is back; for those who ask again.
const HASTY: Duration = Duration::from_secs(1);

async fn node(store: RedisStore, terms: Terms, timeout: Duration) -> (JwtSession, Running) {
    let auth = JwtSession::builder()
        .hmac_secret(SECRET)
        .revocation(RevocationSettings::default().with_store_timeout(timeout))
        .limit(SessionLimit::UNLIMITED)
        .terms(terms)
        .store(store)
        .build()
        .unwrap();
    let running = started(&auth).await;
    (auth, running)
}

#[derive(Default)]
struct Work {
    ended: Vec<Tokens>,
    alive: Vec<Tokens>,
}

/// Signs in, refreshes and ends every other session, until it is told to stop and has ended some.
async fn work(auth: &JwtSession, worker: usize, stop: &AtomicBool) -> Work {
    let mut work = Work::default();
    let mut number = 0;
    while !stop.load(Ordering::Relaxed) || work.ended.len() < 5 {
        let name = user(&format!("user-{worker}-{}", number % 40));
        let first = patiently(async || sign_in(auth, &name).await).await;
        let presented = first.refresh_token.as_deref().expect("it has one");
        let tokens = patiently(async || auth.sessions().refresh(presented).await).await;
        number += 1;
        if number % 2 == 0 {
            work.alive.push(tokens);
            continue;
        }
        let sessions = auth.sessions();
        let end = async || {
            sessions
                .end(tokens.session_id, EndReason::AdminRevoked)
                .await
        };
        // One that was told to be away may have been ended all the same.
        assert!(patiently(end).await.count() <= 1);
        admit(auth, &tokens.access_token).await.unwrap_err();
        work.ended.push(tokens);
    }
    work
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn slots_that_move_under_load_lose_and_revive_nothing() {
    let cluster = Arc::new(Cluster::new());
    let prefix = fresh_prefix();
    let (one, _running) = node(cluster.store(&prefix), Terms::default(), HASTY).await;
    let (other, _other) = node(cluster.store(&prefix), Terms::default(), HASTY).await;
    let stop = AtomicBool::new(false);
    let working = (0..4).map(|number| {
        let auth = if number % 2 == 0 { &one } else { &other };
        work(auth, number, &stop)
    });
    let (moving, moved) = (cluster.clone(), prefix.clone());
    let moves = tokio::task::spawn_blocking(move || {
        for bucket in (0..64).step_by(4) {
            std::thread::sleep(Duration::from_millis(50));
            let begun = moving.begin_move(&format!("{{{moved}:{bucket}}}:fleet"));
            moving.end_move(begun);
        }
    });
    let stopping = async {
        moves.await.unwrap();
        stop.store(true, Ordering::Relaxed);
    };
    let (done, ()) = tokio::join!(join_all(working), stopping);
    let mut all = Work::default();
    for work in done {
        all.ended.extend(work.ended);
        all.alive.extend(work.alive);
    }
    for auth in [&one, &other] {
        for tokens in &all.ended {
            admit(auth, &tokens.access_token).await.unwrap_err();
        }
    }
    for tokens in &all.alive {
        let presented = tokens.refresh_token.as_deref().expect("it has one");
        patiently(async || other.sessions().refresh(presented).await).await;
    }
    // A node that goes by the log alone.
    let by_the_log = Terms::new(Confirm::Never);
    let (third, _third) = node(cluster.store(&prefix), by_the_log, PATIENT).await;
    for tokens in &all.ended {
        admit(&third, &tokens.access_token).await.unwrap_err();
    }
}

fn user_of(bucket: u8) -> UserId {
    let users = (0..).map(|number| user(&format!("user-{number}")));
    let mut of_bucket = users.filter(|user| bucket_of(user) == bucket);
    of_bucket.next().expect("they never end")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_step_begins_on_either_side_of_a_part_that_is_half_moved() {
    let cluster = Cluster::new();
    let prefix = fresh_prefix();
    let store = cluster.store(&prefix);
    let (auth, running) = node(store.clone(), Terms::default(), PATIENT).await;
    let (moved, stays) = (user_of(7), user_of(8));
    let tokens = patiently(async || sign_in(&auth, &moved).await).await;
    patiently(async || sign_in(&auth, &stays).await).await;
    running.shutdown().await;
    let fleet = format!("{{{prefix}:7}}:fleet");
    let begun = cluster.begin_move(&fleet);
    // Its sessions stay behind for now; on neither side may that look as if there were none.
    for key in [None, Some(&fleet)] {
        if let Some(key) = key {
            cluster.move_key(begun.0, begun.1, key);
        }
        let error = store.count(&moved).await.expect_err("it is half moved");
        assert!(error.is_unavailable(), "{error:?}");
        let refused = store.counters(&moved).await.expect_err("it is half moved");
        assert!(refused.is_unavailable(), "{refused:?}");
        assert_eq!(store.count(&stays).await.unwrap(), 1);
    }
    cluster.end_move(begun);
    let mut counted = store.count(&moved).await;
    for _ in 0..1_200 {
        if counted.is_ok() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
        counted = store.count(&moved).await;
    }
    assert_eq!(counted.unwrap(), 1);
    let found = store.find(tokens.session_id).await.unwrap();
    assert!(found.is_some_and(|record| record.ended.is_none()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_long_log_whose_slot_moves_is_read_whole_or_not_at_all() {
    const LINES: usize = 10_000;
    let cluster = Arc::new(Cluster::new());
    let prefix = fresh_prefix();
    let store = cluster.store(&prefix);
    let (_auth, running) = node(store.clone(), Terms::default(), PATIENT).await;
    running.shutdown().await;
    let owner = user_of(7);
    let line = |_| RevocationEntry {
        id: EntryId::random(),
        // Of one subject: few keys are to be moved.
        revoked: Revoked::Roles {
            user: owner.clone(),
            below: Counter::from_u64(1),
        },
        reason: EndReason::RolesChanged,
        at: SystemClock.now(),
        until: SystemClock.now() + Duration::from_secs(3_600),
    };
    for _ in 0..LINES / 1_000 {
        let some = (0..1_000).map(line).collect();
        store.append(some).await.unwrap();
    }
    let done = Arc::new(AtomicBool::new(false));
    let (moving, moved, over) = (cluster.clone(), prefix.clone(), done.clone());
    let moves = tokio::task::spawn_blocking(move || {
        for _ in 0..10 {
            let begun = moving.begin_move(&format!("{{{moved}:7}}:fleet"));
            moving.end_move(begun);
            std::thread::sleep(Duration::from_millis(100));
        }
        over.store(true, Ordering::Relaxed);
    });
    let mut read_after = false;
    for _ in 0..1_200 {
        let last = done.load(Ordering::Relaxed);
        let lease = Duration::from_secs(30);
        if let Ok(poll) = store.poll(PollRequest::new(NodeId(1), lease)).await {
            assert_eq!(poll.entries.len(), LINES);
            read_after = last;
            if last {
                break;
            }
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    moves.await.unwrap();
    assert!(read_after, "it is not read where it has come to rest");
}

/// What `docs/redis.md` says, without what the blacklist needs.
const ACL: &str = "+eval +evalsha +hello +ping +info +time +publish +subscribe +cluster|slots \
    +asking +get +incr +del +exists +pttl +pexpire +@hash +@sortedset +@stream";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_permissions_of_the_guide_are_enough_on_a_cluster() {
    let cluster = Cluster::new();
    for master in &cluster.masters {
        let mut command = vec!["ACL", "SETUSER", "sessions", "reset", "on", ">secret"];
        command.extend(["~{tower-jwt-session:*", "&{tower-jwt-session:*", "-@all"]);
        command.extend(ACL.split_whitespace());
        master.run::<()>(&command);
    }
    let address = cluster.address().replace("://", "://sessions:secret@");
    let store = RedisStore::new(&address).unwrap();
    let (auth, _running) = node(store, Terms::default(), PATIENT).await;
    let tokens = sign_in(&auth, &user("ada")).await.unwrap();
    let sessions = auth.sessions();
    let ended = sessions.end(tokens.session_id, EndReason::SignedOut);
    ended.await.unwrap().everywhere().await.unwrap();
    admit(&auth, &tokens.access_token).await.unwrap_err();
    for master in &cluster.masters {
        let denied: Vec<redis::Value> = master.run(&["ACL", "LOG"]);
        let told: Vec<_> = denied.iter().map(|entry| format!("{entry:?}")).collect();
        // Who may not ask for the persistence is not told of it.
        let others = told.iter().filter(|entry| !entry.contains("config|get"));
        let others = others.count();
        assert_eq!(others, 0, "{told:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_revoked_everywhere_is_refused_in_every_part_when_that_returns() {
    let cluster = Cluster::new();
    let prefix = fresh_prefix();
    let by_the_log = Terms::new(Confirm::Never);
    let (one, _running) = node(cluster.store(&prefix), by_the_log, PATIENT).await;
    let (other, _other) = node(cluster.store(&prefix), by_the_log, PATIENT).await;
    for round in 0..30 {
        let tokens = sign_in(&one, &user(&format!("user-{round}")))
            .await
            .unwrap();
        admit(&other, &tokens.access_token).await.unwrap();
        let sessions = one.sessions();
        let ended = sessions.end(tokens.session_id, EndReason::SignedOut);
        ended.await.unwrap().everywhere().await.unwrap();
        admit(&other, &tokens.access_token).await.unwrap_err();
    }
}
