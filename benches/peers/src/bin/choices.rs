//! Parts that could have been others: hashes, clocks, maps for tokens, for revocations and for what the store said.
//!
//! Prints one line of JSON for each: what for, which, nanoseconds.

#[path = "../../../request/zipf.rs"]
mod zipf;

use std::collections::HashMap;
use std::hash::{BuildHasher, Hasher};
use std::hint::black_box;
use std::sync::{Arc, RwLock};
use std::time::{Duration, Instant, SystemTime};

use quick_cache::sync::DefaultLifecycle;
use quick_cache::{UnitWeighter, Weighter};
use rustix::time::{ClockId, clock_gettime};
use serde_json::json;
use tower_jwt_session_peers::processor_time;
use zipf::zipf;

type Fold = foldhash::quality::RandomState;
type Token = Box<[u8]>;

fn main() {
    if cfg!(debug_assertions) {
        eprintln!("a debug build says nothing about speed");
        std::process::exit(2);
    }
    let rounds = std::env::args().nth(1);
    let rounds: usize = rounds.map_or(60, |rounds| rounds.parse().expect("a number of rounds"));
    let mut parts = hashes();
    parts.extend(clocks());
    parts.extend(token_maps());
    parts.extend(revocation_maps());
    parts.extend(name_hashes());
    parts.extend(answer_maps());
    let mut samples = vec![Vec::new(); parts.len()];
    let mut order: Vec<usize> = (0..parts.len()).collect();
    let mut random = fastrand::Rng::with_seed(3);
    for round in 0..rounds + 2 {
        random.shuffle(&mut order);
        for &at in &order {
            let begun = processor_time();
            (parts[at].run)(TIMES);
            let took = (processor_time() - begun).as_nanos() as f64 / TIMES as f64;
            if round >= 2 {
                samples[at].push(took);
            }
        }
    }
    for (part, of) in parts.iter().zip(&mut samples) {
        of.sort_by(f64::total_cmp);
        let ns = (of[of.len() / 2] * 10.0).round() / 10.0;
        println!("{}", json!({"for": part.of, "which": part.which, "ns": ns}));
    }
}

struct Part {
    of: &'static str,
    which: &'static str,
    run: Box<dyn FnMut(usize)>,
}

fn part(of: &'static str, which: &'static str, mut once: impl FnMut(usize) + 'static) -> Part {
    let mut at = 0;
    let run = move |times| {
        for _ in 0..times {
            at += 1;
            once(at);
        }
    };
    Part {
        of,
        which,
        run: Box::new(run),
    }
}

fn hashed<S: BuildHasher + 'static>(which: &'static str, state: S, last: usize) -> Part {
    let token = tokens(1).remove(0);
    part("hash", which, move |_| {
        let token = black_box(&token);
        let mut hasher = state.build_hasher();
        hasher.write(&token[token.len() - last..]);
        black_box(hasher.finish());
    })
}

fn hashes() -> Vec<Part> {
    vec![
        hashed("foldhash, the last 32 bytes", Fold::default(), 32),
        hashed("foldhash, all bytes", Fold::default(), TOKEN),
        hashed("aHash, all bytes", ahash::RandomState::new(), TOKEN),
        hashed("SipHash, all bytes", std::hash::RandomState::new(), TOKEN),
    ]
}

/// Of what a revocation is filed under.
fn name_hashes() -> Vec<Part> {
    fn named<S: BuildHasher + 'static>(which: &'static str, state: S) -> Part {
        let ids = ids(4, 1 << 12);
        part("names", which, move |at| {
            black_box(state.hash_one(&ids[at & ((1 << 12) - 1)][..]));
        })
    }
    vec![
        named(
            "foldhash, the fast kind",
            foldhash::fast::RandomState::default(),
        ),
        named("foldhash, the kind of better quality", Fold::default()),
        named("aHash", ahash::RandomState::new()),
        named("SipHash", std::hash::RandomState::new()),
    ]
}

fn clocks() -> Vec<Part> {
    vec![
        part("clock", "coarse wall and coarse monotonic", |_| {
            black_box(clock_gettime(ClockId::RealtimeCoarse));
            black_box(clock_gettime(ClockId::MonotonicCoarse));
        }),
        part("clock", "SystemTime::now and Instant::now", |_| {
            black_box(SystemTime::now());
            black_box(Instant::now());
        }),
        part("clock", "boot time", |_| {
            black_box(clock_gettime(ClockId::Boottime));
        }),
    ]
}

#[derive(Clone)]
struct Weigh;

impl Weighter<Token, Arc<u64>> for Weigh {
    fn weight(&self, _: &Token, _: &Arc<u64>) -> u64 {
        1_700
    }
}

fn token_maps() -> Vec<Part> {
    let keys: Arc<Vec<Token>> = Arc::new(tokens(TOKENS));
    let order: Arc<Vec<u32>> = Arc::new(zipf(TOKENS, 1_000_000));
    let all = || keys.iter().map(|key| (key.clone(), Arc::new(0_u64)));
    let of = |which, get: Box<dyn Fn(&[u8]) -> Option<Arc<u64>>>| {
        let (keys, order) = (keys.clone(), order.clone());
        part("tokens", which, move |at| {
            let key = &keys[order[at % order.len()] as usize];
            black_box(get(key).expect("it is there"));
        })
    };
    let quick: quick_cache::sync::Cache<Token, Arc<u64>, Weigh, Fold> =
        quick_cache::sync::Cache::with(
            TOKENS,
            1 << 30,
            Weigh,
            Fold::default(),
            DefaultLifecycle::default(),
        );
    all().for_each(|(key, value)| quick.insert(key, value));
    let moka = moka::sync::Cache::builder()
        .max_capacity(1 << 20)
        .build_with_hasher(Fold::default());
    all().for_each(|(key, value)| moka.insert(key, value));
    moka.run_pending_tasks();
    let moka_as_is = moka::sync::Cache::builder().max_capacity(1 << 20).build();
    all().for_each(|(key, value)| moka_as_is.insert(key, value));
    moka_as_is.run_pending_tasks();
    let papaya: papaya::HashMap<Token, Arc<u64>, Fold> = papaya::HashMap::default();
    all().for_each(|(key, value)| {
        let _ = papaya.pin().insert(key, value);
    });
    let dash: dashmap::DashMap<Token, Arc<u64>, Fold> = dashmap::DashMap::default();
    all().for_each(|(key, value)| {
        let _ = dash.insert(key, value);
    });
    let scc: scc::HashMap<Token, Arc<u64>, Fold> = scc::HashMap::default();
    all().for_each(|(key, value)| {
        let _ = scc.insert_sync(key, value);
    });
    vec![
        of("quick_cache (bounded)", Box::new(move |key| quick.get(key))),
        of("moka (bounded)", Box::new(move |key| moka.get(key))),
        of(
            "moka with its own hasher (bounded)",
            Box::new(move |key| moka_as_is.get(key)),
        ),
        of(
            "papaya (unbounded)",
            Box::new(move |key| papaya.pin().get(key).cloned()),
        ),
        of(
            "dashmap (unbounded)",
            Box::new(move |key| dash.get(key).map(|found| found.clone())),
        ),
        of(
            "scc (unbounded)",
            Box::new(move |key| scc.read_sync(key, |_, value| value.clone())),
        ),
    ]
}

/// A million ids that are out, and questions for others.
fn revocation_maps() -> Vec<Part> {
    let ids = ids(5, REVOKED);
    let others = Arc::new(self::ids(6, 1 << 16));
    let of = |which, has: Box<dyn Fn(&[u8; 16]) -> bool>| {
        let others = others.clone();
        part("revocations", which, move |at| {
            assert!(!has(&others[at % others.len()]), "nobody has put it there");
        })
    };
    let state = Fold::default();
    let shards: Vec<RwLock<hashbrown::HashTable<[u8; 72]>>> =
        (0..256).map(|_| RwLock::default()).collect();
    let hash = state.clone();
    for id in &ids {
        let at = state.hash_one(id);
        let mut entry = [0; 72];
        entry[..16].copy_from_slice(id);
        let mut shard = shards[(at >> 40) as usize % 256]
            .write()
            .expect("nobody panics");
        shard.insert_unique(at, entry, |entry| {
            state.hash_one(<[u8; 16]>::try_from(&entry[..16]).expect("16"))
        });
    }
    let moka = moka::sync::Cache::builder()
        .max_capacity(1 << 40)
        .build_with_hasher(Fold::default());
    ids.iter().for_each(|id| moka.insert(*id, 0_u64));
    moka.run_pending_tasks();
    let dash: dashmap::DashMap<[u8; 16], u64, Fold> = ids.iter().map(|id| (*id, 0)).collect();
    let std: RwLock<HashMap<[u8; 16], u64>> = RwLock::new(ids.iter().map(|id| (*id, 0)).collect());
    vec![
        of(
            "256 locks over tables of hashbrown",
            Box::new(move |id| {
                let at = hash.hash_one(id);
                let shard = shards[(at >> 40) as usize % 256]
                    .read()
                    .expect("nobody panics");
                shard.find(at, |entry| entry[..16] == id[..]).is_some()
            }),
        ),
        of("dashmap", Box::new(move |id| dash.contains_key(id))),
        of("moka", Box::new(move |id| moka.get(id).is_some())),
        of(
            "one lock over the map of the standard library",
            Box::new(move |id| std.read().expect("nobody panics").contains_key(id)),
        ),
    ]
}

/// What the store said of as many sessions as there are tokens, and of a generation of each.
fn answer_maps() -> Vec<Part> {
    type Key = ([u8; 16], u32);
    let keys: Arc<Vec<Key>> = Arc::new(ids(7, TOKENS).into_iter().map(|id| (id, 1)).collect());
    let order: Arc<Vec<u32>> = Arc::new(zipf(TOKENS, 1_000_000));
    let of = |which, get: Box<dyn Fn(&Key) -> Option<Arc<u64>>>| {
        let (keys, order) = (keys.clone(), order.clone());
        part("answers", which, move |at| {
            let key = &keys[order[at % order.len()] as usize];
            black_box(get(key).expect("it is there"));
        })
    };
    let builder = || {
        moka::sync::Cache::<Key, Arc<u64>>::builder()
            .max_capacity(1 << 20)
            .time_to_live(Duration::from_secs(24 * 3600))
    };
    let moka = builder().build_with_hasher(foldhash::fast::RandomState::default());
    let moka_as_is = builder().build();
    let quick: quick_cache::sync::Cache<Key, Arc<u64>, UnitWeighter, foldhash::fast::RandomState> =
        quick_cache::sync::Cache::with(
            TOKENS,
            2 * TOKENS as u64,
            UnitWeighter,
            foldhash::fast::RandomState::default(),
            DefaultLifecycle::default(),
        );
    // One after the other: each as it would lie in memory alone.
    keys.iter().for_each(|key| moka.insert(*key, Arc::new(0)));
    for key in keys.iter() {
        moka_as_is.insert(*key, Arc::new(0));
    }
    keys.iter().for_each(|key| quick.insert(*key, Arc::new(0)));
    moka.run_pending_tasks();
    moka_as_is.run_pending_tasks();
    vec![
        of("moka with foldhash", Box::new(move |key| moka.get(key))),
        of(
            "moka with its own hasher",
            Box::new(move |key| moka_as_is.get(key)),
        ),
        of(
            "quick_cache, which ends nothing by time",
            Box::new(move |key| quick.get(key)),
        ),
    ]
}

fn ids(seed: u64, number: usize) -> Vec<[u8; 16]> {
    let mut random = fastrand::Rng::with_seed(seed);
    (0..number).map(|_| random.u128(..).to_ne_bytes()).collect()
}

fn tokens(number: usize) -> Vec<Token> {
    let mut random = fastrand::Rng::with_seed(2);
    let token = |_| {
        std::iter::repeat_with(|| random.alphanumeric() as u8)
            .take(TOKEN)
            .collect()
    };
    (0..number).map(token).collect()
}

const TOKEN: usize = 462;
const TOKENS: usize = 100_000;
const REVOKED: usize = 1_000_000;
const TIMES: usize = 20_000;
