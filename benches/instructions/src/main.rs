//! Warm requests and nothing else, for a counter of instructions and for a clock: see `run.sh`.

#[path = "../../request/zipf.rs"]
mod zipf;

use std::convert::Infallible;
use std::future::{Future, Ready, ready};
use std::hint::black_box;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderValue, Request, Response, header};
use http_body_util::Full;
use rustix::time::{ClockId, clock_gettime};
use tower::{Layer, Service, ServiceExt};
use tower_jwt_session::verify::{Algorithm, Key, KeyState, TokenPolicy};
use tower_jwt_session::{Clock, Device, Instants, JwtSession, SystemClock, UnixTime, UserId};

#[cfg(feature = "mimalloc")]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() {
    if cfg!(debug_assertions) {
        eprintln!("a debug build says nothing about the instructions of a request");
        std::process::exit(2);
    }
    #[cfg(feature = "recorder")]
    let _recorder = metrics_exporter_prometheus::PrometheusBuilder::new()
        .install_recorder()
        .expect("the first recorder");
    let mut words = std::env::args().skip(1);
    let counts = words.next().is_some_and(|word| word == "count");
    let case = words.next().unwrap_or_else(|| "HS256".to_owned());
    if case == "bare" {
        let bearer = HeaderValue::from_static("Bearer of-nothing");
        return run(Inner, &bearer, counts);
    }
    let key = match case.as_str() {
        "HS256" | "HS256-many" | "bare-many" => Key::hmac(Some("bench"), Algorithm::Hs256, SECRET),
        "RS256" => Key::generate(Some("bench"), Algorithm::Rs256),
        other => panic!("{other} is none of: bare HS256 RS256 bare-many HS256-many"),
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    let mut policy = TokenPolicy::new("bench.id", "bench");
    if case.ends_with("-many") {
        policy = policy.with_cache_size(1 << 30);
    }
    let auth = runtime.block_on(prepared(key.expect("a key"), policy));
    let service = auth.layer().layer(Inner);
    let signed_in = |number| {
        let bearer = runtime.block_on(bearer(&auth, number));
        // The store is asked about a token that was never seen.
        let answer = runtime.block_on(service.clone().oneshot(request(&bearer)));
        assert_eq!(answer.expect("the service answers").status(), 200);
        bearer
    };
    if case.ends_with("-many") {
        let bearers: Vec<HeaderValue> = (0..MANY).map(signed_in).collect();
        return match case.as_str() {
            "bare-many" => many(Inner, &bearers),
            _ => many(service.clone(), &bearers),
        };
    }
    let bearer = signed_in(1);
    run(service, &bearer, counts);
}

#[inline(always)]
fn request(bearer: &HeaderValue) -> Request<()> {
    let mut request = Request::new(());
    request
        .headers_mut()
        .insert(header::AUTHORIZATION, bearer.clone());
    request
}

fn run<S: Answers>(mut service: S, bearer: &HeaderValue, counts: bool) {
    warm(&mut service, bearer, 10_000);
    if counts {
        counted(&mut service, bearer);
    } else {
        timed(&mut service, bearer);
    }
}

async fn prepared(key: Key, policy: TokenPolicy) -> JwtSession {
    let auth = JwtSession::builder()
        .key(key, KeyState::Sign)
        .refresh_secret(b"0d4c1b7f9a3e5628d7c0f1e2b3a49586")
        .token_policy(policy)
        .clock(Arc::new(Still(SystemClock.now())))
        .build()
        .expect("a sound configuration");
    let running = auth.start().await.expect("memory is always there");
    // The view stays fresh for long enough without it, and nothing may run beside the requests.
    drop(running);
    auth
}

async fn bearer(auth: &JwtSession, number: usize) -> HeaderValue {
    let user = UserId::new(format!("user-{number:08}@bench.example")).expect("a good name");
    let ticket = auth.sessions().ticket(&user).await.expect("a ticket");
    let signed_in = auth.sessions().sign_in(ticket, Device::default()).await;
    let tokens = signed_in.expect("a session").tokens();
    HeaderValue::try_from(format!("Bearer {}", tokens.access_token)).expect("ASCII")
}

/// What a counter of instructions looks at: as many requests as are sampled once.
#[inline(never)]
fn counted<S: Answers>(service: &mut S, bearer: &HeaderValue) {
    warm(service, bearer, COUNTED);
}

/// Tokens of many users, copied as a server reads them from the wire. Each was seen before, most of them long ago.
fn many<S: Answers>(mut service: S, bearers: &[HeaderValue]) {
    // Until here nothing is of interest: `misses.sh` begins to look when it hears this.
    println!("prepared");
    std::io::stdin()
        .read_line(&mut String::new())
        .expect("it can be read, and may be at its end");
    let order = zipf::zipf(bearers.len(), 10 * COUNTED);
    let (before, counted) = order.split_at(9 * COUNTED);
    drawn(&mut service, bearers, before);
    counted_drawn(&mut service, bearers, counted);
}

/// What a counter of cache lines looks at.
#[inline(never)]
fn counted_drawn<S: Answers>(service: &mut S, bearers: &[HeaderValue], order: &[u32]) {
    drawn(service, bearers, order);
}

#[inline(never)]
fn drawn<S: Answers>(service: &mut S, bearers: &[HeaderValue], order: &[u32]) {
    for number in order {
        let text = bearers[*number as usize].as_bytes();
        let bearer = HeaderValue::from_bytes(text).expect("it is one");
        warm(service, &bearer, 1);
    }
}

fn timed<S: Answers>(service: &mut S, bearer: &HeaderValue) {
    let mut best = f64::MAX;
    for _ in 0..200 {
        let begun = processor_time();
        warm(service, bearer, 10_000);
        let took = (processor_time() - begun).as_nanos() as f64 / 10_000.0;
        best = best.min(took);
    }
    println!("{best:.1}");
}

#[inline(never)]
fn warm<S: Answers>(service: &mut S, bearer: &HeaderValue, times: usize) {
    for _ in 0..times {
        let answer = pin!(service.call(black_box(request(bearer))));
        let Poll::Ready(Ok(answer)) = answer.poll(&mut Context::from_waker(Waker::noop())) else {
            panic!("the store was asked");
        };
        assert_eq!(black_box(answer).status(), 200);
    }
}

fn processor_time() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

/// A clock that costs the same everywhere. That of the system is read in memory that valgrind does not map.
#[derive(Debug)]
struct Still(UnixTime);

impl Clock for Still {
    fn now(&self) -> UnixTime {
        self.0
    }

    fn instants(&self) -> Instants {
        Instants {
            wall: self.0,
            monotonic: Duration::ZERO,
        }
    }
}

/// A service that answers at once.
trait Answers: Service<Request<()>, Response = Answer, Error = Infallible> {}

impl<S: Service<Request<()>, Response = Answer, Error = Infallible>> Answers for S {}

type Answer = Response<Full<Bytes>>;

#[derive(Clone)]
struct Inner;

impl Service<Request<()>> for Inner {
    type Response = Answer;
    type Error = Infallible;
    type Future = Ready<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<()>) -> Self::Future {
        drop(black_box(request));
        ready(Ok(Response::new(Full::default())))
    }
}

const COUNTED: usize = 10_240;
const MANY: usize = 100_000;
const SECRET: &[u8] = b"7e0a9c51d3f84b26a1c05d9e47b3f8620f1e2d3c4b5a69788796a5b4c3d2e1f0";
