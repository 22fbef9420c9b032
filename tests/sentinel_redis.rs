//! A primary that dies under load, and the replica that takes its place.

mod redis_server;
mod support;

use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use redis_server::{Server, free_port};
use support::{SECRET, admit, sign_in, user};
use tower_jwt_session::revocation::{Confirm, EndReason, Terms};
use tower_jwt_session::{JwtSession, RedisStore, Running, SessionLimit, Tokens};

/// A sentinel that watches one primary, on a port of its own.
struct Sentinel {
    port: u16,
    child: Child,
}

impl Sentinel {
    fn new(primary: &Server) -> Self {
        let port = free_port();
        let config = primary.folder().join("sentinel.conf");
        let text = format!(
            "port {port}\nbind 127.0.0.1\nsentinel monitor main 127.0.0.1 {} 1\n\
             sentinel down-after-milliseconds main 500\nsentinel failover-timeout main 3000\n",
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

async fn node(store: RedisStore, terms: Terms) -> (JwtSession, Running) {
    let auth = JwtSession::builder()
        .hmac_secret(SECRET)
        .limit(SessionLimit::UNLIMITED)
        .terms(terms)
        .store(store)
        .build()
        .unwrap();
    let running = auth.start().await.unwrap();
    (auth, running)
}

async fn eventually(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    for _ in 0..1_200 {
        if holds().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("{what}: not within a minute");
}

/// Signs in and ends for as long as it is told to; what was ended.
async fn work(auth: JwtSession, name: String, stop: Arc<AtomicBool>) -> Vec<Tokens> {
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
        }
        for tokens in ended.iter().rev().take(5) {
            admit(&auth, &tokens.access_token).await.unwrap_err();
        }
    }
    ended
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
    let (one, _running) = node(sentinel.store(), Terms::default()).await;
    let (other, _other_running) = node(sentinel.store(), Terms::default()).await;
    let stop = Arc::new(AtomicBool::new(false));
    let working: Vec<_> = (0..4)
        .map(|number| {
            let auth = if number % 2 == 0 { &one } else { &other };
            let name = format!("user-{number}");
            tokio::spawn(work(auth.clone(), name, stop.clone()))
        })
        .collect();
    tokio::time::sleep(Duration::from_millis(500)).await;
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
    assert!(ended.len() > 10, "{}", ended.len());
    for tokens in &ended {
        for auth in [&one, &other] {
            admit(auth, &tokens.access_token).await.unwrap_err();
        }
    }
    // A node that goes by the log alone, once the others have written back what it lost.
    let by_the_log = Terms::new(Confirm::Never);
    let (third, _third_running) = node(sentinel.store(), by_the_log).await;
    for tokens in &ended {
        eventually("it is refused", async || {
            admit(&third, &tokens.access_token).await.is_err()
        })
        .await;
    }
}
