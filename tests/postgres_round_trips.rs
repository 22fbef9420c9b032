//! How often a verb waits for PostgreSQL.

#[path = "support/postgres.rs"]
mod postgres;
#[path = "support/proxy.rs"]
mod proxy;
mod support;

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use postgres::some_name;
use proxy::{Link, Proxy};
use sqlx::postgres::PgConnectOptions;
use sqlx::raw_sql;
use support::{SECRET, admit, sign_in, user};
use tokio::task::JoinSet;
use tower_jwt_session::revocation::{Confirm, EndReason, RevocationSettings, Terms};
use tower_jwt_session::session::refresh::SeedHash;
use tower_jwt_session::session::{NewSession, SignInOutcome};
use tower_jwt_session::{
    Clock, Device, JwtSession, PostgresStore, SessionId, SessionStore, SystemClock,
};
use tracing::{Event, Subscriber};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};

/// Counts what the store says of its round trips.
#[derive(Clone, Default)]
struct Counter(Arc<AtomicU32>);

impl Counter {
    fn taken(&self) -> u32 {
        self.0.swap(0, Ordering::Relaxed)
    }
}

impl<S: Subscriber> Layer<S> for Counter {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        if event.metadata().target() == "tower_jwt_session::postgres" {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }
}

#[tokio::test(flavor = "current_thread")]
async fn sign_ins_refreshes_and_ends_wait_twice_and_confirmations_once() {
    let counter = Counter::default();
    let subscriber = tracing_subscriber::registry().with(counter.clone());
    let _heard = tracing::subscriber::set_default(subscriber);
    let settings = RevocationSettings::default().with_store_timeout(Duration::from_secs(20));
    let address = postgres::shared().admin("postgres");
    let store = PostgresStore::new(&address).expect("a good address");
    // Nothing is started: what is counted is what is called.
    let auth = JwtSession::builder()
        .hmac_secret(SECRET)
        .revocation(settings)
        .terms(Terms::new(Confirm::Always))
        .store(store.in_schema(some_name()))
        .build()
        .expect("a good configuration");
    let (sessions, ada) = (auth.sessions(), user("ada"));
    sign_in(&auth, &ada).await.expect("it opens");
    counter.taken();

    let ticket = sessions.ticket(&ada).await.expect("it answers");
    assert_eq!(counter.taken(), 1, "a ticket");
    let signed_in = sessions.sign_in(ticket, Device::default()).await;
    let tokens = signed_in.expect("it answers").tokens();
    assert_eq!(counter.taken(), 2, "a sign-in");
    admit(&auth, &tokens.access_token).await.expect("she is in");
    assert_eq!(
        counter.taken(),
        2,
        "the first sight of a generation, which is marked used"
    );
    admit(&auth, &tokens.access_token).await.expect("she is in");
    assert_eq!(counter.taken(), 1, "any other confirmation");
    let refresh = tokens.refresh_token.as_ref().expect("there is one");
    sessions.refresh(refresh).await.expect("it answers");
    assert_eq!(counter.taken(), 2, "a refresh");
    let ended = sessions.end(tokens.session_id, EndReason::AdminRevoked);
    ended.await.expect("it answers");
    assert_eq!(counter.taken(), 2, "the end of a session");
    sessions.end_all(&ada).await.expect("it answers");
    assert!(counter.taken() <= 4, "the end of everything");
    sessions.list(&ada).await.expect("it answers");
    assert_eq!(counter.taken(), 2, "a list");
}

/// A sign-in of a user, and the seed of its refresh tokens.
fn new_session(name: &str) -> NewSession {
    let id = SessionId::random();
    let mut operation = [7; 32];
    operation[..16].copy_from_slice(id.as_bytes());
    let seed = SeedHash::from_bytes(operation);
    NewSession::new(id, user(name), seed, operation, SystemClock.now())
}

#[tokio::test(flavor = "current_thread")]
async fn who_signs_in_at_the_same_time_waits_together() {
    let counter = Counter::default();
    let subscriber = tracing_subscriber::registry().with(counter.clone());
    let _heard = tracing::subscriber::set_default(subscriber);
    let address = postgres::shared().admin("postgres");
    let server: PgConnectOptions = address.parse().expect("a good address");
    let server = SocketAddr::from(([127, 0, 0, 1], server.get_port()));
    let proxy = Proxy::to(server).await.expect("a free port");
    let [from, to] = [server.port(), proxy.address().port()].map(|port| format!(":{port}/"));
    let store = PostgresStore::new(&address.replace(&from, &to)).expect("a good address");
    let store = store.in_schema(some_name());
    // Locks go by the name of a user, whatever the schema: not one that another test counts for.
    store.sign_in(new_session("bob")).await.expect("it opens");
    counter.taken();
    // So that no answer is there before the next one has asked.
    proxy.set(Link::Delay(Duration::from_millis(20)));

    let mut signing_in = JoinSet::new();
    for number in 0..30 {
        let (store, new) = (store.clone(), new_session(&format!("user-{number}")));
        signing_in.spawn(async move { store.sign_in(new).await });
    }
    for made in signing_in.join_all().await {
        assert!(matches!(
            made,
            Ok(SignInOutcome::Created { first: true, .. })
        ));
    }
    // The first two alone, and all others at once, or in some groups where a connection is slow;
    // each alone takes two.
    let taken = counter.taken();
    assert!(taken <= 15, "{taken} for 30 sign-ins");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_waits_for_a_lock_keeps_nobody_else_waiting() {
    let cluster = postgres::shared();
    let database = cluster.database().await;
    let store = PostgresStore::connect(&cluster.admin(&database)).await;
    let store = store.expect("a good address");
    store.sign_in(new_session("ada")).await.expect("it opens");
    let mut other = cluster.connection(&database).await;
    let lock = "BEGIN; SELECT pg_advisory_xact_lock(user_key) FROM jwt_sessions";
    raw_sql(lock).execute(&mut other).await.expect("it is free");

    let mut waiting = JoinSet::new();
    for _ in 0..3 {
        let store = store.clone();
        waiting.spawn(async move { store.sign_in(new_session("ada")).await });
    }
    for number in 0..5 {
        let made = store.sign_in(new_session(&format!("user-{number}"))).await;
        assert!(matches!(made, Ok(SignInOutcome::Created { .. })));
    }
    assert!(waiting.try_join_next().is_none(), "her lock is another's");
    raw_sql("COMMIT")
        .execute(&mut other)
        .await
        .expect("it ends");
    for made in waiting.join_all().await {
        assert!(matches!(made, Ok(SignInOutcome::Created { .. })));
    }
}
