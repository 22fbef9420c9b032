//! What the layer adds to a request, over the bare service of the same run.
//!
//! `cargo bench --bench request` runs the cases interleaved and shuffled, round by round, and prints
//! medians of same-round differences: absolute figures drift on shared machines, these do not.

use std::convert::Infallible;
use std::future::{Future, Ready, ready};
use std::hint::black_box;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{HeaderValue, Request, Response, header};
use http_body_util::Full;
use tower::{Layer, Service};
use tower_jwt_session::revocation::{Confirm, OnStoreFailure, Terms};
use tower_jwt_session::verify::{Algorithm, Key, KeyState, TokenPolicy};
use tower_jwt_session::{Device, JwtSession, SessionLimit, UserId};

type Answer = Response<Full<Bytes>>;

fn main() {
    if cfg!(debug_assertions) {
        eprintln!("a debug build says nothing about speed: run `cargo bench --bench request`");
        std::process::exit(2);
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .expect("a runtime");
    let mut cases = vec![Case::bare()];
    for algorithm in [
        Algorithm::Hs256,
        Algorithm::Rs256,
        Algorithm::Es256,
        Algorithm::EdDsa,
    ] {
        eprintln!("preparing {}", algorithm.as_str());
        cases.push(runtime.block_on(Case::warm(algorithm)));
        cases.push(runtime.block_on(Case::cold(algorithm)));
    }
    let rounds = measure(&mut cases);
    report(&cases, &rounds);
}

struct Case {
    name: String,
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
            tokens: vec![HeaderValue::from_static("Bearer of-nothing")],
            next: 0,
            per_round: 4_000,
            call: Box::new(move |request| {
                finish(inner.call(request));
            }),
        }
    }

    /// One token, seen before.
    async fn warm(algorithm: Algorithm) -> Self {
        Self::layered(
            "warm",
            algorithm,
            TokenPolicy::new("bench", "bench"),
            1,
            4_000,
        )
        .await
    }

    /// More tokens than the cache holds, each asked in turn: every one is verified.
    async fn cold(algorithm: Algorithm) -> Self {
        let policy = TokenPolicy::new("bench", "bench").with_cache_size(64 * 1024);
        Self::layered("cold", algorithm, policy, 2_000, 100).await
    }

    async fn layered(
        kind: &str,
        algorithm: Algorithm,
        policy: TokenPolicy,
        tokens: usize,
        per_round: usize,
    ) -> Self {
        let key = Key::generate(Some("bench"), algorithm).expect("a key");
        let auth = JwtSession::builder()
            .key(key, KeyState::Sign)
            .refresh_secret(b"0d4c1b7f9a3e5628d7c0f1e2b3a49586")
            .token_policy(policy)
            .limit(SessionLimit::UNLIMITED)
            .terms(Terms {
                confirm: Confirm::Never,
                on_store_failure: OnStoreFailure::Reject,
            })
            .build()
            .expect("a sound configuration");
        // Lives as long as the process: the view has to stay fresh while it is measured.
        std::mem::forget(auth.start().await.expect("memory is always there"));
        let mut headers = Vec::with_capacity(tokens);
        for number in 0..tokens {
            headers.push(bearer(&auth, number).await);
        }
        let mut service = auth.layer().layer(Inner);
        Self {
            name: format!("{kind} {}", algorithm.as_str()),
            tokens: headers,
            next: 0,
            per_round,
            call: Box::new(move |request| {
                let Poll::Ready(Ok(response)) = poll(service.call(request)) else {
                    panic!("the store was asked");
                };
                assert_eq!(response.status(), 200);
            }),
        }
    }

    /// Nanoseconds per request.
    fn run(&mut self) -> f64 {
        let begun = Instant::now();
        for _ in 0..self.per_round {
            let token = &self.tokens[self.next];
            self.next = (self.next + 1) % self.tokens.len();
            let mut request = Request::new(());
            request
                .headers_mut()
                .insert(header::AUTHORIZATION, token.clone());
            (self.call)(black_box(request));
        }
        begun.elapsed().as_nanos() as f64 / self.per_round as f64
    }
}

async fn bearer(auth: &JwtSession, number: usize) -> HeaderValue {
    let user = UserId::new(format!("user-{number:08}")).expect("a good name");
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
        "{:<12} {:>8} {:>12} {:>14} {:>10}",
        "case", "bytes", "ns", "ns over bare", "x of bare"
    );
    for (index, case) in cases.iter().enumerate() {
        let bytes = case.tokens[0].len() - "Bearer ".len();
        let ns = median(rounds.iter().map(|row| row[index]));
        let over = median(rounds.iter().map(|row| row[index] - row[0]));
        let ratio = median(rounds.iter().map(|row| row[index] / row[0]));
        println!(
            "{:<12} {bytes:>8} {ns:>12.0} {over:>14.0} {ratio:>10.2}",
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
