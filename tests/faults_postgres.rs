//! What the PostgreSQL store does when the server, or what stands in it, is not as it should be.

#[path = "support/postgres.rs"]
mod postgres;
mod support;

use std::error::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::{Duration, Instant};

use postgres::{Cluster, PASSWORD, eventually, some_name};
use sqlx::{Connection, PgConnection, Row};
use support::{SECRET, admit, sign_in, started, user};
use tower_jwt_session::revocation::{
    Cursor, EndReason, EntryId, NodeId, Poll, PollRequest, RevocationEntry, RevocationSettings,
    RevocationStore, Revoked,
};
use tower_jwt_session::{
    JwtSession, PostgresStore, Rejection, Running, SessionError, SessionLimit, SessionStore,
    StoreErrorKind, TokenId, Tokens, UnixTime,
};

struct Node {
    auth: JwtSession,
    _running: Running,
}

impl Node {
    async fn on(address: &str) -> Self {
        Self::with(PostgresStore::new(address).expect("a good address"), |_| {}).await
    }

    async fn with(store: PostgresStore, set: impl FnOnce(&mut RevocationSettings)) -> Self {
        let mut settings = RevocationSettings::default().with_store_timeout(Duration::from_secs(5));
        set(&mut settings);
        let auth = JwtSession::builder()
            .hmac_secret(SECRET)
            .revocation(settings)
            .limit(SessionLimit::UNLIMITED)
            .store(store)
            .build()
            .expect("a good configuration");
        let running = started(&auth).await;
        Self {
            auth,
            _running: running,
        }
    }

    async fn sign_in(&self, name: &str) -> Tokens {
        sign_in(&self.auth, &user(name)).await.expect("it answers")
    }

    async fn end(&self, tokens: &Tokens) {
        let sessions = self.auth.sessions();
        let ended = sessions.end(tokens.session_id, EndReason::AdminRevoked);
        ended.await.expect("it answers");
    }

    async fn is_out(&self, tokens: &Tokens) -> bool {
        let refused = admit(&self.auth, &tokens.access_token).await;
        matches!(refused, Err(Rejection::TokenRevoked { .. }))
    }
}

/// What an address is refused with.
async fn refusal(
    store: Result<PostgresStore, tower_jwt_session::StoreError>,
) -> (StoreErrorKind, String) {
    let store = match store {
        Ok(store) => store.leases().await.map(drop),
        Err(error) => Err(error),
    };
    let error = store.expect_err("refused");
    let mut told = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        told = format!("{told}: {cause}");
        source = cause.source();
    }
    assert!(
        !told.contains(PASSWORD) && !format!("{error:?}").contains(PASSWORD),
        "{told}"
    );
    (error.kind(), told)
}

async fn refused_as_configured(
    store: Result<PostgresStore, tower_jwt_session::StoreError>,
    what: &str,
) {
    let (kind, told) = refusal(store).await;
    assert_eq!(kind, StoreErrorKind::Configuration, "{told}");
    assert!(told.contains(what), "{told}");
}

async fn poll(store: &PostgresStore, since: Option<&Cursor>, probes: &[EntryId]) -> Poll {
    let mut request = PollRequest::new(NodeId(7), Duration::from_secs(60));
    request.since = since;
    request.probes = probes;
    store.poll(request).await.expect("the server answers")
}

fn some_entry() -> RevocationEntry {
    RevocationEntry {
        id: EntryId::random(),
        revoked: Revoked::Token {
            token: TokenId::new(some_name()).expect("a good name"),
            user: None,
        },
        reason: EndReason::AdminRevoked,
        at: UnixTime::EPOCH,
        until: UnixTime::EPOCH,
    }
}

async fn tables_in(server: &Cluster, database: &str) -> i64 {
    let rows = server
        .execute(
            database,
            "SELECT count(*) AS count FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace \
             WHERE c.relname LIKE 'jwt%' AND c.relkind = 'r'",
        )
        .await;
    rows[0].get("count")
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_with_an_address_is_said_without_the_password() {
    let server = postgres::shared();
    let at = |user: &str, password: &str, database: &str| {
        PostgresStore::new(&server.url(user, password, database))
    };
    refused_as_configured(
        at("postgres", "wrong", "postgres"),
        "refuses user or password",
    )
    .await;
    refused_as_configured(
        at("nobody", PASSWORD, "postgres"),
        "refuses user or password",
    )
    .await;
    refused_as_configured(
        at("postgres", PASSWORD, "absent"),
        "no database of that name",
    )
    .await;
    let scheme = server
        .admin("postgres")
        .replace("postgres://", "postgers://");
    refused_as_configured(PostgresStore::new(&scheme), "cannot be read").await;
    let nowhere = format!("postgres://postgres:{PASSWORD}@127.0.0.1:1/postgres");
    let (kind, told) = refusal(PostgresStore::new(&nowhere)).await;
    assert_eq!(kind, StoreErrorKind::Unavailable);
    assert!(told.contains("cannot be reached"), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn tables_of_somebody_else_are_left_alone() {
    let server = postgres::shared();
    for sql in [
        "CREATE TABLE jwt_sessions (id INTEGER PRIMARY KEY)",
        "CREATE TABLE jwt_meta (id INTEGER PRIMARY KEY)",
        "CREATE VIEW jwt_log AS SELECT 1 AS one",
    ] {
        let database = server.database().await;
        server.execute(&database, sql).await;
        let before = tables_in(server, &database).await;
        refused_as_configured(
            PostgresStore::new(&server.admin(&database)),
            "choose another schema",
        )
        .await;
        assert_eq!(tables_in(server, &database).await, before);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn tables_of_a_newer_version_are_left_alone() {
    let server = postgres::shared();
    let database = server.database().await;
    let store = || PostgresStore::new(&server.admin(&database));
    drop(Node::with(store().expect("a good address"), |_| {}).await);
    server
        .execute(&database, "UPDATE jwt_meta SET version = version + 1")
        .await;
    refused_as_configured(store(), "newer version").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_permission_is_named_and_nothing_is_half_made() {
    let server = postgres::shared();
    let (database, role) = (server.database().await, some_name());
    server
        .execute(
            "postgres",
            &format!("CREATE ROLE {role} LOGIN PASSWORD '{PASSWORD}'"),
        )
        .await;
    let store = || PostgresStore::new(&server.url(&role, PASSWORD, &database));
    refused_as_configured(store(), "GRANT CREATE, USAGE ON SCHEMA public").await;
    refused_as_configured(
        store().map(|store| store.in_schema("auth")),
        "GRANT CREATE ON DATABASE",
    )
    .await;
    assert_eq!(tables_in(server, &database).await, 0);
    let owner = PostgresStore::connect(&server.admin(&database))
        .await
        .expect("it may");
    refused_as_configured(store(), "GRANT SELECT, INSERT, UPDATE, DELETE").await;
    server
        .execute(
            &database,
            &format!(
                "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {role}"
            ),
        )
        .await;
    let routines = |verb| format!("{verb} EXECUTE ON PROCEDURE jwt_go_on");
    let taken = routines("REVOKE") + " FROM PUBLIC";
    server.execute(&database, &taken).await;
    refused_as_configured(store(), "GRANT EXECUTE ON ALL ROUTINES").await;
    let given = routines("GRANT") + &format!(" TO {role}");
    server.execute(&database, &given).await;
    let node = Node::with(store().expect("a good address"), |_| {}).await;
    let tokens = node.sign_in("ada").await;
    node.end(&tokens).await;
    assert_eq!(poll(&owner, None, &[]).await.entries.len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nodes_that_start_at_once_make_the_tables_once() {
    let server = postgres::shared();
    let (address, schema) = (
        server.admin("postgres"),
        "odd \"name\"; --".to_owned() + &some_name()[..20],
    );
    let starts = (0..12).map(|_| {
        let store = PostgresStore::new(&address)
            .expect("a good address")
            .in_schema(&schema);
        tokio::spawn(async move { poll(&store, None, &[]).await.history })
    });
    let mut histories = Vec::new();
    for start in starts.collect::<Vec<_>>() {
        histories.push(start.await.expect("it does not panic"));
    }
    histories.dedup();
    assert_eq!(histories.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_applications_pool_serves_even_when_it_is_small() {
    let server = postgres::shared();
    let database = server.database().await;
    let pool = sqlx::postgres::PgPoolOptions::new().max_connections(2);
    let pool = pool
        .connect(&server.admin(&database))
        .await
        .expect("it answers");
    let node = Node::with(PostgresStore::from_pool(pool), |_| {}).await;
    let tokens = node.sign_in("ada").await;
    assert!(admit(&node.auth, &tokens.access_token).await.is_ok());
    node.end(&tokens).await;
    assert!(node.is_out(&tokens).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_poll_gives_its_connection_back_whatever_it_asks_for() {
    let server = postgres::shared();
    let database = server.database().await;
    let pool = sqlx::postgres::PgPoolOptions::new().max_connections(1);
    let pool = pool
        .connect(&server.admin(&database))
        .await
        .expect("it answers");
    let store = PostgresStore::from_pool(pool.clone());
    let committed = store.append(vec![some_entry()]).await.expect("it answers");
    let backend = || async {
        let of = sqlx::query_scalar::<_, i32>("SELECT pg_backend_pid()");
        of.fetch_one(&pool).await.expect("it answers")
    };
    let before = backend().await;
    let known = committed.entries[0].id;
    let read = poll(&store, None, &[known, known, EntryId::random()]).await;
    assert_eq!(read.missing.len(), 1);
    let again = poll(&store, Some(&read.cursor), &[known, known]).await;
    assert!(again.entries.is_empty() && again.missing.is_empty());
    store
        .glance(&again.cursor, again.history)
        .await
        .expect("it answers");
    assert_eq!(backend().await, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transaction_that_stays_open_holds_no_entry_back_and_repeats_none() {
    let server = postgres::shared();
    let store = PostgresStore::connect(&server.admin("postgres"))
        .await
        .expect("it answers");
    let store = store.in_schema(some_name());
    let mut cursor = poll(&store, None, &[]).await.cursor;
    let mut other = server.connection("postgres").await;
    let mut open = other.begin().await.expect("it answers");
    sqlx::query("SELECT pg_current_xact_id()::text")
        .execute(&mut *open)
        .await
        .expect("it answers");
    for _ in 0..3 {
        let committed = store.append(vec![some_entry()]).await.expect("it answers");
        let read = poll(&store, Some(&cursor), &[]).await;
        assert_eq!(read.entries, committed.entries);
        assert!(store.has_read(&read.cursor, committed.positions[0]));
        assert!(!store.has_read(&cursor, committed.positions[0]));
        cursor = read.cursor;
    }
    open.rollback().await.expect("it answers");
    assert!(poll(&store, Some(&cursor), &[]).await.entries.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_entry_that_commits_late_is_read_although_later_ones_were_read_before() {
    let server = postgres::shared();
    let schema = some_name();
    let store = PostgresStore::new(&server.admin("postgres")).expect("a good address");
    let store = store.in_schema(&schema);
    store.append(vec![some_entry()]).await.expect("it answers");
    let cursor = poll(&store, None, &[]).await.cursor;
    let mut other = server.connection("postgres").await;
    let mut slow = other.begin().await.expect("it answers");
    let copy = format!(
        "INSERT INTO {schema}.jwt_log (id, xid, subject, until, entry) SELECT gen_random_uuid(), \
         pg_current_xact_id(), subject, until, 'x' FROM {schema}.jwt_log LIMIT 1"
    );
    sqlx::raw_sql(sqlx::AssertSqlSafe(copy))
        .execute(&mut *slow)
        .await
        .expect("it is SQL");
    store.append(vec![some_entry()]).await.expect("it answers");
    let first = poll(&store, Some(&cursor), &[]).await;
    assert_eq!(first.entries.len(), 1);
    slow.commit().await.expect("it answers");
    let second = poll(&store, Some(&first.cursor), &[]).await;
    assert_eq!(second.entries.len(), 1);
    assert!(
        poll(&store, Some(&second.cursor), &[])
            .await
            .entries
            .is_empty()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn corrupt_rows_are_nobody_and_let_nobody_in() {
    let server = postgres::shared();
    let schema = some_name();
    let store = PostgresStore::new(&server.admin("postgres")).expect("a good address");
    let node = Node::with(store.in_schema(&schema), |_| {}).await;
    let (corrupt, sound, ended) = (
        node.sign_in("ada").await,
        node.sign_in("ada").await,
        node.sign_in("ada").await,
    );
    node.end(&ended).await;
    let id = corrupt.session_id;
    server
        .execute("postgres", &format!("UPDATE {schema}.jwt_sessions SET record = '{{' WHERE id = '{id}'; UPDATE {schema}.jwt_log SET entry = 'x'"))
        .await;
    assert!(matches!(
        admit(&node.auth, &corrupt.access_token).await,
        Err(rejection) if rejection.status() == 401
    ));
    assert!(admit(&node.auth, &sound.access_token).await.is_ok());
    assert_eq!(node.auth.sessions().count(&user("ada")).await.ok(), Some(1));
    let store = PostgresStore::new(&server.admin("postgres")).expect("a good address");
    let other = Node::with(store.in_schema(&schema), |_| {}).await;
    assert!(other.is_out(&ended).await);
}

/// PostgreSQL lets whoever may connect take any advisory lock, and tell any channel.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_stranger_in_the_database_holds_writes_up_and_neither_hides_nor_undoes_one() {
    let server = postgres::shared();
    let (database, role) = (server.database().await, some_name());
    let create = format!("CREATE ROLE {role} LOGIN PASSWORD '{PASSWORD}'");
    server.execute("postgres", &create).await;
    let address = server.admin(&database);
    let other = Node::on(&address).await;
    let store = PostgresStore::new(&address).expect("a good address");
    let one = Node::with(store, |settings| {
        *settings = settings
            .clone()
            .with_store_timeout(Duration::from_millis(500));
    });
    let one = one.await;
    let ada = eventually_signed_in(&one, "ada").await;
    let bob = eventually_signed_in(&one, "bob").await;
    assert!(admit(&other.auth, &ada.access_token).await.is_ok());

    let stranger = server.url(&role, PASSWORD, &database);
    let mut stranger = PgConnection::connect(&stranger)
        .await
        .expect("it may connect");
    let key = "SELECT user_key::text AS key FROM jwt_sessions WHERE id = ";
    let key = format!("{key}'{}'", ada.session_id);
    let key: String = server.execute(&database, &key).await[0].get("key");
    let hold = format!("SELECT pg_advisory_lock({key})::text");
    let held = sqlx::raw_sql(sqlx::AssertSqlSafe(hold)).execute(&mut stranger);
    held.await.expect("everybody may");
    for _ in 0..100 {
        let told =
            "SELECT pg_notify('jwt_log_' || left(encode(sha256('public'), 'hex'), 32), '{}')::text";
        let told = sqlx::raw_sql(told).execute(&mut stranger);
        told.await.expect("everybody may");
    }

    let sessions = one.auth.sessions();
    let ended = sessions.end(ada.session_id, EndReason::AdminRevoked).await;
    assert!(matches!(ended, Err(SessionError::Store(_))), "{ended:?}");
    assert!(one.is_out(&ada).await, "what was asked for holds here");
    eventually("others are told of at once", async || {
        // It is refused while another write finds out whether the store takes any.
        let _ = sessions.end(bob.session_id, EndReason::AdminRevoked).await;
        other.is_out(&bob).await
    })
    .await;

    // Whoever waits is given up after a while, and leaves no connection behind.
    let waiting = async || {
        let waits = "SELECT pid::text || ' since ' || query_start::text AS wait FROM pg_stat_activity \
             WHERE datname = current_database() AND wait_event = 'advisory'";
        let rows = server.execute(&database, waits).await;
        let waits = rows.iter().map(|row| row.get("wait"));
        waits.collect::<Vec<String>>()
    };
    let first = loop {
        if let Some(first) = waiting().await.into_iter().next() {
            break first;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    };
    eventually("nobody waits for ever", async || {
        !waiting().await.contains(&first)
    })
    .await;

    drop(stranger);
    eventually("it is written when the lock is gone", async || {
        other.is_out(&ada).await
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_one_node_ends_the_other_refuses_and_everywhere_means_it() {
    let server = postgres::shared();
    let address = server.admin(&server.database().await);
    let (one, other) = (Node::on(&address).await, Node::on(&address).await);
    for round in 0..20 {
        let tokens = one.sign_in(&format!("user{round}")).await;
        assert!(admit(&other.auth, &tokens.access_token).await.is_ok());
        let sessions = one.auth.sessions();
        let ended = sessions.end(tokens.session_id, EndReason::AdminRevoked);
        ended
            .await
            .expect("it answers")
            .everywhere()
            .await
            .expect("it answers");
        assert!(other.is_out(&tokens).await, "round {round}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn cut_connections_lose_nothing_that_was_acknowledged() {
    let server = Cluster::start();
    let node = Arc::new(Node::on(&server.admin("postgres")).await);
    let stop = Arc::new(AtomicBool::new(false));
    let signed_in = Arc::new(AtomicU32::new(0));
    let workers: Vec<_> = (0..6)
        .map(|number| tokio::spawn(work(node.clone(), stop.clone(), signed_in.clone(), number)))
        .collect();
    let mut cuts = 0;
    // A slow machine is given the time that it needs.
    while cuts < 15 || signed_in.load(Ordering::Relaxed) <= 50 {
        assert!(cuts < 500, "nobody can sign in between two cuts");
        tokio::time::sleep(Duration::from_millis(60 + cuts)).await;
        server.cut_all().await;
        cuts += 1;
    }
    server.stop();
    server.resume();
    stop.store(true, Ordering::Relaxed);
    let other = Node::on(&server.admin("postgres")).await;
    for worker in workers {
        for (tokens, ended) in worker.await.expect("it does not panic") {
            match (ended, verdict(&other, &tokens).await) {
                (Some(true), Ok(_)) => panic!("an ended session was revived"),
                (Some(false), Err(refused)) => panic!("a session was lost: {refused:?}"),
                _ => {}
            }
        }
    }
    let tokens = eventually_signed_in(&node, "late").await;
    assert!(verdict(&node, &tokens).await.is_ok());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn connections_that_the_server_ended_while_they_were_idle_are_noticed_by_nobody() {
    let server = postgres::shared();
    let database = server.database().await;
    let ends = format!("ALTER DATABASE {database} SET idle_session_timeout = '300ms'");
    server.execute(&database, &ends).await;
    let store = PostgresStore::connect(&server.admin(&database)).await;
    let store = store.expect("it answers");
    let mut asking = tokio::task::JoinSet::new();
    for number in 0..200 {
        let (store, somebody) = (store.clone(), user(&format!("user-{number}")));
        asking.spawn(async move {
            store.append(vec![some_entry()]).await.expect("it answers");
            store.count(&somebody).await.expect("it answers")
        });
    }
    asking.join_all().await;
    let there = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()";
    let connections = || async {
        let mut admin = server.connection(&database).await;
        let count = sqlx::query_scalar::<_, i64>(there).fetch_one(&mut admin);
        count.await.expect("it answers") - 1
    };
    assert!(connections().await >= 4, "several rest");
    eventually("the server has ended them", async || {
        connections().await <= 1
    })
    .await;
    store.count(&user("ada")).await.expect("whoever is alone");
    let written = store.append(vec![some_entry()]).await;
    written.expect("whoever writes");
}

/// What becomes of a token, once the node can say.
async fn verdict(node: &Node, tokens: &Tokens) -> Result<(), Rejection> {
    let mut said = None;
    eventually("there is a verdict", async || {
        let admitted = admit(&node.auth, &tokens.access_token).await.map(drop);
        let is_late = matches!(&admitted, Err(refused) if refused.status() == 503);
        said = Some(admitted);
        !is_late
    })
    .await;
    said.expect("just now")
}

/// Signs in and ends every other session; what was acknowledged, and whether it has ended, as far
/// as that is known.
async fn work(
    node: Arc<Node>,
    stop: Arc<AtomicBool>,
    signed_in: Arc<AtomicU32>,
    number: u32,
) -> Vec<(Tokens, Option<bool>)> {
    let mut done = Vec::new();
    let mut round = 0_u32;
    while !stop.load(Ordering::Relaxed) {
        round += 1;
        let name = user(&format!("user-{number}-{round}"));
        let Ok(tokens) = sign_in(&node.auth, &name).await else {
            continue;
        };
        signed_in.fetch_add(1, Ordering::Relaxed);
        if round.is_multiple_of(2) {
            let sessions = node.auth.sessions();
            let ended = sessions.end(tokens.session_id, EndReason::SignedOut).await;
            done.push((tokens, ended.is_ok().then_some(true)));
        } else {
            done.push((tokens, Some(false)));
        }
    }
    done
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_server_that_stands_still_is_waited_for_no_longer_than_the_deadline() {
    let server = Cluster::start();
    let store = PostgresStore::new(&server.admin("postgres")).expect("a good address");
    let node = Node::with(store, |settings| {
        settings.store_timeout = Duration::from_millis(250);
        settings.max_staleness = Duration::from_secs(2);
    })
    .await;
    let tokens = eventually_signed_in(&node, "ada").await;
    server.signal("-STOP");
    let began = Instant::now();
    let mut closed = false;
    while began.elapsed() < Duration::from_secs(6) {
        // A quarter of a second, and what a busy machine adds; without a deadline, for ever.
        let asked = admit(&node.auth, &tokens.access_token);
        let admitted = tokio::time::timeout(Duration::from_secs(30), asked).await;
        let admitted = admitted.expect("it is answered");
        closed = admitted.is_err_and(|refused| refused.status() == 503);
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert!(closed, "the view is older than its bound");
    server.signal("-CONT");
    eventually("it answers again", async || {
        admit(&node.auth, &tokens.access_token).await.is_ok()
    })
    .await;
    let later = eventually_signed_in(&node, "ada").await;
    assert!(verdict(&node, &later).await.is_ok());
}

/// Somebody who tries until it works: deadlines here are shorter than a busy machine may need.
async fn eventually_signed_in(node: &Node, name: &str) -> Tokens {
    let mut tokens = None;
    eventually("somebody signs in", async || {
        tokens = sign_in(&node.auth, &user(name)).await.ok();
        tokens.is_some()
    })
    .await;
    tokens.expect("just now")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_promoted_standby_that_lost_a_tail_and_took_newer_entries_gets_it_back() {
    let primary = Cluster::start();
    let database = primary.database().await;
    let node = Node::on(&primary.admin(&database)).await;
    let (lost, kept) = (node.sign_in("ada").await, node.sign_in("eve").await);
    let mut standby = Cluster::standby_of(&primary);
    let on_standby = PostgresStore::new(&standby.admin(&database)).expect("a good address");
    let (kind, told) = refusal(Ok(on_standby.clone())).await;
    assert_eq!(kind, StoreErrorKind::Unavailable);
    assert!(told.contains("standby"), "{told}");
    eventually("the standby has both sessions", async || {
        let rows = standby
            .execute(&database, "SELECT count(*) AS count FROM jwt_sessions")
            .await;
        rows[0].get::<i64, _>("count") == 2
    })
    .await;
    standby.cut_off().await;
    let cursor = node.auth.view().cursor.expect("it follows");
    node.end(&lost).await;
    eventually("the node has read its own write", async || {
        node.auth.view().cursor.as_ref() != Some(&cursor)
    })
    .await;
    primary.stop();
    standby.promote();
    let newer = PostgresStore::connect(&standby.admin(&database)).await;
    let newer = newer.expect("it is a primary");
    for _ in 0..10 {
        newer.append(vec![some_entry()]).await.expect("it answers");
    }
    standby.move_to(&primary);
    let second = Node::on(&standby.admin(&database)).await;
    assert!(
        node.is_out(&lost).await,
        "this node has known it all the time"
    );
    eventually("the lost end is written back", async || {
        second.is_out(&lost).await
    })
    .await;
    assert!(admit(&second.auth, &kept.access_token).await.is_ok());
    let id = lost.session_id;
    let ended = format!("SELECT ended_at IS NOT NULL AS ended FROM jwt_sessions WHERE id = '{id}'");
    let rows = standby.execute(&database, &ended).await;
    assert!(rows[0].get::<bool, _>("ended"));
}
