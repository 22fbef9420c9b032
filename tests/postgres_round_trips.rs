//! How often a verb waits for PostgreSQL.

#[path = "support/postgres.rs"]
mod postgres;
mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use postgres::some_name;
use support::{SECRET, admit, sign_in, user};
use tower_jwt_session::revocation::{Confirm, EndReason, RevocationSettings, Terms};
use tower_jwt_session::{Device, JwtSession, PostgresStore};
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
    let settings =
        RevocationSettings::default().with_store_timeout(std::time::Duration::from_secs(20));
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
