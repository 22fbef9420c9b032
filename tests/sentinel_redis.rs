//! A primary that dies under load, and the replica that takes its place.

mod redis_server;
mod support;

use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use redis_server::{Server, free_port};
use support::{SECRET, admit, sign_in, started, user};
use tower_jwt_session::revocation::{
    Confirm, EndReason, EntryId, RevocationEntry, RevocationSettings, RevocationStore, Revoked,
    Terms,
};
use tower_jwt_session::{
    JwtSession, RedisStore, Running, SessionId, SessionLimit, SessionStore, StoreErrorKind, Tokens,
    UnixTime,
};

/// A sentinel that watches one primary, on a port of its own.
struct Sentinel {
    port: u16,
    child: Child,
}

impl Sentinel {
    fn new(primary: &Server) -> Self {
        Self::with(primary, "")
    }

    fn with(primary: &Server, more: &str) -> Self {
        let port = free_port();
        let config = primary.folder().join("sentinel.conf");
        let text = format!(
            "port {port}\nbind 127.0.0.1\nsentinel monitor main 127.0.0.1 {} 1\n\
             sentinel down-after-milliseconds main 500\nsentinel failover-timeout main 3000\n{more}",
            primary.port
        );
        std::fs::write(&config, text).expect("the folder is ours");
        let child = Command::new("redis-sentinel")
            .arg(&config)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("redis-sentinel is installed; tests/run.sh does it");
        Self { port, child }
    }

    fn ask(&self, command: &[&str]) -> Option<Vec<String>> {
        let client = redis::Client::open(format!("redis://127.0.0.1:{}", self.port)).ok()?;
        let mut connection = client.get_connection().ok()?;
        redis::cmd("SENTINEL")
            .arg(command)
            .query(&mut connection)
            .ok()
    }

    fn knows_a_replica(&self) -> bool {
        let Ok(client) = redis::Client::open(format!("redis://127.0.0.1:{}", self.port)) else {
            return false;
        };
        let Ok(mut connection) = client.get_connection() else {
            return false;
        };
        let replicas: redis::RedisResult<Vec<redis::Value>> = redis::cmd("SENTINEL")
            .arg(&["replicas", "main"])
            .query(&mut connection);
        let told = format!("{replicas:?}");
        replicas.is_ok_and(|replicas| !replicas.is_empty())
            && told.contains("master-link-status")
            && !told.contains("s_down")
            && !told.contains("disconnected")
    }

    fn store(&self) -> RedisStore {
        let nobody = free_port();
        // One of the sentinels is not there.
        let address = format!(
            "redis+sentinel://127.0.0.1:{nobody},127.0.0.1:{}/main",
            self.port
        );
        RedisStore::new(&address).expect("the address is one")
    }
}

impl Drop for Sentinel {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The machine may be busy with other tests; what has to notice a failover has the default.
fn patient() -> RevocationSettings {
    RevocationSettings::default().with_store_timeout(Duration::from_secs(10))
}

async fn node(
    store: RedisStore,
    terms: Terms,
    settings: RevocationSettings,
) -> (JwtSession, Running) {
    let auth = JwtSession::builder()
        .hmac_secret(SECRET)
        .revocation(settings)
        .limit(SessionLimit::UNLIMITED)
        .terms(terms)
        .store(store)
        .build()
        .unwrap();
    let running = started(&auth).await;
    (auth, running)
}

/// Waits until something holds: a sentinel that was held up trusts its clock again only after half
/// a minute.
async fn eventually(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    for _ in 0..3_600 {
        if holds().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("{what}: not within three minutes");
}

/// Signs in and ends for as long as it is told to; what was ended, which is counted.
async fn work(
    auth: JwtSession,
    name: String,
    stop: Arc<AtomicBool>,
    lives: Arc<AtomicUsize>,
) -> Vec<Tokens> {
    let mut ended = Vec::new();
    while !stop.load(Ordering::Relaxed) {
        let Ok(tokens) = sign_in(&auth, &user(&name)).await else {
            tokio::time::sleep(Duration::from_millis(20)).await;
            continue;
        };
        let sessions = auth.sessions();
        let done = sessions
            .end(tokens.session_id, EndReason::AdminRevoked)
            .await;
        // The new primary may never have heard of the session; only what was ended counts.
        if done.is_ok_and(|done| done.count() == 1) {
            ended.push(tokens);
            lives.fetch_add(1, Ordering::Relaxed);
        }
        for tokens in ended.iter().rev().take(5) {
            admit(&auth, &tokens.access_token).await.unwrap_err();
        }
    }
    ended
}

#[tokio::test]
async fn sentinels_that_ask_for_a_password_are_given_their_own() {
    let primary = Server::new();
    let sentinel = Sentinel::with(&primary, "requirepass its-own\n");
    let store = |more: &str| {
        let address = format!("redis+sentinel://127.0.0.1:{}/main{more}", sentinel.port);
        RedisStore::new(&address).expect("the address is one")
    };
    let ada = user("ada");
    eventually("the sentinel answers", async || {
        let store = store("?sentinel_password=its-own");
        store.counters(&ada).await.is_ok()
    })
    .await;
    for wrong in ["", "?sentinel_password=another"] {
        let error = store(wrong).counters(&ada).await.expect_err("it is wrong");
        assert_eq!(error.kind(), StoreErrorKind::Configuration, "{error:?}");
    }
}

/// Its log is the longer one, so its numbers alone would tell nothing.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_promoted_replica_that_lost_a_tail_and_took_newer_entries_gets_it_back() {
    let mut primary = Server::new();
    let port = primary.port.to_string();
    let mut replica = Server::with(&["--replicaof", "127.0.0.1", &port]);
    let (one, _running) = node(primary.store(), Terms::default(), patient()).await;
    let mut signed_in = Vec::new();
    for _ in 0..5 {
        signed_in.push(sign_in(&one, &user("ada")).await.unwrap());
    }
    eventually("the replica has all", async || {
        let seen = |server: &Server| {
            let info: String = server.run(&["INFO", "replication"]);
            let offset = info
                .lines()
                .find(|line| line.starts_with("master_repl_offset"));
            (
                info.contains("master_link_status:up"),
                offset.map(str::to_owned),
            )
        };
        let (is_up, offset) = seen(&replica);
        is_up && offset == seen(&primary).1
    })
    .await;
    replica.run::<()>(&["REPLICAOF", "NO", "ONE"]);
    for tokens in &signed_in {
        let sessions = one.sessions();
        let ended = sessions.end(tokens.session_id, EndReason::AdminRevoked);
        assert_eq!(ended.await.unwrap().count(), 1);
    }
    let behind = replica.store();
    for _ in 0..30 {
        let session = SessionId::random();
        let newer = RevocationEntry {
            id: EntryId::random(),
            revoked: Revoked::Session {
                session,
                user: None,
            },
            reason: EndReason::AdminRevoked,
            at: UnixTime::EPOCH,
            until: UnixTime::EPOCH,
        };
        behind.append(vec![newer]).await.unwrap();
    }
    primary.kill();
    replica.run::<()>(&["CONFIG", "SET", "port", &port]);
    replica.port = primary.port;
    let by_the_log = Terms::new(Confirm::Never);
    let (third, _third) = node(replica.store(), by_the_log, patient()).await;
    let promoted = replica.store();
    for tokens in &signed_in {
        admit(&one, &tokens.access_token).await.unwrap_err();
        eventually("it is refused by the log alone", async || {
            admit(&third, &tokens.access_token).await.is_err()
        })
        .await;
        let id = tokens.session_id;
        eventually("the session has ended in the store, too", async || {
            let found = promoted.find(id).await;
            found.is_ok_and(|found| found.is_some_and(|record| record.ended.is_some()))
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failover_forgets_no_revocation_that_a_node_still_knows() {
    let mut primary = Server::new();
    let replica = Server::with(&["--replicaof", "127.0.0.1", &primary.port.to_string()]);
    let sentinel = Sentinel::new(&primary);
    eventually("the sentinel knows the replica", async || {
        sentinel.knows_a_replica()
    })
    .await;
    let hasty = RevocationSettings::default;
    let (one, _running) = node(sentinel.store(), Terms::default(), hasty()).await;
    let (other, _other) = node(sentinel.store(), Terms::default(), hasty()).await;
    let stop = Arc::new(AtomicBool::new(false));
    let lives = Arc::new(AtomicUsize::new(0));
    let working: Vec<_> = (0..4)
        .map(|number| {
            let auth = if number % 2 == 0 { &one } else { &other };
            let name = format!("user-{number}");
            tokio::spawn(work(auth.clone(), name, stop.clone(), lives.clone()))
        })
        .collect();
    eventually("there is something to lose", async || {
        lives.load(Ordering::Relaxed) > 20
    })
    .await;
    primary.kill();
    let promoted = replica.port.to_string();
    eventually("the replica is promoted", async || {
        let told = sentinel.ask(&["get-master-addr-by-name", "main"]);
        told.is_some_and(|told| told.get(1) == Some(&promoted))
    })
    .await;
    eventually("sessions are made again", async || {
        let Ok(tokens) = sign_in(&one, &user("ada")).await else {
            return false;
        };
        admit(&other, &tokens.access_token).await.is_ok()
    })
    .await;
    stop.store(true, Ordering::Relaxed);
    let mut ended = Vec::new();
    for worker in working {
        ended.extend(worker.await.unwrap());
    }
    for tokens in &ended {
        for auth in [&one, &other] {
            admit(auth, &tokens.access_token).await.unwrap_err();
        }
    }
    // A node that goes by the log alone, once the others have written back what it lost.
    let by_the_log = Terms::new(Confirm::Never);
    let (third, _third_running) = node(sentinel.store(), by_the_log, patient()).await;
    for tokens in &ended {
        eventually("it is refused", async || {
            admit(&third, &tokens.access_token).await.is_err()
        })
        .await;
    }
}
