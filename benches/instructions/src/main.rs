//! Warm requests and nothing else, for a counter of instructions and for a clock: see `run.sh`.

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
use tower::{Layer, Service};
use tower_jwt_session::middleware::JwtSessionService;
use tower_jwt_session::revocation::{Confirm, Terms};
use tower_jwt_session::{Clock, Device, Instants, JwtSession, SystemClock, UnixTime, UserId};

fn main() {
    #[cfg(feature = "recorder")]
    let _recorder = metrics_exporter_prometheus::PrometheusBuilder::new()
        .install_recorder()
        .expect("the first recorder");
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    let (auth, bearer) = runtime.block_on(prepared());
    let mut service = auth.layer().layer(Inner);
    warm(&mut service, &bearer, 10_000);
    match std::env::args().nth(1).as_deref() {
        Some("count") => counted(&mut service, &bearer),
        _ => timed(&mut service, &bearer),
    }
}

async fn prepared() -> (JwtSession, HeaderValue) {
    let auth = JwtSession::builder()
        .hmac_secret(b"7e0a9c51d3f84b26a1c05d9e47b3f8620f1e2d3c4b5a69788796a5b4c3d2e1f0")
        .terms(Terms::new(Confirm::Never))
        .clock(Arc::new(Still(SystemClock.now())))
        .build()
        .expect("a sound configuration");
    let running = auth.start().await.expect("memory is always there");
    // The view stays fresh for long enough without it, and nothing may run beside the requests.
    drop(running);
    let user = UserId::new("user-00000001@bench.example").expect("a good name");
    let ticket = auth.sessions().ticket(&user).await.expect("a ticket");
    let signed_in = auth.sessions().sign_in(ticket, Device::default()).await;
    let tokens = signed_in.expect("a session").tokens();
    let bearer = HeaderValue::try_from(format!("Bearer {}", tokens.access_token));
    (auth, bearer.expect("ASCII"))
}

/// What a counter of instructions looks at: as many requests as are sampled once.
#[inline(never)]
fn counted(service: &mut JwtSessionService<Inner>, bearer: &HeaderValue) {
    warm(service, bearer, COUNTED);
}

fn timed(service: &mut JwtSessionService<Inner>, bearer: &HeaderValue) {
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
fn warm(service: &mut JwtSessionService<Inner>, bearer: &HeaderValue, times: usize) {
    for _ in 0..times {
        let mut request = Request::new(());
        request
            .headers_mut()
            .insert(header::AUTHORIZATION, bearer.clone());
        let answer = pin!(service.call(black_box(request)));
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

#[derive(Clone)]
struct Inner;

impl Service<Request<()>> for Inner {
    type Response = Response<Full<Bytes>>;
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
