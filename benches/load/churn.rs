//! What known tokens cost while revocations of others stream in.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use http::HeaderValue;
use rustix::time::{ClockId, clock_gettime};
use tower::Service as _;
use tower_jwt_session::revocation::{
    EndReason, EntryId, RevocationEntry, RevocationStore, Revoked,
};
use tower_jwt_session::verify::Algorithm;
use tower_jwt_session::{Clock, MemoryStore, SessionId, SystemClock, UserId};

use crate::forge::Forge;
use crate::node::{Layered, Settings, bearer, layered, node, request, signed_in};
use crate::results::{Results, Wanted as Figure, median};
use crate::zipf::zipf;
use crate::{Wanted, runtime};

pub fn measure(wanted: &Wanted, results: &mut Results) {
    results.say(
        "One thread sends requests of 10,000 users with one known token each, drawn by zipf(1.0), as fast as they are answered; \
         another takes in revocations of sessions of other users, a hundred times a second, and the node follows its store. Time is \
         that of the processor. Medians of rounds that take turns.",
    );
    let runtime = runtime(1);
    let store = MemoryStore::new();
    let forge = Forge::new(Algorithm::Es256);
    let rate = Arc::new(AtomicU64::new(0));
    let (mut service, tokens) = runtime.block_on(async {
        let auth = node(forge.key(), store.clone(), Settings::default()).await;
        let mut tokens = Vec::new();
        for user in 0..USERS {
            let signed_in = signed_in(&auth, &format!("user-{user:08}@bench.example")).await;
            tokens.push(bearer(&signed_in.access_token));
        }
        let mut service = layered(&auth);
        for token in &tokens {
            let first = service.call(request(token)).await.expect("it never fails");
            assert_eq!(first.status(), 200);
        }
        (service, tokens)
    });
    runtime.spawn(revoke(store, rate.clone()));
    let drawn = zipf(USERS, REQUESTS);
    let rounds = if wanted.quick { 3 } else { ROUNDS };
    let mut costs: Vec<[f64; RATES.len()]> = Vec::new();
    for round in 0..rounds {
        let mut costs_of_round = [0.0; RATES.len()];
        for (which, per_second) in RATES.into_iter().enumerate() {
            rate.store(per_second, Ordering::Relaxed);
            // What came before has arrived.
            std::thread::sleep(SETTLES);
            costs_of_round[which] = cost(&mut service, &tokens, &drawn);
        }
        costs.push(costs_of_round);
        eprintln!("  {} of {rounds} rounds", round + 1);
    }
    let of = |which: usize| median(costs.iter().map(|round| round[which]).collect());
    let ratio = |which: usize| median(costs.iter().map(|round| round[which] / round[0]).collect());
    for (which, per_second) in RATES.into_iter().enumerate() {
        results.add(
            format!("a request at {per_second} revocations/s"),
            of(which),
            "ns",
        );
    }
    for (which, per_second) in RATES.into_iter().enumerate().skip(1) {
        let gated = Figure::AtMost {
            goal: 1.1,
            gate: 1.3,
        };
        let name = format!("at {per_second}/s, times none");
        results.judge(
            name,
            ratio(which),
            "",
            (per_second == 1_000).then_some(gated),
        );
    }
}

/// Nanoseconds of processor time for each of many requests.
fn cost(service: &mut Layered, tokens: &[HeaderValue], drawn: &[u32]) -> f64 {
    let began = processor_time();
    for number in drawn {
        let request = request(&tokens[*number as usize]);
        let answer = pin!(service.call(request));
        let Poll::Ready(Ok(answer)) = answer.poll(&mut Context::from_waker(Waker::noop())) else {
            panic!("the store was asked");
        };
        assert_eq!(std::hint::black_box(answer).status(), 200);
    }
    (processor_time() - began).as_nanos() as f64 / drawn.len() as f64
}

fn processor_time() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(
        time.tv_sec.cast_unsigned(),
        time.tv_nsec.cast_unsigned() as u32,
    )
}

/// Ends sessions of others, so many a second.
async fn revoke(store: MemoryStore, rate: Arc<AtomicU64>) {
    let mut ticks = tokio::time::interval(TICK);
    let mut owed = 0.0;
    loop {
        ticks.tick().await;
        owed += rate.load(Ordering::Relaxed) as f64 * TICK.as_secs_f64();
        let now = owed as u64;
        owed -= now as f64;
        if now > 0 {
            let written = store.append(entries(now)).await;
            written.expect("memory takes it");
        }
    }
}

/// Entries of sessions of as many users.
pub fn entries(count: u64) -> Vec<RevocationEntry> {
    let now = SystemClock.now();
    (0..count)
        .map(|_| {
            let session = SessionId::random();
            let user = UserId::new(format!("user-{session}")).expect("it is a name");
            RevocationEntry {
                id: EntryId::random(),
                revoked: Revoked::Session {
                    session,
                    user: Some(user),
                },
                reason: EndReason::SignedOut,
                at: now,
                until: now + Duration::from_secs(7_200),
            }
        })
        .collect()
}

const USERS: usize = 10_000;
const REQUESTS: usize = 1_000_000;
const ROUNDS: usize = 9;
const RATES: [u64; 4] = [0, 10, 1_000, 10_000];
const TICK: Duration = Duration::from_millis(10);
const SETTLES: Duration = Duration::from_millis(300);
