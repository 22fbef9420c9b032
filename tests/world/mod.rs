//! A node of a service, for the tests that stand outside the crate.

use std::convert::Infallible;
use std::sync::{Arc, Mutex};

use tower_jwt_session::events::{Event, Observer};
use tower_jwt_session::testing::ManualClock;
use tower_jwt_session::verify::TokenClaims;
use tower_jwt_session::{
    ClaimsSource, Clock, Device, Grants, JwtSession, MemoryStore, Running, Session, UnixTime,
    UserId,
};

/// One node, and what it said.
pub struct World {
    pub auth: JwtSession,
    pub clock: ManualClock,
    pub heard: Heard,
    pub store: MemoryStore,
    _running: Running,
}

impl World {
    /// A node on a store of its own.
    pub async fn new() -> Self {
        let clock = ManualClock::new();
        let store = MemoryStore::with_clock(Arc::new(clock.clone()));
        Self::on(store, clock).await
    }

    /// Another node on the same store.
    pub async fn neighbour(&self) -> Self {
        Self::on(self.store.clone(), self.clock.clone()).await
    }

    async fn on(store: MemoryStore, clock: ManualClock) -> Self {
        let heard = Heard::default();
        let held: Arc<dyn Clock> = Arc::new(clock.clone());
        let auth = JwtSession::builder()
            .hmac_secret(b"a secret that only this test knows, of 40 bytes and more")
            .store(store.clone())
            .clock(held)
            .claims_source(Directory)
            .observer(heard.clone())
            .build()
            .expect("the configuration is sound");
        let running = auth.start().await.expect("memory is always there");
        Self {
            auth,
            clock,
            heard,
            store,
            _running: running,
        }
    }

    /// Signs "ada" in and answers her access token.
    pub async fn sign_in(&self) -> String {
        let ada = UserId::new("ada").expect("a short name is one");
        let sessions = self.auth.sessions();
        let ticket = sessions.ticket(&ada).await.expect("the store is there");
        let signed_in = sessions.sign_in(ticket, Device::default()).await;
        let tokens = signed_in.expect("she may sign in").tokens();
        tokens.access_token
    }
}

/// Who may do what: everybody is a user and may read.
struct Directory;

impl ClaimsSource for Directory {
    type Error = Infallible;

    async fn claims(&self, _user: &UserId) -> Result<Option<Grants>, Infallible> {
        Ok(Some(Grants::default().role("user").scope("read")))
    }
}

/// Remembers every event.
#[derive(Clone, Default)]
pub struct Heard(Arc<Mutex<Vec<Event>>>);

impl Heard {
    /// Takes what was refused since the last time: code, cause, and whether it was let through.
    pub fn refusals(&self) -> Vec<(&'static str, &'static str, bool)> {
        let events = std::mem::take(&mut *self.0.lock().expect("nobody panicked"));
        let refusal = |event| match event {
            Event::Refused {
                rejection,
                cause,
                report_only,
            } => Some((rejection.code(), cause, report_only)),
            _ => None,
        };
        events.into_iter().filter_map(refusal).collect()
    }
}

impl Observer for Heard {
    fn observe(&self, _now: UnixTime, event: &Event) {
        let mut events = self.0.lock().expect("nobody panicked");
        events.push(event.clone());
    }
}

/// What a session says of itself, for the body of an answer.
pub fn whoami(session: Option<&Session>) -> String {
    let roles = |token: &TokenClaims| token.roles().collect::<Vec<_>>().join(",");
    session.map_or_else(
        || "nobody".to_owned(),
        |session| format!("{} as {}", session.subject(), roles(session.token())),
    )
}
