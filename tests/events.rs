//! Every end of a session is told once, by one node, whatever ended it and wherever it is kept.

mod folder;
#[path = "support/postgres.rs"]
mod postgres;
mod redis_server;
mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use folder::Folder;
use redis_server::Server;
use support::{SECRET, sign_in, user};
use tower_jwt_session::events::{Event, Observer};
use tower_jwt_session::revocation::{EndReason, RevocationSettings};
use tower_jwt_session::session::Authentication;
use tower_jwt_session::session::risk::{RiskAssessment, RiskVerdict, RiskWatch};
use tower_jwt_session::testing::ManualClock;
use tower_jwt_session::{
    ClaimsSource, Clock, Device, Grants, JwtSession, JwtSessionBuilder, Lifetimes, MemoryStore,
    PostgresStore, SessionError, SessionId, SessionLimit, SessionStore, SqliteStore, Tokens,
    UnixTime, UserId,
};

const HOUR: Duration = Duration::from_secs(3_600);
const DAY: Duration = Duration::from_secs(86_400);

/// Which session, why, and by whom.
type End = (SessionId, EndReason, Option<UserId>);

/// The ends that were told, by all nodes together.
#[derive(Clone, Default)]
struct Ends(Arc<Mutex<Vec<End>>>);

impl Ends {
    fn told(&self) -> Vec<End> {
        self.0.lock().expect("nobody panicked").clone()
    }
}

impl Observer for Ends {
    fn observe(&self, _now: UnixTime, event: &Event) {
        if let Event::Ended {
            session,
            reason,
            by,
            ..
        } = event
        {
            let mut ends = self.0.lock().expect("nobody panicked");
            ends.push((*session, reason.clone(), by.clone()));
        }
    }
}

/// Users are known until they are removed.
#[derive(Clone, Default)]
struct Accounts(Arc<Mutex<BTreeSet<String>>>);

impl ClaimsSource for Accounts {
    type Error = Infallible;

    async fn claims(&self, user: &UserId) -> Result<Option<Grants>, Infallible> {
        let removed = self.0.lock().expect("nobody panicked");
        let gone = removed.contains(user.as_str());
        Ok((!gone).then(Grants::default))
    }
}

/// A fleet on one store, and what is expected of it.
struct World<S> {
    store: S,
    clock: ManualClock,
    ends: Ends,
    accounts: Accounts,
    expected: BTreeMap<SessionId, (EndReason, Option<UserId>)>,
}

impl<S: SessionStore + Clone> World<S> {
    fn new(store: S, clock: ManualClock) -> Self {
        Self {
            store,
            clock,
            ends: Ends::default(),
            accounts: Accounts::default(),
            expected: BTreeMap::new(),
        }
    }

    fn node(&self, set: impl FnOnce(JwtSessionBuilder) -> JwtSessionBuilder) -> JwtSession {
        let clock: Arc<dyn Clock> = Arc::new(self.clock.clone());
        // The machine may be busy with other tests.
        let settings = RevocationSettings::default().with_store_timeout(Duration::from_secs(20));
        let builder = JwtSession::builder()
            .hmac_secret(SECRET)
            .clock(clock)
            .revocation(settings)
            .limit(SessionLimit::UNLIMITED)
            .claims_source(self.accounts.clone())
            .observer(self.ends.clone())
            .store(self.store.clone());
        set(builder).build().expect("it is sound")
    }

    fn expect(&mut self, session: SessionId, reason: EndReason, by: Option<&str>) {
        let twice = self.expected.insert(session, (reason, by.map(user)));
        assert!(twice.is_none(), "a session ends once");
    }

    /// Has a session swept up: nodes that start sweep at once.
    async fn sweep(&self, session: SessionId) {
        let node = self.node(|builder| builder);
        let running = node.start().await.expect("the store is there");
        self.until(|ends| ends.iter().any(|(ended, ..)| *ended == session))
            .await;
        running.shutdown().await;
    }

    async fn until(&self, so: impl Fn(&[End]) -> bool) {
        for _ in 0..12_000 {
            if so(&self.ends.told()) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("not told: {:?} of {:?}", self.ends.told(), self.expected);
    }

    /// All that was expected is told, and nothing twice or besides.
    async fn verify(&self) {
        self.until(|ends| ends.len() >= self.expected.len()).await;
        let told = self.ends.told();
        for (session, reason, by) in &told {
            let expected = self.expected.get(session);
            assert_eq!(expected, Some(&(reason.clone(), by.clone())), "{session}");
        }
        assert_eq!(told.len(), self.expected.len(), "{told:?}");
    }
}

fn refresh_token(tokens: &Tokens) -> &str {
    tokens.refresh_token.as_deref().expect("a pair has one")
}

/// All that somebody does to end sessions, on one node or the other.
async fn deeds<S: SessionStore + Clone>(world: &mut World<S>) {
    let (one, other) = (world.node(|b| b), world.node(|b| b));
    let (ada, root) = (user("ada"), user("root"));

    let session = sign_in(&one, &ada).await.unwrap().session_id;
    let ended = one.sessions().end_own(&ada, session, EndReason::SignedOut);
    ended.await.unwrap();
    let again = other
        .sessions()
        .end_own(&ada, session, EndReason::SignedOut);
    again.await.unwrap();
    world.expect(session, EndReason::SignedOut, Some("ada"));

    let tokens = sign_in(&one, &ada).await.unwrap();
    let by_refresh_token = other
        .sessions()
        .end_by_refresh_token(refresh_token(&tokens));
    by_refresh_token.await.unwrap();
    world.expect(tokens.session_id, EndReason::SignedOut, Some("ada"));

    let tokens = sign_in(&one, &ada).await.unwrap();
    let by_access_token = one.sessions().end_by_access_token(&tokens.access_token);
    by_access_token.await.unwrap();
    world.expect(tokens.session_id, EndReason::SignedOut, Some("ada"));

    let session = sign_in(&other, &ada).await.unwrap().session_id;
    one.sessions().end_as_admin(session, &root).await.unwrap();
    world.expect(session, EndReason::AdminRevoked, Some("root"));

    let (kept, gone) = (sign_in(&one, &ada).await, sign_in(&one, &ada).await);
    let (kept, gone) = (kept.unwrap().session_id, gone.unwrap().session_id);
    let others = one.sessions().end_all(&ada).except(kept).by(&ada);
    others.await.unwrap();
    world.expect(gone, EndReason::UserRevoked, Some("ada"));
    let all = other.sessions().end_all(&ada);
    let all = all.because(EndReason::PasswordChanged).by(&ada);
    all.await.unwrap();
    world.expect(kept, EndReason::PasswordChanged, Some("ada"));

    let bob = user("bob");
    for _ in 0..3 {
        let session = sign_in(&one, &bob).await.unwrap().session_id;
        world.expect(session, EndReason::UserRemoved, None);
    }
    one.sessions().erase(&bob).await.unwrap();
    other.sessions().erase(&bob).await.unwrap();
}

/// Whoever ends sessions by what they do otherwise.
async fn consequences<S: SessionStore + Clone>(world: &mut World<S>) {
    let one = world.node(|b| b);
    let evicting = world.node(|b| b.limit(SessionLimit::evicting(1)));
    let carl = user("carl");
    let first = sign_in(&evicting, &carl).await.unwrap().session_id;
    let second = sign_in(&evicting, &carl).await.unwrap().session_id;
    world.expect(first, EndReason::Evicted, None);
    one.sessions()
        .end(second, EndReason::SignedOut)
        .await
        .unwrap();
    world.expect(second, EndReason::SignedOut, None);

    let stolen = sign_in(&one, &carl).await.unwrap();
    let mut tokens = stolen.clone();
    for _ in 0..2 {
        world.clock.advance(HOUR);
        let refreshed = one.sessions().refresh(refresh_token(&tokens)).await;
        tokens = refreshed.unwrap();
    }
    let thief = one.sessions().refresh(refresh_token(&stolen)).await;
    assert!(
        matches!(thief, Err(SessionError::RefreshReused)),
        "{thief:?}"
    );
    let again = one.sessions().refresh(refresh_token(&stolen)).await;
    again.unwrap_err();
    world.expect(stolen.session_id, EndReason::RefreshReused, None);

    let dora = user("dora");
    let left = sign_in(&one, &dora).await.unwrap();
    let removed = |name: &str| world.accounts.0.lock().unwrap().insert(name.to_owned());
    removed("dora");
    let refreshed = one.sessions().refresh(refresh_token(&left)).await;
    assert!(matches!(refreshed, Err(SessionError::UnknownUser)));
    world.expect(left.session_id, EndReason::UserRemoved, None);

    let ends = RiskWatch::deciding(|_: &RiskAssessment| RiskVerdict::End);
    let wary = world.node(|b| b.watch_risk(ends));
    let ticket = wary.sessions().ticket(&user("kurt")).await.unwrap();
    let signed_in = wary.sessions().sign_in(ticket, on("Chrome on Windows"));
    let tokens = signed_in.await.unwrap().tokens();
    let elsewhere = on("curl");
    let refreshed = wary
        .sessions()
        .refresh_on(refresh_token(&tokens), elsewhere);
    refreshed.await.unwrap_err();
    world.expect(tokens.session_id, EndReason::Suspicious, None);
}

fn on(label: &str) -> Device {
    let mut device = Device::default();
    device.label = label.to_owned();
    device
}

/// Sessions whose time is over, whoever finds out.
async fn expiries<S: SessionStore + Clone>(world: &mut World<S>) {
    let lifetimes = Lifetimes::default()
        .with_access(HOUR)
        .with_refresh(2 * DAY)
        .with_session(3 * DAY);
    let one = world.node(|b| b.lifetimes(lifetimes));
    let idle = world.node(|b| b.lifetimes(lifetimes.with_idle(DAY)));
    let by_refresh = sign_in(&one, &user("erna")).await.unwrap();
    let by_sign_in = sign_in(&one, &user("fred")).await.unwrap();
    let by_end_all = sign_in(&one, &user("gina")).await.unwrap();
    let by_sweep = sign_in(&one, &user("hans")).await.unwrap();
    let unused = sign_in(&idle, &user("ines")).await.unwrap();
    let absolute = sign_in(&one, &user("jens")).await.unwrap();

    world.clock.advance(DAY + HOUR);
    // Whoever was cut off is excused for being unused, until uses of that time were written.
    let running = one.start().await.expect("the store is there");
    world.clock.advance(Duration::from_secs(31));
    world.sweep(unused.session_id).await;
    running.shutdown().await;
    world.expect(unused.session_id, EndReason::Idle, None);

    let renewed = one.sessions().refresh(refresh_token(&absolute)).await;
    let renewed = renewed.unwrap();
    world.clock.advance(DAY);
    let over = one.sessions().refresh(refresh_token(&by_refresh)).await;
    assert!(matches!(over, Err(SessionError::Over(_))), "{over:?}");
    world.expect(by_refresh.session_id, EndReason::Expired, None);
    let full = world.node(|b| b.lifetimes(lifetimes).limit(SessionLimit::rejecting(1)));
    let next = sign_in(&full, &user("fred")).await.unwrap().session_id;
    sign_in(&full, &user("fred")).await.unwrap_err();
    world.expect(by_sign_in.session_id, EndReason::Expired, None);
    one.sessions().end_all(&user("gina")).await.unwrap();
    world.expect(by_end_all.session_id, EndReason::Expired, None);
    world.sweep(by_sweep.session_id).await;
    world.expect(by_sweep.session_id, EndReason::Expired, None);

    world.clock.advance(DAY);
    world.sweep(renewed.session_id).await;
    world.expect(renewed.session_id, EndReason::Expired, None);
    one.sessions()
        .end(next, EndReason::SignedOut)
        .await
        .unwrap();
    world.expect(next, EndReason::SignedOut, None);
}

/// Every reason that a session can end for, as the code names them. Of the others none dies: a token's
/// place is taken, or nobody can tell.
fn reasons() -> BTreeSet<&'static str> {
    let code = include_str!("../src/revocation/entry.rs");
    let named = code.lines().filter_map(|line| {
        let (_, name) = line.trim().strip_prefix("Self::")?.split_once(" => \"")?;
        name.strip_suffix("\",")
    });
    let others = ["replaced", "roles_changed", "unconfirmed"];
    named.filter(|name| !others.contains(name)).collect()
}

/// All paths, with two nodes that follow and sweep beside them.
async fn walk<S: SessionStore + Clone>(store: S, clock: ManualClock) {
    let mut world = World::new(store, clock);
    let beside = [world.node(|b| b), world.node(|b| b)];
    let mut running = Vec::new();
    for node in &beside {
        running.push(node.start().await.expect("the store is there"));
    }
    deeds(&mut world).await;
    consequences(&mut world).await;
    world.verify().await;
    for running in running {
        running.shutdown().await;
    }
    expiries(&mut world).await;
    world.verify().await;
    let told = world.ends.told();
    let walked: BTreeSet<&str> = told.iter().map(|(_, reason, _)| reason.as_str()).collect();
    assert_eq!(walked, reasons(), "a reason that no path leads to");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_end_is_told_once_on_the_memory_store() {
    let clock = ManualClock::new();
    walk(MemoryStore::with_clock(Arc::new(clock.clone())), clock).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_end_is_told_once_on_the_sqlite_store() {
    let (folder, clock) = (Folder::new(), ManualClock::new());
    let store = SqliteStore::new(folder.file("sessions.db"));
    walk(store.with_clock(Arc::new(clock.clone())), clock).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_end_is_told_once_on_the_postgres_store() {
    let (server, clock) = (postgres::shared(), ManualClock::new());
    let store = PostgresStore::new(&server.admin("postgres")).expect("a good address");
    let store = store.in_schema(postgres::some_name());
    walk(store.with_clock(Arc::new(clock.clone())), clock).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_end_is_told_once_on_the_redis_store() {
    let (server, clock) = (Server::new(), ManualClock::new());
    walk(server.store().with_clock(Arc::new(clock.clone())), clock).await;
}

/// The names of all events that are told but of ends.
#[derive(Clone, Default)]
struct Names(Arc<Mutex<Vec<&'static str>>>);

impl Names {
    fn take(&self) -> Vec<&'static str> {
        std::mem::take(&mut *self.0.lock().expect("nobody panicked"))
    }
}

impl Observer for Names {
    fn observe(&self, _now: UnixTime, event: &Event) {
        if !matches!(event, Event::Ended { .. }) {
            let mut names = self.0.lock().expect("nobody panicked");
            names.push(event.name());
        }
    }
}

#[tokio::test]
async fn what_somebody_does_besides_is_told_too() {
    let heard = Names::default();
    let (builder, _clock) = support::builder();
    let limit = SessionLimit::rejecting(1);
    let builder = builder.limit(limit).observer(heard.clone());
    let auth = builder.build().unwrap();
    let (sessions, ada) = (auth.sessions(), user("ada"));
    let tokens = sign_in(&auth, &ada).await.unwrap();
    assert_eq!(heard.take(), ["signed_in"]);
    sign_in(&auth, &ada).await.unwrap_err();
    assert_eq!(heard.take(), ["sign_in_refused"]);
    let session = tokens.session_id;
    sessions.rename(&ada, session, Some("Phone")).await.unwrap();
    assert_eq!(heard.take(), ["renamed"]);
    let admitted = support::admit(&auth, &tokens.access_token).await.unwrap();
    let proof = Authentication::default();
    sessions.reauthenticated(&admitted, proof).await.unwrap();
    assert_eq!(heard.take(), ["reauthenticated"]);
    sessions.roles_changed(&ada).await.unwrap();
    assert_eq!(heard.take(), ["roles_changed"]);
    sessions.refresh(refresh_token(&tokens)).await.unwrap();
    sessions.refresh(refresh_token(&tokens)).await.unwrap();
    assert_eq!(heard.take(), ["refreshed", "replay_accepted"]);
    sessions.erase(&ada).await.unwrap();
    assert_eq!(heard.take(), ["erased"]);
}

#[tokio::test]
async fn failures_are_told_each_and_again_whenever_their_number_has_doubled() {
    let heard = Names::default();
    let (builder, _clock) = support::builder();
    let auth = builder.observer(heard.clone()).build().unwrap();
    let tokens = sign_in(&auth, &user("ada")).await.unwrap();
    let sessions = auth.sessions();
    let ended = sessions.end(tokens.session_id, EndReason::SignedOut);
    ended.await.unwrap();
    heard.take();
    let mut told = Vec::new();
    for number in 1..=50 {
        let refreshed = sessions.refresh(refresh_token(&tokens)).await;
        refreshed.unwrap_err();
        let names = heard.take();
        assert!(names.contains(&"refresh_failed"));
        if names.contains(&"too_many_refresh_failures") {
            told.push(number);
        }
    }
    assert_eq!(told, [10, 20, 40]);
}

/// The words in backticks in the first column of the table of events.
fn documented() -> BTreeSet<String> {
    let text = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/events.md"));
    let text = text.expect("the document is there");
    let (events, _) = text.split_once("### Subscribers").expect("a section");
    let rows = events.lines().filter_map(|line| line.strip_prefix("| `"));
    let names = rows.filter_map(|row| row.split_once('`'));
    names.map(|(name, _)| name.to_owned()).collect()
}

#[test]
fn every_event_stands_in_the_documents_and_no_other() {
    let source = include_str!("../src/events/event.rs");
    let names = source.split("=> \"").skip(1);
    let names: BTreeSet<String> = names
        .filter_map(|rest| rest.split_once('"'))
        .map(|(name, _)| name.to_owned())
        .collect();
    assert!(names.len() > 20, "{names:?}");
    assert_eq!(documented(), names);
}
