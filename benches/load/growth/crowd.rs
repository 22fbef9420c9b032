//! One user with many sessions; many clients; many nodes.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tower_jwt_session::revocation::EndReason;
use tower_jwt_session::session::{Counters, EndAll, Listing, SessionRecord, StoredSession};
use tower_jwt_session::{SessionId, SessionStore, UserId};

use super::steps::{DOES, Live, STEPS};
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
        &order::sentences(&curves, "sessions of one user", &DOES),
        &curves,
    );
}

async fn of_one(store: &Arc<dyn SessionStore>, count: u32) -> [f64; STEPS.len()] {
    let user = UserId::new(format!("crowd-{}", SessionId::random())).expect("it is a name");
    let mut live = Live::new(store, Some(&user)).await;
    bring(store, &live.record, count.saturating_sub(2)).await;
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

/// Adds sessions like one that is there, without the counting that a sign-in does.
async fn bring(store: &Arc<dyn SessionStore>, like: &SessionRecord, count: u32) {
    let upkeep = store.upkeep().expect("each of the stores has it");
    let copy = |_| StoredSession {
        record: SessionRecord {
            id: SessionId::random(),
            ..like.clone()
        },
        operation: std::array::from_fn(|_| fastrand::u8(..)),
        ended_by: None,
        counters: Counters::default(),
    };
    let all: Vec<_> = (0..count).map(copy).collect();
    for some in all.chunks(500) {
        upkeep.import(some.to_vec()).await.expect("it takes them");
    }
}

/// What many get done at once, from one node and from eight.
pub async fn by_clients(wanted: &Wanted, place: &Place, results: &mut Results) {
    let lasts = Duration::from_millis(if wanted.quick { 200 } else { 1_000 });
    let mut nodes = Vec::new();
    for _ in 0..NODES.into_iter().max().unwrap_or(1) {
        nodes.push(place.store(PART).await);
    }
    let clients = CLIENTS.map(|clients| (clients, 1, f64::from(clients)));
    let of_nodes = NODES.map(|count| (MANY, count, count as f64));
    let by = [
        (
            "clients",
            format!("{} by clients", place.name),
            &clients[..],
        ),
        ("nodes", format!("{} by nodes", place.name), &of_nodes[..]),
    ];
    for (what, title, places) in by {
        let mut rounds = Vec::new();
        // In turn, since shared machines drift.
        for _ in 0..if wanted.quick { 1 } else { ROUNDS } {
            let mut round = Vec::new();
            for (clients, count, _) in places {
                round.push(rate(&nodes[..*count], *clients as usize, lasts).await);
            }
            rounds.push(round);
        }
        let mut curves = ["sign-in", "refresh"].map(|name| Curve {
            name,
            points: Vec::new(),
        });
        for (at, (clients, count, number)) in places.iter().enumerate() {
            for (which, curve) in curves.iter_mut().enumerate() {
                let rate = median(rounds.iter().map(|round| round[at][which]).collect());
                let (name, step) = (place.name, curve.name);
                let name = match what {
                    "clients" => format!("{name}: {step}, by {clients} clients"),
                    _ => format!("{name}: {step}, by {clients} clients, nodes: {count}"),
                };
                results.add(name, rate, "/s");
                curve.points.push((*number, 1_000.0 / rate));
            }
        }
        let name = format!("{}-by-{what}", place.name.to_lowercase());
        let said = order::sentences(&curves, what, &[place.why(what); 2]);
        results.draw(
            &name,
            &format!("{title}: milliseconds for each"),
            &said,
            &curves,
        );
    }
}

/// Sign-ins and refreshes per second, each for as long as the other.
async fn rate(nodes: &[Arc<dyn SessionStore>], clients: usize, lasts: Duration) -> [f64; 2] {
    let mut rates = [0.0; 2];
    let mut live: Vec<Vec<Live>> = vec![Vec::new(); clients];
    for (which, rate) in rates.iter_mut().enumerate() {
        let (done, began) = (Arc::new(AtomicU64::new(0)), Instant::now());
        let tasks = live.into_iter().enumerate().map(|(client, mut own)| {
            let (store, done) = (nodes[client % nodes.len()].clone(), done.clone());
            tokio::spawn(async move {
                // A store in memory never waits, so that some may have no turn within the time.
                if own.is_empty() {
                    own.push(Live::new(&store, None).await);
                }
                let mut next = 0;
                while began.elapsed() < lasts {
                    if which == 0 {
                        own.push(Live::new(&store, None).await);
                    } else {
                        // Each in turn: nobody refreshes one a hundred times within a minute.
                        let of = own.len();
                        own[next % of].refresh(&store).await;
                        next += 1;
                    }
                    done.fetch_add(1, Ordering::Relaxed);
                }
                own
            })
        });
        let tasks: Vec<_> = tasks.collect();
        live = Vec::with_capacity(clients);
        for task in tasks {
            live.push(task.await.expect("no client panics"));
        }
        *rate = done.load(Ordering::Relaxed) as f64 / began.elapsed().as_secs_f64();
    }
    rates
}

/// How often each number of clients and of nodes takes its turn.
pub const ROUNDS: usize = 3;
const CLIENTS: [u32; 4] = [1, 4, 16, MANY];
/// Of `MANY` clients, as many on each.
const NODES: [usize; 4] = [1, 2, 4, 8];
const MANY: u32 = 64;
