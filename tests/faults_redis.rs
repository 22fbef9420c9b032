//! What happens to the Redis server, and what becomes of sessions and revocations then.

mod redis_server;
mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use redis_server::{DURABLE, Server};
use support::{SECRET, admit, patiently, sign_in, started, user};
use tower_jwt_session::revocation::{Confirm, EndReason, RevocationSettings, Terms};
use tower_jwt_session::session::AuditRequest;
use tower_jwt_session::{
    JwtSession, RedisStore, Running, SessionLimit, StoreError, StoreErrorKind, TokenId, Tokens,
    UserId,
};

async fn node_with(store: RedisStore, settings: RevocationSettings) -> (JwtSession, Running) {
    let auth = JwtSession::builder()
        .hmac_secret(SECRET)
        .revocation(settings)
        .limit(SessionLimit::UNLIMITED)
        .store(store)
        .build()
        .unwrap();
    let running = started(&auth).await;
    (auth, running)
}

/// The machine may be busy with other tests.
fn patient() -> RevocationSettings {
    RevocationSettings::default().with_store_timeout(Duration::from_secs(10))
}

async fn node(server: &Server) -> (JwtSession, Running) {
    node_with(server.store(), patient()).await
}

async fn end(auth: &JwtSession, tokens: &Tokens) {
    let sessions = auth.sessions();
    let ended = sessions.end(tokens.session_id, EndReason::AdminRevoked);
    assert_eq!(ended.await.unwrap().count(), 1);
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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_acknowledged_is_lost_when_the_server_is_killed() {
    let mut server = Server::with(&DURABLE);
    let mut random = fastrand::Rng::with_seed(17);
    for round in 0..10 {
        let (auth, running) = node(&server).await;
        let killed = Arc::new(AtomicBool::new(false));
        let written = Arc::new(AtomicUsize::new(0));
        let tasks: Vec<_> = (0..8)
            .map(|number| {
                let (auth, ada) = (auth.clone(), user(&format!("user-{round}-{number}")));
                let (killed, written) = (killed.clone(), written.clone());
                tokio::spawn(async move { work(&auth, &ada, &killed, &written).await })
            })
            .collect();
        eventually("there is something to lose", async || {
            written.load(Ordering::Relaxed) > 20
        })
        .await;
        tokio::time::sleep(Duration::from_millis(random.u64(0..200))).await;
        killed.store(true, Ordering::Relaxed);
        server.kill();
        server.start();
        // Once more, as the application would after a restart of its own.
        let said: Vec<_> = join_all(tasks)
            .await
            .into_iter()
            .map(Result::unwrap)
            .collect();
        let (again, _running) = node(&server).await;
        for (alive, ended) in said {
            for tokens in alive {
                admit(&again, &tokens.access_token).await.unwrap();
                let refresh = tokens.refresh_token.unwrap();
                again.sessions().refresh(&refresh).await.unwrap();
            }
            for tokens in ended {
                admit(&again, &tokens.access_token).await.unwrap_err();
                let refresh = tokens.refresh_token.unwrap();
                again.sessions().refresh(&refresh).await.unwrap_err();
            }
        }
        running.shutdown().await;
    }
}

/// Signs in and ends until the server is killed; what was acknowledged as alive and as ended. What
/// was being ended when that failed is neither.
async fn work(
    auth: &JwtSession,
    ada: &UserId,
    killed: &AtomicBool,
    written: &AtomicUsize,
) -> (Vec<Tokens>, Vec<Tokens>) {
    let (mut alive, mut ended) = (Vec::new(), Vec::new());
    for number in 0_u32.. {
        if killed.load(Ordering::Relaxed) {
            break;
        }
        match sign_in(auth, ada).await {
            Ok(tokens) => alive.push(tokens),
            Err(_) => break,
        }
        written.fetch_add(1, Ordering::Relaxed);
        if number % 3 == 2 {
            let tokens = alive.swap_remove(0);
            let sessions = auth.sessions();
            match sessions
                .end(tokens.session_id, EndReason::AdminRevoked)
                .await
            {
                Ok(_) => ended.push(tokens),
                Err(_) => break,
            }
        }
    }
    (alive, ended)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_hangs_costs_the_deadline_and_no_more() {
    let server = Server::new();
    let settings = RevocationSettings::default()
        .with_max_staleness(Duration::from_secs(1))
        .with_poll_interval(Duration::from_millis(200));
    let (auth, _running) = node_with(server.store(), settings).await;
    // The deadline, which is the default, is shorter than a busy machine may need.
    let tokens = patiently(async || sign_in(&auth, &user("ada")).await).await;
    let revoked = patiently(async || sign_in(&auth, &user("ada")).await).await;
    let sessions = auth.sessions();
    let end = async || {
        sessions
            .end(revoked.session_id, EndReason::AdminRevoked)
            .await
    };
    patiently(end).await;
    server.signal("-STOP");
    let stopped = Instant::now();
    let mut refused = false;
    while stopped.elapsed() < Duration::from_secs(4) {
        // A quarter of a second each, and what a busy machine adds; without a deadline, for ever.
        let asked = tokio::time::timeout(Duration::from_secs(30), async {
            refused = admit(&auth, &tokens.access_token).await.is_err();
            admit(&auth, &revoked.access_token).await.unwrap_err();
        });
        asked.await.expect("both are answered");
    }
    assert!(
        refused,
        "nothing was read for longer than the view may be old"
    );
    server.signal("-CONT");
    eventually("the token is admitted again", async || {
        admit(&auth, &revoked.access_token).await.unwrap_err();
        admit(&auth, &tokens.access_token).await.is_ok()
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_server_forgets_is_written_back_and_nobody_revoked_gets_in() {
    let mut server = Server::new();
    let (one, _running) = node(&server).await;
    let (other, _other_running) = node(&server).await;
    for round in 0..4 {
        let ended = sign_in(&one, &user("ada")).await.unwrap();
        let of_all = sign_in(&one, &user("bob")).await.unwrap();
        end(&one, &ended).await;
        one.sessions().end_all(&user("bob")).await.unwrap();
        let out = [&ended.access_token, &of_all.access_token];
        for token in out {
            eventually("the other node has heard", async || {
                admit(&other, token).await.is_err()
            })
            .await;
        }
        if round % 2 == 0 {
            let _: () = server.run(&["FLUSHALL"]);
        } else {
            server.kill();
            server.start();
        }
        for _ in 0..20 {
            for token in out {
                admit(&one, token).await.unwrap_err();
                admit(&other, token).await.unwrap_err();
            }
        }
        eventually("the log has its lines again", async || {
            let lines: u64 = server.run(&["ZCARD", "{tower-jwt-session}:log"]);
            lines >= 2 * (round + 1)
        })
        .await;
        eventually("sessions are made again", async || {
            match sign_in(&one, &user("carol")).await {
                Ok(new) => admit(&other, &new.access_token).await.is_ok(),
                Err(_) => false,
            }
        })
        .await;
        // A node that never heard of them learns it from the log.
        let without_questions = Terms::new(Confirm::Never);
        let third = JwtSession::builder()
            .hmac_secret(SECRET)
            .store(server.store())
            .terms(without_questions)
            .revocation(patient())
            .build()
            .unwrap();
        let _third_running = started(&third).await;
        for token in out {
            admit(&third, token).await.unwrap_err();
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_connections_and_flushed_scripts_are_not_noticed() {
    let server = Server::new();
    let (auth, _running) = node(&server).await;
    for round in 0..20 {
        match round % 3 {
            0 => {
                let _: u64 = server.run(&["CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"]);
            }
            1 => {
                let _: u64 = server.run(&["CLIENT", "KILL", "TYPE", "pubsub"]);
            }
            _ => {
                let _: () = server.run(&["SCRIPT", "FLUSH"]);
            }
        }
        let tokens = sign_in(&auth, &user("ada")).await.unwrap();
        admit(&auth, &tokens.access_token).await.unwrap();
        end(&auth, &tokens).await;
        admit(&auth, &tokens.access_token).await.unwrap_err();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_asks_in_the_moment_in_which_the_connection_breaks_is_answered() {
    let server = Server::new();
    let (auth, _running) = node(&server).await;
    let client = redis::Client::open(format!("redis://127.0.0.1:{}", server.port)).unwrap();
    let mut killer = client.get_connection().unwrap();
    for round in 0..400 {
        let killed = redis::cmd("CLIENT")
            .arg(&["KILL", "TYPE", "normal", "SKIPME", "yes"])
            .query::<u64>(&mut killer);
        assert_ne!(killed.unwrap(), 0, "round {round}");
        sign_in(&auth, &user("ada")).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_caller_who_hangs_up_disturbs_nobody() {
    let server = Server::new();
    let (auth, _running) = node(&server).await;
    for round in 0..200 {
        let _ = tokio::time::timeout(
            Duration::from_micros(round * 10),
            sign_in(&auth, &user("bob")),
        )
        .await;
        let tokens = sign_in(&auth, &user("ada")).await.unwrap();
        let session = admit(&auth, &tokens.access_token).await.unwrap();
        assert_eq!(session.id(), Some(tokens.session_id));
    }
}

async fn refusal(store: RedisStore) -> (StoreErrorKind, String) {
    let auth = JwtSession::builder()
        .hmac_secret(SECRET)
        .store(store)
        .build()
        .unwrap();
    let error: StoreError = auth.start().await.expect_err("it must not start");
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(&error);
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    (error.kind(), text)
}

#[tokio::test]
async fn a_server_that_may_evict_is_refused() {
    let server = Server::with(&["--maxmemory-policy", "allkeys-lru"]);
    let (kind, what) = refusal(server.store()).await;
    assert_eq!(kind, StoreErrorKind::Configuration);
    assert!(what.contains("set maxmemory-policy noeviction"), "{what}");
    let keys: u64 = server.run(&["DBSIZE"]);
    assert_eq!(keys, 0);
}

#[tokio::test]
async fn a_wrong_password_is_one_clear_sentence_without_the_password() {
    let server = Server::with(&["--requirepass", "right-one"]);
    for address in [
        format!("redis://:wrong-one@127.0.0.1:{}", server.port),
        format!("redis://wrong-one:wrong-one@127.0.0.1:{}", server.port),
        format!("redis://127.0.0.1:{}", server.port),
    ] {
        let (kind, what) = refusal(RedisStore::new(&address).unwrap()).await;
        assert_eq!(kind, StoreErrorKind::Configuration, "{what}");
        assert!(what.contains("password is wrong"), "{what}");
        assert!(!what.contains("wrong-one"), "{what}");
    }
    let address = format!("redis://:right-one@127.0.0.1:{}", server.port);
    let _node = node_with(RedisStore::new(&address).unwrap(), patient()).await;
}

#[tokio::test]
async fn an_address_at_which_nobody_is_or_somebody_else_is_is_said() {
    let port = redis_server::free_port();
    let store = RedisStore::new(&format!("redis://127.0.0.1:{port}")).unwrap();
    let (kind, what) = refusal(store).await;
    assert_eq!(kind, StoreErrorKind::Unavailable);
    assert!(what.contains("cannot be reached"), "{what}");
    let server = Server::new();
    let store = RedisStore::new(&format!("rediss://127.0.0.1:{}", server.port)).unwrap();
    let (_, what) = refusal(store).await;
    assert!(what.contains("whether it speaks TLS"), "{what}");
    let store = RedisStore::new(&format!("redis://127.0.0.1:{}/99", server.port)).unwrap();
    refusal(store).await;
}

#[tokio::test]
async fn a_replica_is_refused() {
    let primary = Server::new();
    let replica = Server::with(&["--replicaof", "127.0.0.1", &primary.port.to_string()]);
    let (kind, what) = refusal(replica.store()).await;
    assert_eq!(kind, StoreErrorKind::Unavailable);
    assert!(
        what.contains("replica") || what.contains("loading"),
        "{what}"
    );
}

/// The rule of docs/redis.md.
const ACL: &str = "+eval +evalsha +hello +ping +info +time +publish +subscribe \
    +client|tracking +select +scan +mget +get +set +incr +del +exists +pttl \
    +pexpire +@hash +@sortedset +@stream";

fn with_user(server: &Server, rules: &str) -> RedisStore {
    let mut command = vec!["ACL", "SETUSER", "sessions", "reset", "on", ">secret"];
    command.extend([
        "~{tower-jwt-session}:*",
        "~blacklist:*",
        "&{tower-jwt-session}:*",
    ]);
    command.extend(rules.split_whitespace());
    let _: () = server.run(&command);
    let address = format!("redis://sessions:secret@127.0.0.1:{}", server.port);
    RedisStore::new(&address).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_permissions_of_the_guide_are_enough() {
    let server = Server::new();
    let store = with_user(&server, ACL);
    let (auth, _running) = node_with(store.clone(), patient()).await;
    let tokens = sign_in(&auth, &user("ada")).await.unwrap();
    admit(&auth, &tokens.access_token).await.unwrap();
    let refresh = tokens.refresh_token.clone().unwrap();
    auth.sessions().refresh(&refresh).await.unwrap();
    end(&auth, &tokens).await;
    auth.sessions().erase(&user("ada")).await.unwrap();
    eventually("the audit log is written", async || {
        let page = auth.sessions().audit(AuditRequest::new(1)).await.unwrap();
        page.entries.iter().any(|entry| entry.event == "erased")
    })
    .await;
    eventually("the server pushes", async || {
        let heard: u64 = server.run(&["PUBLISH", "{tower-jwt-session}:news", ""]);
        heard == 1
    })
    .await;
    let denied: Vec<redis::Value> = server.run(&["ACL", "LOG"]);
    for entry in &denied {
        // The driver offers its name, and this store asks how durable the server is.
        let entry = format!("{entry:?}");
        let refused = ["config", "setinfo"]
            .iter()
            .any(|name| entry.contains(name));
        assert!(refused, "{entry}");
    }
}

#[tokio::test]
async fn a_missing_permission_is_named() {
    for (missing, named) in [
        ("-info", "info"),
        ("-zadd", "ZADD"),
        ("-evalsha", "evalsha"),
    ] {
        let server = Server::new();
        let store = with_user(&server, &format!("{ACL} {missing}"));
        let (kind, what) = refusal(store).await;
        assert_eq!(kind, StoreErrorKind::Configuration, "{missing}: {what}");
        assert!(what.contains("permission"), "{missing}: {what}");
        assert!(
            what.to_lowercase().contains(&named.to_lowercase()),
            "{missing}: {what}"
        );
        let keys: u64 = server.run(&["DBSIZE"]);
        assert_eq!(keys, 0, "{missing}");
    }
}

#[tokio::test]
async fn keys_of_somebody_else_are_left_alone() {
    let server = Server::new();
    let _: () = server.run(&["SET", "{tower-jwt-session}:fleet", "theirs"]);
    let (kind, what) = refusal(server.store()).await;
    assert_eq!(kind, StoreErrorKind::Configuration);
    assert!(what.contains("choose another prefix"), "{what}");
    let theirs: String = server.run(&["GET", "{tower-jwt-session}:fleet"]);
    assert_eq!(theirs, "theirs");
    let server = Server::new();
    let _: u64 = server.run(&["HSET", "{tower-jwt-session}:fleet", "version", "2"]);
    let (kind, what) = refusal(server.store()).await;
    assert_eq!(kind, StoreErrorKind::Configuration);
    assert!(what.contains("newer version"), "{what}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn corrupt_records_let_nobody_in_and_stop_nobody_else() {
    let server = Server::new();
    let (auth, _running) = node(&server).await;
    // Places in the field of what decides: "c la rg sp g p ra us eu ia ax ex px rp rs ab n op il lv".
    for (place, value) in [
        (Some(11), "9e99"),
        (Some(15), "nan"),
        (Some(4), "-1"),
        (None, ""),
        (Some(11), "0x7fffffffffff"),
        (Some(2), "99999999999999999999"),
        (Some(18), "soon"),
        (Some(19), ""),
    ] {
        let field = place.map_or("u", |_| "st");
        let ada = user(&format!("ada-{place:?}-{value}"));
        let corrupt = sign_in(&auth, &ada).await.unwrap();
        let sound = sign_in(&auth, &ada).await.unwrap();
        let key = format!("{{tower-jwt-session}}:s:{}", corrupt.session_id);
        let state: String = server.run(&["HGET", &key, "st"]);
        let mut parts: Vec<&str> = state.split(' ').collect();
        if let Some(place) = place {
            parts[place] = value;
        }
        let corrupt_value = place.map_or_else(String::new, |_| parts.join(" "));
        let _: u64 = server.run(&["HSET", &key, field, &corrupt_value]);
        admit(&auth, &corrupt.access_token).await.unwrap_err();
        let refresh = corrupt.refresh_token.clone().unwrap();
        auth.sessions().refresh(&refresh).await.unwrap_err();
        admit(&auth, &sound.access_token).await.unwrap();
        let listed = auth.sessions().list(&ada).await.unwrap();
        assert_eq!(listed.len(), 1, "{place:?} {value}");
        assert_eq!(
            auth.sessions().count(&ada).await.unwrap(),
            1,
            "{place:?} {value}"
        );
        sign_in(&auth, &ada).await.unwrap();
        auth.sessions().end_all(&ada).await.unwrap();
    }
    let foreign = sign_in(&auth, &user("bob")).await.unwrap();
    let key = format!("{{tower-jwt-session}}:s:{}", foreign.session_id);
    let _: u64 = server.run(&["DEL", &key]);
    let _: () = server.run(&["SET", &key, "something else"]);
    admit(&auth, &foreign.access_token).await.unwrap_err();
    assert_eq!(auth.sessions().count(&user("bob")).await.unwrap(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_corrupt_line_of_the_log_puts_out_all_of_its_subject() {
    let server = Server::new();
    let (auth, _running) = node(&server).await;
    let tokens = sign_in(&auth, &user("ada")).await.unwrap();
    let other = sign_in(&auth, &user("ada")).await.unwrap();
    end(&auth, &tokens).await;
    let names: Vec<String> = server.run(&["HKEYS", "{tower-jwt-session}:entries"]);
    let line = format!("garbage\nsession:{}\n", tokens.session_id);
    let _: u64 = server.run(&["HSET", "{tower-jwt-session}:entries", &names[0], &line]);
    for confirm in [Confirm::Never, Confirm::FirstSight] {
        let fresh = JwtSession::builder()
            .hmac_secret(SECRET)
            .store(server.store())
            .terms(Terms::new(confirm))
            .revocation(patient())
            .build()
            .unwrap();
        let _running = fresh.start().await.unwrap();
        admit(&fresh, &tokens.access_token).await.unwrap_err();
        admit(&fresh, &other.access_token).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_ended_session_is_listed_for_services_that_know_the_blacklist() {
    let server = Server::new();
    let (auth, _running) = node(&server).await;
    let tokens = sign_in(&auth, &user("ada")).await.unwrap();
    let refresh = tokens.refresh_token.clone().unwrap();
    auth.sessions().refresh(&refresh).await.unwrap();
    let keys: Vec<String> = server.run(&["KEYS", "blacklist:*"]);
    assert!(keys.is_empty(), "{keys:?}");
    end(&auth, &tokens).await;
    for generation in [1, 2] {
        let id = TokenId::of_generation(tokens.session_id, generation);
        let key = format!("blacklist:{id}");
        let exists: u64 = server.run(&["EXISTS", &key]);
        assert_eq!(exists, 1, "{key}");
        let ttl: i64 = server.run(&["TTL", &key]);
        // The access tokens' two hours, the leeway, and the rounding of `exp`.
        assert!((7_000..=7_200 + 62).contains(&ttl), "{ttl}");
    }
    let keys: Vec<String> = server.run(&["KEYS", "blacklist:*"]);
    assert_eq!(keys.len(), 2);
    let lines: u64 = server.run(&["ZCARD", "{tower-jwt-session}:log"]);
    assert_eq!(
        lines, 1,
        "what this store lists is not heard as another service's"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_that_another_service_lists_is_out_on_every_node() {
    let mut server = Server::with(&DURABLE);
    let (one, _running) = node(&server).await;
    let (other, _other_running) = node(&server).await;
    let tokens = sign_in(&one, &user("ada")).await.unwrap();
    let still = sign_in(&one, &user("ada")).await.unwrap();
    let listed =
        |tokens: &Tokens| format!("blacklist:{}", TokenId::of_generation(tokens.session_id, 1));
    let _: () = server.run(&["SET", &listed(&tokens), "revoked", "EX", "900"]);
    for node in [&one, &other] {
        eventually("it is refused", async || {
            admit(node, &tokens.access_token).await.is_err()
        })
        .await;
        admit(node, &still.access_token).await.unwrap();
    }
    // Listed before this node began.
    let (third, _third_running) = node(&server).await;
    eventually("it is refused", async || {
        admit(&third, &tokens.access_token).await.is_err()
    })
    .await;
    server.kill();
    server.start();
    let _: () = server.run(&["SET", &listed(&still), "revoked", "EX", "900"]);
    eventually("it is refused", async || {
        admit(&one, &still.access_token).await.is_err()
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everything_that_is_written_has_an_end() {
    let server = Server::new();
    let (auth, _running) = node(&server).await;
    let tokens = sign_in(&auth, &user("ada")).await.unwrap();
    auth.sessions().roles_changed(&user("ada")).await.unwrap();
    end(&auth, &tokens).await;
    sign_in(&auth, &user("ada")).await.unwrap();
    auth.sessions().end_all(&user("ada")).await.unwrap();
    let keys: Vec<String> = server.run(&["KEYS", "*"]);
    assert!(keys.len() > 10, "{keys:?}");
    for key in keys {
        let ttl: i64 = server.run(&["TTL", &key]);
        let stays = key.ends_with(":fleet") || key.ends_with(":seq");
        assert_eq!(ttl == -1, stays, "{key}: {ttl}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_of_the_application_serves_as_well() {
    let server = Server::new();
    let client = redis::Client::open(server.address()).unwrap();
    let connection = redis::aio::ConnectionManager::new(client).await.unwrap();
    let store = RedisStore::with_connection(&server.address(), connection).unwrap();
    let (auth, _running) = node_with(store, patient()).await;
    let tokens = sign_in(&auth, &user("ada")).await.unwrap();
    let _: u64 = server.run(&["CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"]);
    eventually("the connection is mended", async || {
        admit(&auth, &tokens.access_token).await.is_ok()
    })
    .await;
    let evicting = Server::with(&["--maxmemory-policy", "allkeys-lru"]);
    let client = redis::Client::open(evicting.address()).unwrap();
    let connection = redis::aio::ConnectionManager::new(client).await.unwrap();
    let store = RedisStore::with_connection(&evicting.address(), connection).unwrap();
    assert_eq!(refusal(store).await.0, StoreErrorKind::Configuration);
}

const TLS_ADDRESS: &str = "REDIS_TLS_ADDRESS";

/// Does nothing unless another test started it, with a trusted certificate in its environment.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_part_in_another_process() {
    let Ok(address) = std::env::var(TLS_ADDRESS) else {
        return;
    };
    let (auth, _running) = node_with(RedisStore::new(&address).unwrap(), patient()).await;
    let tokens = sign_in(&auth, &user("ada")).await.unwrap();
    admit(&auth, &tokens.access_token).await.unwrap();
    end(&auth, &tokens).await;
    admit(&auth, &tokens.access_token).await.unwrap_err();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_are_encrypted_and_only_trusted_servers_are_talked_to() {
    let folder = std::env::temp_dir().join(format!(
        "redis-tls-{}",
        tower_jwt_session::SessionId::random()
    ));
    std::fs::create_dir(&folder).unwrap();
    let (key, certificate) = (folder.join("key.pem"), folder.join("certificate.pem"));
    let made = std::process::Command::new("openssl")
        .args([
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
        ])
        .args(["-nodes", "-days", "2", "-subj", "/CN=localhost"])
        .args(["-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"])
        .args(["-addext", "basicConstraints=critical,CA:FALSE"])
        .arg("-keyout")
        .arg(&key)
        .arg("-out")
        .arg(&certificate)
        .output()
        .unwrap();
    assert!(made.status.success(), "{made:?}");
    let port = redis_server::free_port().to_string();
    let _server = Server::with(&[
        "--tls-port",
        &port,
        "--tls-cert-file",
        certificate.to_str().unwrap(),
        "--tls-key-file",
        key.to_str().unwrap(),
        "--tls-auth-clients",
        "no",
    ]);
    let address = format!("rediss://localhost:{port}");
    let (kind, what) = refusal(RedisStore::new(&address).unwrap()).await;
    assert_eq!(kind, StoreErrorKind::Unavailable, "{what}");
    assert!(what.to_lowercase().contains("certificate"), "{what}");
    let trusting = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "a_part_in_another_process"])
        .env(TLS_ADDRESS, &address)
        .env("SSL_CERT_FILE", &certificate)
        .output()
        .unwrap();
    std::fs::remove_dir_all(&folder).unwrap();
    assert!(trusting.status.success(), "{trusting:?}");
}
