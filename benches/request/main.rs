//! What the layer adds to a request, over the bare service of the same run.
//!
//! `cargo bench --bench request` runs the cases interleaved and shuffled, round by round, and prints
//! medians of same-round differences: absolute figures drift on shared machines, these do less. Time
//! is that of the thread on a processor, so that waiting for one does not count. A busy neighbour
//! still slows all rows down alike: compare a verdict with the floor of the same run.
//! `cargo bench --bench request -- warm` runs the cases alone whose name holds "warm".
//!
//! The floors are what a check by hand would cost: see `floor.rs`.

mod floor;

use std::convert::Infallible;
use std::future::{Future, Ready, ready};
use std::hint::black_box;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use bytes::Bytes;
use floor::Floor;
use http::{HeaderValue, Request, Response, header};
use http_body_util::Full;
use tower::{Layer, Service};
use tower_jwt_session::revocation::{Confirm, Terms};
use tower_jwt_session::verify::{Algorithm, Key, KeyState, TokenPolicy};
use tower_jwt_session::{Device, JwtSession, SessionLimit, UserId};

type Answer = Response<Full<Bytes>>;

fn main() {
    if cfg!(debug_assertions) {
        eprintln!("a debug build says nothing about speed: run `cargo bench --bench request`");
        std::process::exit(2);
    }
    let wanted = std::env::args().skip(1).find(|arg| !arg.starts_with("--"));
    let wanted = wanted.unwrap_or_default();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .expect("a runtime");
    let mut cases = vec![Case::bare(), Case::insert()];
    for (algorithm, warm, cold) in LIMITS {
        let name = algorithm.as_str();
        if !["warm", "cold", "floor"]
            .map(|kind| format!("{kind} {name}"))
            .iter()
            .any(|case| case.contains(&wanted))
        {
            continue;
        }
        eprintln!("preparing {name}");
        let three = runtime.block_on(Case::of_algorithm(algorithm, warm, cold));
        cases.extend(three.into_iter().filter(|case| case.name.contains(&wanted)));
    }
    let rounds = measure(&mut cases);
    report(&cases, &rounds);
}

struct Case {
    name: String,
    /// What it may cost over bare, in nanoseconds.
    limit: Option<f64>,
    tokens: Vec<HeaderValue>,
    next: usize,
    per_round: usize,
    call: Box<dyn FnMut(Request<()>)>,
}

impl Case {
    fn bare() -> Self {
        let mut inner = Inner;
        Self {
            name: "bare".to_owned(),
            limit: None,
            tokens: vec![HeaderValue::from_static("Bearer of-nothing")],
            next: 0,
            per_round: MANY,
            call: Box::new(move |request| {
                finish(inner.call(request));
            }),
        }
    }

    /// What no layer can do without that hands something to a handler: its place in the request.
    fn insert() -> Self {
        let mut inner = Inner;
        let something = Arc::new(0_u64);
        Self {
            name: "insert".to_owned(),
            call: Box::new(move |mut request| {
                request.extensions_mut().insert(something.clone());
                finish(inner.call(request));
            }),
            ..Self::bare()
        }
    }

    async fn of_algorithm(algorithm: Algorithm, warm_limit: f64, cold_limit: f64) -> [Self; 3] {
        let key = match algorithm {
            Algorithm::Hs256 => Key::hmac(Some("bench"), algorithm, SECRET),
            _ => Key::generate(Some("bench"), algorithm),
        };
        let key = key.expect("a key");
        let name = algorithm.as_str();

        let policy = TokenPolicy::new(ISSUER, AUDIENCE);
        let (tokens, call) = layered(&key, policy, 1).await;
        let warm = Self {
            name: format!("warm {name}"),
            limit: Some(warm_limit),
            tokens,
            next: 0,
            per_round: MANY,
            call,
        };

        // More tokens than the cache holds, each asked in turn: every one is verified.
        let policy = TokenPolicy::new(ISSUER, AUDIENCE).with_cache_size(64 * 1024);
        let (tokens, call) = layered(&key, policy, 2_000).await;
        let per_round = if algorithm.is_symmetric() { SOME } else { FEW };
        let floor = Floor::new(&key, SECRET);
        let mut inner = Inner;
        let floor = Self {
            name: format!("floor {name}"),
            limit: None,
            tokens: tokens.clone(),
            next: 0,
            per_round,
            call: Box::new(move |mut request| {
                floor.check(&mut request);
                finish(inner.call(request));
            }),
        };
        let cold = Self {
            name: format!("cold {name}"),
            limit: Some(cold_limit),
            tokens,
            next: 0,
            per_round,
            call,
        };
        [warm, cold, floor]
    }

    /// Nanoseconds per request.
    fn run(&mut self) -> f64 {
        let begun = processor_time();
        for _ in 0..self.per_round {
            let token = &self.tokens[self.next];
            self.next = (self.next + 1) % self.tokens.len();
            let mut request = Request::new(());
            request
                .headers_mut()
                .insert(header::AUTHORIZATION, token.clone());
            (self.call)(black_box(request));
        }
        (processor_time() - begun).as_nanos() as f64 / self.per_round as f64
    }
}

#[cfg(target_os = "linux")]
fn processor_time() -> Duration {
    use rustix::time::{ClockId, clock_gettime};

    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

#[cfg(not(target_os = "linux"))]
fn processor_time() -> Duration {
    static BEGUN: std::sync::OnceLock<Instant> = std::sync::OnceLock::new();
    BEGUN.get_or_init(Instant::now).elapsed()
}

type Call = Box<dyn FnMut(Request<()>)>;

/// The service behind the layer, and so many tokens of as many users.
async fn layered(key: &Key, policy: TokenPolicy, tokens: usize) -> (Vec<HeaderValue>, Call) {
    let auth = JwtSession::builder()
        .key(key.clone(), KeyState::Sign)
        .refresh_secret(b"0d4c1b7f9a3e5628d7c0f1e2b3a49586")
        .token_policy(policy)
        .limit(SessionLimit::UNLIMITED)
        .terms(Terms::new(Confirm::Never))
        .build()
        .expect("a sound configuration");
    // Lives as long as the process: the view has to stay fresh while it is measured.
    std::mem::forget(auth.start().await.expect("memory is always there"));
    let mut headers = Vec::with_capacity(tokens);
    for number in 0..tokens {
        headers.push(bearer(&auth, number).await);
    }
    let mut service = auth.layer().layer(Inner);
    let call = move |request| {
        let Poll::Ready(Ok(response)) = poll(service.call(request)) else {
            panic!("the store was asked");
        };
        assert_eq!(response.status(), 200);
    };
    (headers, Box::new(call))
}

async fn bearer(auth: &JwtSession, number: usize) -> HeaderValue {
    let user = UserId::new(format!("user-{number:08}@bench.example")).expect("a good name");
    let ticket = auth.sessions().ticket(&user).await.expect("a ticket");
    let signed_in = auth.sessions().sign_in(ticket, Device::default()).await;
    let tokens = signed_in.expect("a session").tokens();
    HeaderValue::try_from(format!("Bearer {}", tokens.access_token)).expect("ASCII")
}

#[derive(Clone)]
struct Inner;

impl Service<Request<()>> for Inner {
    type Response = Answer;
    type Error = Infallible;
    type Future = Ready<Result<Answer, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<()>) -> Self::Future {
        drop(black_box(request));
        ready(Ok(Response::new(Full::default())))
    }
}

fn poll<F: Future>(future: F) -> Poll<F::Output> {
    pin!(future).poll(&mut Context::from_waker(Waker::noop()))
}

fn finish<F: Future>(future: F) {
    let Poll::Ready(answer) = poll(future) else {
        panic!("the bare service answers at once");
    };
    black_box(answer);
}

/// Per round, the nanoseconds of each case.
fn measure(cases: &mut [Case]) -> Vec<Vec<f64>> {
    let mut random = fastrand::Rng::with_seed(1);
    let mut order: Vec<usize> = (0..cases.len()).collect();
    let warm_up = Instant::now();
    while warm_up.elapsed() < Duration::from_secs(2) {
        cases.iter_mut().for_each(|case| {
            case.run();
        });
    }
    let mut rounds = Vec::with_capacity(ROUNDS);
    for round in 0..ROUNDS {
        random.shuffle(&mut order);
        let mut row = vec![0.0; cases.len()];
        for &case in &order {
            row[case] = cases[case].run();
        }
        rounds.push(row);
        if (round + 1) % (ROUNDS / 10) == 0 {
            eprintln!("{} of {ROUNDS} rounds", round + 1);
        }
    }
    rounds
}

fn report(cases: &[Case], rounds: &[Vec<f64>]) {
    println!(
        "{:<12} {:>6} {:>8} {:>13} {:>7}  verdict",
        "case", "bytes", "ns", "ns over bare", "limit"
    );
    for (index, case) in cases.iter().enumerate() {
        let bytes = case.tokens[0].len() - "Bearer ".len();
        let ns = median(rounds.iter().map(|row| row[index]));
        let over = median(rounds.iter().map(|row| row[index] - row[0]));
        let (limit, verdict) = match case.limit {
            Some(limit) if over <= limit => (format!("{limit}"), "within"),
            Some(limit) => (format!("{limit}"), "OVER"),
            None => (String::new(), ""),
        };
        println!(
            "{:<12} {bytes:>6} {ns:>8.0} {over:>13.0} {limit:>7}  {verdict}",
            case.name
        );
    }
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<_> = values.collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

const ROUNDS: usize = 200;

/// Requests per round, so that each case has some milliseconds: in a shorter one, most of the time
/// goes into what the other cases have pushed out of the processor's caches.
const MANY: usize = 4_000;
const SOME: usize = 1_000;
const FEW: usize = 100;

/// What a request may cost over the bare service, warm and cold, in nanoseconds.
const LIMITS: [(Algorithm, f64, f64); 4] = [
    (Algorithm::Hs256, 150.0, 2_200.0),
    (Algorithm::Rs256, 165.0, 20_000.0),
    (Algorithm::Es256, 150.0, 63_000.0),
    (Algorithm::EdDsa, 150.0, 40_000.0),
];

const ISSUER: &str = "bench.id";
const AUDIENCE: &str = "bench";
const SECRET: &[u8] = b"7e0a9c51d3f84b26a1c05d9e47b3f8620f1e2d3c4b5a69788796a5b4c3d2e1f0";
