//! Sign-ins and refreshes per second, beside the best that the driver does by itself: as durable, and
//! in as few round trips.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tokio::task::JoinSet;
use tower_jwt_session::session::refresh::{Presented, RefreshRules, SeedHash};
use tower_jwt_session::session::{NewSession, RefreshAttempt, RefreshOutcome, SignInOutcome};
use tower_jwt_session::{Clock, SessionId, SessionStore, SystemClock, UserId};

use crate::backend::{Backend, Way};
use crate::figures::{Bound, Figure, Figures};

const LASTS: Duration = Duration::from_millis(500);
const HOUR: Duration = Duration::from_secs(60 * 60);
/// What the store is to reach of what the driver does alone, and what it must not fall below.
const GOAL: f64 = 0.9;
const GATE: f64 = 0.7;
/// Among all clients.
const SESSIONS: usize = 1_024;

pub async fn measure(backend: &dyn Backend, quick: bool, figures: &mut Figures) {
    figures.part("rate", "Writes per second, beside the driver alone");
    for clients in [1, 64] {
        let (mut sign_in, mut refresh) = (Vec::new(), Vec::new());
        // In turn, since shared machines drift; the ratio is taken within a round.
        for round in 0..if quick { 3 } else { 9 } {
            let part = |what| format!("{what}-{clients}-{round}");
            let store = backend.store(&part("sign-in")).await;
            let of_driver = backend.driver(&part("sign-in"), clients).await;
            sign_in.push((sign_ins(store, clients).await, of_driver));
            let store = backend.store(&part("refresh")).await;
            let of_driver = backend.driver(&part("refresh"), clients).await;
            refresh.push((refreshes(store, clients).await, of_driver));
        }
        report("sign-ins", clients, sign_in, figures);
        report("refreshes", clients, refresh, figures);
    }
}

/// How often per second a store did something, and the driver alone by each of its ways.
type Round = (f64, Vec<Way>);

/// What the store reached of the driver's best.
fn ratio((store, ways): &Round) -> f64 {
    let alike = ways.iter().filter(|way| way.makes_as_many_trips);
    store / alike.map(|way| way.rate).fold(0.0, f64::max)
}

/// Tells of the round whose ratio is in the middle.
fn report(what: &str, clients: usize, mut rounds: Vec<Round>, figures: &mut Figures) {
    rounds.sort_by(|a, b| ratio(a).total_cmp(&ratio(b)));
    let round = &rounds[rounds.len() / 2];
    let (store, ways) = round;
    let name = |more| format!("{what}, {clients} at once{more}");
    figures.add(Figure::new(name(String::new()), *store, "/s", None));
    for way in ways {
        let how = match ways.len() {
            1 => String::new(),
            _ => format!(", {}", way.name),
        };
        let alone = name(format!(": the driver alone{how}"));
        figures.add(Figure::new(alone, way.rate, "/s", None));
    }
    let gate = Some(Bound::AtLeast(GATE));
    let ratio = Figure::new(name(": ratio".to_owned()), ratio(round), "", gate);
    figures.add(ratio.aiming_at(Bound::AtLeast(GOAL)));
}

/// How often per second `clients` tasks get `step` done.
async fn rate<F, Fut>(clients: usize, step: F) -> f64
where
    F: Fn(usize, u32) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = ()> + Send,
{
    let (step, done) = (Arc::new(step), Arc::new(AtomicU64::new(0)));
    let began = Instant::now();
    let tasks = (0..clients).map(|client| {
        let (step, done) = (step.clone(), done.clone());
        tokio::spawn(async move {
            let mut round = 0;
            while began.elapsed() < LASTS {
                step(client, round).await;
                round += 1;
                done.fetch_add(1, Ordering::Relaxed);
            }
        })
    });
    for task in tasks.collect::<Vec<_>>() {
        task.await.expect("no client panics");
    }
    done.load(Ordering::Relaxed) as f64 / began.elapsed().as_secs_f64()
}

async fn sign_ins(store: Arc<dyn SessionStore>, clients: usize) -> f64 {
    rate(clients, move |_, _| {
        let store = store.clone();
        async move {
            let made = store.sign_in(new_session()).await;
            assert!(matches!(made, Ok(SignInOutcome::Created { .. })));
        }
    })
    .await
}

async fn refreshes(store: Arc<dyn SessionStore>, clients: usize) -> f64 {
    // Each refreshes many in turn: nobody refreshes one a hundred times within the life of an
    // access token, and a record says which of them still live.
    let of_a_client = SESSIONS / clients;
    let new: Vec<_> = (0..clients * of_a_client).map(|_| new_session()).collect();
    let sessions: Vec<_> = new.iter().map(|new| (new.id, new.seed)).collect();
    let mut signing_in = JoinSet::new();
    for new in new {
        let store = store.clone();
        signing_in.spawn(async move { store.sign_in(new).await.expect("the store answers") });
    }
    signing_in.join_all().await;
    rate(clients, move |client, round| {
        let (turn, of) = (round as usize / of_a_client, round as usize % of_a_client);
        let (store, (session, seed)) = (store.clone(), sessions[client * of_a_client + of]);
        async move {
            let generation = u32::try_from(turn).unwrap_or(u32::MAX) + 1;
            let refreshed = store.refresh(attempt(session, seed, generation)).await;
            assert!(matches!(refreshed, Ok(RefreshOutcome::Granted { .. })));
        }
    })
    .await
}

/// A sign-in of a user of its own.
pub fn new_session() -> NewSession {
    let (id, now) = (SessionId::random(), SystemClock.now());
    let mut operation = [7; 32];
    operation[..16].copy_from_slice(id.as_bytes());
    let user = UserId::new(id.to_string()).expect("a UUID can be an id");
    NewSession::new(id, user, SeedHash::from_bytes(operation), operation, now)
}

fn attempt(session: SessionId, seed: SeedHash, generation: u32) -> RefreshAttempt {
    let now = SystemClock.now();
    let presented = Presented {
        generation,
        operation: u128::from(generation),
        issued_at: now,
        access_expires_at: now + HOUR,
    };
    let rules = RefreshRules {
        grace: Duration::ZERO,
        lifetime: 24 * HOUR,
    };
    RefreshAttempt::new(session, 0, seed, presented, rules)
}
