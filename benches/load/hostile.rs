//! What good requests still get during a flood of bad tokens, and what the flood leaves in memory.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tower::Service as _;
use tower_jwt_session::MemoryStore;

use crate::flood::{FAMILIES, Family, Flood};
use crate::forge::Forge;
use crate::node::{Layered, Settings, bearer, layered, node, request, share, signed_in};
use crate::results::{Results, Wanted as Figure, median};
use crate::{Wanted, in_a_process, resident, runtime, sockets};

/// What clients with good tokens got.
#[derive(Clone, Copy, Default)]
struct Served {
    per_second: f64,
    p50: f64,
    p99: f64,
    bad_per_second: f64,
    looked_at_per_second: f64,
}

pub fn measure(wanted: &Wanted, results: &mut Results) {
    results.say(&format!(
        "In process: {GOOD} tasks that send requests with one known token each, as fast as they are answered, and {BAD} tasks that \
         send bad tokens, made beforehand, on two threads; medians of rounds that take turns. A request with a good token takes from its call to its \
         answer; *off* is `JWT_BAD_TOKEN_SHARE=off`."
    ));
    for family in FAMILIES {
        flooded(wanted, family, results);
    }
    sockets::measure(wanted, results);
    for family in FAMILIES {
        remembered(wanted, family, results);
    }
    results.say(
        "Refusals stand in the order of their cost: length, shape, header, key and algorithm before the signature, the signature before the \
         claims, the claims before the view, the view before the store. Unknown kids and garbage cost next to nothing at any time. What \
         a flood of tokens that reach a signature still takes is the share, and the refusals themselves, which are answers with a body.",
    );
    results.say(
        "Nothing is remembered of a token that is not genuine. Of genuine ones of sessions that do not exist the answers of the store are, up to 10,000; the tokens \
         themselves leave the cache of verified ones with the answer. Only who has a signing key, or a store that lost its sessions, can \
         make many of them.",
    );
}

fn flooded(wanted: &Wanted, family: Family, results: &mut Results) {
    let runtime = runtime(2);
    let rounds = if wanted.quick { 1 } else { ROUNDS };
    let (mut idle, mut on, mut off) = (Vec::new(), Vec::new(), Vec::new());
    runtime.block_on(async {
        let forge = Arc::new(Forge::new(family.algorithm));
        let side = async |text| {
            let settings = Settings {
                share: share(text),
                ..Settings::default()
            };
            let auth = node(forge.key(), MemoryStore::new(), settings).await;
            let good = bearer(&signed_in(&auth, "good").await.access_token);
            // None is seen twice within a second, for which an unknown session is remembered.
            let beforehand = if wanted.quick { 20_000 } else { 60_000 };
            let flood = Flood::new(family, forge.clone(), auth.clone(), beforehand).await;
            let mut service = layered(&auth);
            let first = service.call(request(&good)).await.expect("it never fails");
            assert_eq!(first.status(), 200, "a good token is let in");
            (service, good, flood)
        };
        let (limited, free) = (side("on").await, side("off").await);
        for _ in 0..rounds {
            idle.push(serve(&limited, false).await);
            on.push(serve(&limited, true).await);
            off.push(serve(&free, true).await);
        }
    });
    let [idle, on, off] = [idle, on, off].map(Served::median);
    let name = |what: &str| format!("{}: {what}", family.name);
    results.add(name("bad tokens sent"), on.bad_per_second, "/s");
    results.add(name("of them looked at"), on.looked_at_per_second, "/s");
    results.add(name("bad tokens sent, off"), off.bad_per_second, "/s");
    results.add(name("good requests, no flood"), idle.per_second, "/s");
    results.add(name("good requests"), on.per_second, "/s");
    results.add(name("good requests, off"), off.per_second, "/s");
    let is_gated = family.name == "forged-ES256";
    let most = Figure::AtLeast {
        goal: 10.0,
        gate: 3.0,
    };
    let gain = on.per_second / off.per_second;
    results.judge(
        name("good requests, times off"),
        gain,
        "",
        is_gated.then_some(most),
    );
    results.add(name("p50 of good requests, no flood"), idle.p50, "µs");
    results.add(name("p50 of good requests"), on.p50, "µs");
    results.add(name("p99 of good requests, no flood"), idle.p99, "µs");
    let slower = Figure::AtMost {
        goal: 1.3,
        gate: 2.0,
    };
    results.add(name("p99 of good requests"), on.p99, "µs");
    results.judge(
        name("p99 of good requests, times no flood"),
        on.p99 / idle.p99,
        "",
        slower,
    );
}

type Side = (Layered, http::HeaderValue, Flood);

async fn serve((service, good, flood): &Side, flooding: bool) -> Served {
    let over = Arc::new(AtomicBool::new(false));
    let bad = Arc::new([AtomicU64::new(0), AtomicU64::new(0)]);
    let mut sending = Vec::new();
    for _ in 0..if flooding { BAD } else { 0 } {
        let (mut flood, over, bad) = (flood.clone(), over.clone(), bad.clone());
        sending.push(tokio::spawn(async move {
            while !over.load(Ordering::Relaxed) {
                let looked_at = u64::from(flood.send().await);
                bad[0].fetch_add(1, Ordering::Relaxed);
                bad[1].fetch_add(looked_at, Ordering::Relaxed);
                tokio::task::yield_now().await;
            }
        }));
    }
    // What is free in quiet times is used up.
    tokio::time::sleep(LASTS / 2).await;
    let (began, before) = (
        Instant::now(),
        [0, 1].map(|which| bad[which].load(Ordering::Relaxed)),
    );
    let clients = (0..GOOD).map(|_| {
        let (mut service, good) = (service.clone(), good.clone());
        tokio::spawn(async move {
            let mut times = Vec::new();
            while began.elapsed() < LASTS {
                let called = Instant::now();
                let answer = service.call(request(&good)).await.expect("it never fails");
                times.push(called.elapsed());
                assert_eq!(answer.status(), 200, "who is known goes on");
                tokio::task::yield_now().await;
            }
            times
        })
    });
    let mut times = Vec::new();
    for client in clients.collect::<Vec<_>>() {
        times.extend(client.await.expect("no client panics"));
    }
    let took = began.elapsed().as_secs_f64();
    let after = [0, 1].map(|which| bad[which].load(Ordering::Relaxed));
    over.store(true, Ordering::Relaxed);
    for sender in sending {
        sender.await.expect("no sender panics");
    }
    Served::of(
        times,
        took,
        [0, 1].map(|which| after[which] - before[which]),
    )
}

impl Served {
    fn of(mut times: Vec<Duration>, took: f64, bad: [u64; 2]) -> Self {
        times.sort_unstable();
        let at = |share: f64| {
            let place = (times.len() as f64 * share) as usize;
            times.get(place).map_or(f64::NAN, Duration::as_secs_f64) * 1e6
        };
        Self {
            per_second: times.len() as f64 / took,
            p50: at(0.5),
            p99: at(0.99),
            bad_per_second: bad[0] as f64 / took,
            looked_at_per_second: bad[1] as f64 / took,
        }
    }

    fn median(all: Vec<Self>) -> Self {
        let of = |part: fn(&Self) -> f64| median(all.iter().map(part).collect());
        Self {
            per_second: of(|served| served.per_second),
            p50: of(|served| served.p50),
            p99: of(|served| served.p99),
            bad_per_second: of(|served| served.bad_per_second),
            looked_at_per_second: of(|served| served.looked_at_per_second),
        }
    }
}

fn remembered(wanted: &Wanted, family: Family, results: &mut Results) {
    let shares: &[&str] = match family.name {
        "forged-ES256" | "unknown-session" if !wanted.quick => &["on", "off"],
        _ => &["on"],
    };
    for share in shares {
        let more = in_a_process(&format!("flood {} {share}", family.name))[0];
        let off = if *share == "off" { ", off" } else { "" };
        let name = format!("{}: memory after 1,000,000{off}", family.name);
        let gated = Figure::AtMost {
            goal: 4.0,
            gate: 16.0,
        };
        results.judge(name, more / MIB, "MiB", (*share == "on").then_some(gated));
    }
}

/// Sends a million bad tokens and prints how much more memory that took.
pub fn remember(family: &str, text: &str) {
    let family = Family::named(family).expect("it is a family");
    runtime(2).block_on(async {
        let forge = Arc::new(Forge::new(family.algorithm));
        let settings = Settings {
            share: share(text),
            ..Settings::default()
        };
        let auth = node(forge.key(), MemoryStore::new(), settings).await;
        let flood = Flood::new(family, forge, auth, 0).await;
        // What is there once, and what the allocator keeps at hand.
        send(&flood, 10_000).await;
        let before = resident();
        send(&flood, 1_000_000).await;
        println!("{}", resident() - before);
    });
}

async fn send(flood: &Flood, times: usize) {
    let senders = (0..2).map(|_| {
        let mut flood = flood.clone();
        tokio::spawn(async move {
            for _ in 0..times / 2 {
                flood.send().await;
            }
        })
    });
    for sender in senders.collect::<Vec<_>>() {
        sender.await.expect("no sender panics");
    }
}

const GOOD: usize = 2;
const BAD: usize = 8;
const ROUNDS: usize = 5;
const LASTS: Duration = Duration::from_millis(600);
const MIB: f64 = 1024.0 * 1024.0;
