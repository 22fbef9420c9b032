//! One user with many sessions; many clients; many nodes.

use std::iter::repeat_n;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tower_jwt_session::revocation::EndReason;
use tower_jwt_session::session::{
    Counters, EndAll, EndAllOutcome, Listing, SessionRecord, StoredSession,
};
use tower_jwt_session::{SessionId, SessionStore, UserId};

use super::steps::{Live, STEPS};
use super::why::{By, why};
use super::{PART, Place, order};
use crate::Wanted;
use crate::plot::Curve;
use crate::results::{Results, median};

/// What a user pays who has very many sessions.
pub async fn by_sessions_of_one(wanted: &Wanted, place: &Place, results: &mut Results) {
    let store = place.store(PART).await;
    let most = if wanted.quick { 100 } else { 10_000 };
    let mut curves = STEPS.map(|name| Curve {
        name,
        points: Vec::new(),
    });
    for count in [1, 10, 100, 1_000, 10_000_u32] {
        if count > most {
            break;
        }
        let took = of_one(&store, count).await;
        for (curve, millis) in curves.iter_mut().zip(took) {
            let name = format!("{}: {} of one with {count}", place.name, curve.name);
            results.add(name, millis, "ms");
            curve.points.push((f64::from(count), millis));
        }
    }
    results.draw(
        &format!("{}-by-sessions-of-one", place.name.to_lowercase()),
        &format!("{}, by sessions of one user: milliseconds", place.name),
        &order::sentences(
            &curves,
            By::SessionsOfOne.told(),
            &why(place.name, By::SessionsOfOne),
        ),
        &curves,
    );
}

async fn of_one(store: &Arc<dyn SessionStore>, count: u32) -> [f64; STEPS.len()] {
    let user = UserId::new(format!("crowd-{}", SessionId::random())).expect("it is a name");
    let mut live = Live::new(store, Some(&user)).await;
    let more = count.saturating_sub(2) as usize;
    bring(store, repeat_n(&live.record, more)).await;
    let times = if count < 1_000 { 41 } else { 15 };
    let mut took = [const { Vec::new() }; STEPS.len()];
    let note = |times: &mut Vec<f64>, began: Instant| {
        times.push(began.elapsed().as_secs_f64() * 1_000.0);
    };
    for _ in 0..times {
        let began = Instant::now();
        let more = Live::new(store, Some(&user)).await;
        note(&mut took[0], began);
        // So that there stay as many.
        let request =
            tower_jwt_session::session::EndSession::new(more.record.id, EndReason::SignedOut);
        store.end(request).await.expect("the store answers");
        let began = Instant::now();
        live.refresh(store).await;
        note(&mut took[1], began);
        let began = Instant::now();
        live.check(store).await;
        note(&mut took[2], began);
        let began = Instant::now();
        let listed = store.list(&user, Listing::Live).await;
        note(&mut took[3], began);
        drop(listed.expect("the store answers"));
    }
    let began = Instant::now();
    let ended = store
        .end_all(EndAll::new(user, EndReason::UserRevoked))
        .await;
    note(&mut took[4], began);
    ended.expect("the store answers");
    took.map(median)
}

/// Adds a session like each of these, without the counting that a sign-in does.
async fn bring<'r>(store: &Arc<dyn SessionStore>, likes: impl Iterator<Item = &'r SessionRecord>) {
    let upkeep = store.upkeep().expect("each of the stores has it");
    let copy = |like: &SessionRecord| StoredSession {
        record: SessionRecord {
            id: SessionId::random(),
            ..like.clone()
        },
        operation: std::array::from_fn(|_| fastrand::u8(..)),
        ended_by: None,
        counters: Counters::default(),
    };
    let all: Vec<_> = likes.map(copy).collect();
    for some in all.chunks(500) {
        upkeep.import(some.to_vec()).await.expect("it takes them");
    }
}

/// What many get done at once, from one node and from eight.
pub async fn by_clients(wanted: &Wanted, place: &Place, results: &mut Results) {
    let mut nodes = Vec::new();
    for _ in 0..NODES.into_iter().max().unwrap_or(1) {
        nodes.push(place.store(PART).await);
    }
    let places = [
        (By::Clients, CLIENTS.map(|clients| (clients, 1))),
        (By::Nodes, NODES.map(|count| (MANY, count))),
    ];
    for (by, places) in places {
        let rounds = rounds(wanted, &nodes, places).await;
        let mut curves = STEPS.map(|name| Curve {
            name,
            points: Vec::new(),
        });
        for (at, (clients, count)) in places.into_iter().enumerate() {
            for (which, curve) in curves.iter_mut().enumerate() {
                let rate = median(rounds.iter().map(|round| round[at][which]).collect());
                let name = format!("{}: {}, by {clients} clients", place.name, curve.name);
                let (name, number) = match by {
                    By::Nodes => (format!("{name}, nodes: {count}"), count),
                    _ => (name, clients),
                };
                results.add(name, rate, "/s");
                curve.points.push((number as f64, 1_000.0 / rate));
            }
        }
        let of = by.told();
        results.draw(
            &format!("{}-by-{of}", place.name.to_lowercase()),
            &format!("{} by {of}: milliseconds for each", place.name),
            &order::sentences(&curves, of, &why(place.name, by)),
            &curves,
        );
    }
}

/// What so many clients on so many of the nodes come to, in each of the rounds.
async fn rounds(
    wanted: &Wanted,
    nodes: &[Arc<dyn SessionStore>],
    places: [(usize, usize); 4],
) -> Vec<Vec<[f64; STEPS.len()]>> {
    let (many, lasts) = match wanted.quick {
        true => (1, LASTS / 4),
        false => (ROUNDS, LASTS),
    };
    let mut rounds = Vec::new();
    // In turn, since shared machines drift.
    for _ in 0..many {
        let mut round = Vec::new();
        for (clients, count) in places {
            let many = Many {
                nodes: &nodes[..count],
                clients,
                lasts,
            };
            round.push(many.rates().await);
        }
        rounds.push(round);
    }
    rounds
}

/// Clients that are at it at once, as many on each of the nodes.
struct Many<'a> {
    nodes: &'a [Arc<dyn SessionStore>],
    clients: usize,
    lasts: Duration,
}

impl Many<'_> {
    /// How many of each of the steps they get done in a second, in the order of [`STEPS`].
    async fn rates(&self) -> [f64; STEPS.len()] {
        let (made, noted) = (Arc::new(Mutex::new(Vec::new())), "nobody panics with it");
        let makes = made.clone();
        let sign_in = self.rate(MOST, move |store, _| {
            let made = makes.clone();
            async move {
                let live = Live::new(&store, None).await;
                made.lock().expect(noted).push(live);
            }
        });
        let mut rates = [sign_in.await; STEPS.len()];
        let live = std::mem::take(&mut *made.lock().expect(noted));
        let more = live.iter().flat_map(|live| repeat_n(&live.record, MORE));
        bring(&self.nodes[0], more).await;
        let live: Vec<_> = live.into_iter().map(tokio::sync::Mutex::new).collect();
        let live = Arc::new(live);
        for (step, rate) in STEPS.into_iter().zip(&mut rates).skip(1) {
            let turns = match step {
                // There is no second first sight, and no second end.
                "check" | "revoke all" => live.len(),
                _ => MOST,
            };
            let live = live.clone();
            let done = self.rate(turns, move |store, turn| {
                let live = live.clone();
                async move {
                    // Each in its turn: nobody refreshes one a hundred times within a minute.
                    let mut live = live[turn % live.len()].lock().await;
                    again(step, &mut live, &store).await;
                }
            });
            *rate = done.await;
        }
        rates
    }

    /// How many of one step they get done in a second, until the time is over or each of the turns is
    /// taken: by whoever comes first, so that all are at it until the end.
    async fn rate<F, Fut>(&self, turns: usize, step: F) -> f64
    where
        F: Fn(Arc<dyn SessionStore>, usize) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = ()> + Send,
    {
        let (step, taken) = (Arc::new(step), Arc::new(AtomicUsize::new(0)));
        let (lasts, began) = (self.lasts, Instant::now());
        let tasks = (0..self.clients).map(|client| {
            let store = self.nodes[client % self.nodes.len()].clone();
            let (step, taken) = (step.clone(), taken.clone());
            tokio::spawn(async move {
                let mut done = 0_usize;
                while began.elapsed() < lasts {
                    let turn = taken.fetch_add(1, Ordering::Relaxed);
                    if turn >= turns {
                        break;
                    }
                    step(store.clone(), turn).await;
                    done += 1;
                    // A store in memory never waits, so that the first would keep the others out.
                    if done.is_multiple_of(AT_A_TIME) {
                        tokio::task::yield_now().await;
                    }
                }
                done
            })
        });
        let mut done = 0;
        for task in tasks.collect::<Vec<_>>() {
            done += task.await.expect("no client panics");
        }
        done as f64 / began.elapsed().as_secs_f64()
    }
}

/// Takes a step that needs a session, or its user's sessions.
async fn again(step: &str, live: &mut Live, store: &Arc<dyn SessionStore>) {
    let user = &live.record.user;
    match step {
        "refresh" => live.refresh(store).await,
        "check" => live.check(store).await,
        "list" => {
            let listed = store.list(user, Listing::Live).await;
            assert_eq!(listed.expect("the store answers").len(), 1 + MORE);
        }
        _ => {
            let all = EndAll::new(user.clone(), EndReason::UserRevoked);
            let Ok(EndAllOutcome::Ended { records, .. }) = store.end_all(all).await else {
                panic!("the store answers");
            };
            assert_eq!(records.len(), 1 + MORE);
        }
    }
}

/// How often each number of clients and of nodes takes its turn.
pub const ROUNDS: usize = 3;
/// How long each step of a round.
pub const LASTS: Duration = Duration::from_millis(400);
/// More would fill the memory of the process, and have its tables grow while they are measured.
pub const MOST: usize = 20_000;
/// Sessions that each user gets beside the one that was signed in to.
pub const MORE: usize = 2;
/// How many steps a client takes before it lets others have their turn.
const AT_A_TIME: usize = 64;
const CLIENTS: [usize; 4] = [1, 4, 16, MANY];
/// Of `MANY` clients, as many on each.
const NODES: [usize; 4] = [1, 2, 4, 8];
const MANY: usize = 64;
