//! What every program here has in common: the tokens, the service behind the layer, and the talk
//! with the driver.

use std::convert::Infallible;
use std::fs;
use std::future::{Ready, poll_fn, ready};
use std::hint::black_box;
use std::io::{BufRead, stdin};
use std::path::{Path, PathBuf};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Request, Response, StatusCode};
use http_body_util::Full;
use rustix::time::{ClockId, clock_gettime};
use serde::Deserialize;
use tokio::net::TcpListener;
use tokio::runtime::{Builder, Runtime};
use tower::Service;

pub type Answer = Response<Full<Bytes>>;

pub const ALGORITHMS: [&str; 4] = ["HS256", "RS256", "ES256", "EdDSA"];
pub const ISSUER: &str = "bench.id";
pub const AUDIENCE: &str = "bench";
pub const SECRET: &str = "7e0a9c51d3f84b26a1c05d9e47b3f8620f1e2d3c4b5a69788796a5b4c3d2e1f0";

/// What the tokens say, as an application would write it down.
#[derive(Clone, Debug, Deserialize)]
pub struct Claims {
    pub iss: String,
    pub aud: String,
    pub sub: String,
    pub sid: String,
    pub jti: String,
    pub client_id: String,
    pub iat: u64,
    pub exp: u64,
    pub auth_time: u64,
    #[serde(rename = "gen")]
    pub generation: u32,
    pub ugen: u64,
    pub rgen: u64,
}

/// The service behind every layer.
#[derive(Clone)]
pub struct Inner;

impl Service<Request<()>> for Inner {
    type Response = Answer;
    type Error = Infallible;
    type Future = Ready<Result<Answer, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<()>) -> Self::Future {
        drop(black_box(request));
        ready(Ok(Response::default()))
    }
}

/// What tells that a request was answered well.
pub trait IsGood {
    fn is_good(&self) -> bool;
}

impl<B> IsGood for Response<B> {
    fn is_good(&self) -> bool {
        self.status() == 200
    }
}

/// The folder that the programs of one run share.
pub struct Folder(PathBuf);

impl Folder {
    pub fn of_run() -> Self {
        let folder = std::env::args_os().nth(1).expect("the folder of the run");
        Self(folder.into())
    }

    pub fn path(&self) -> &Path {
        &self.0
    }

    /// A token of an algorithm, as a header.
    pub fn bearer(&self, algorithm: &str) -> HeaderValue {
        let token = self.read(algorithm);
        HeaderValue::try_from(format!("Bearer {token}")).expect("ASCII")
    }

    /// The public keys, as a JWK set.
    pub fn jwks(&self) -> String {
        self.read("jwks.json")
    }

    /// The address of the Redis server of this run.
    pub fn redis(&self) -> String {
        self.read("redis")
    }

    pub fn write(&self, name: &str, text: &str) {
        fs::write(self.0.join(name), text).expect("the folder of the run can be written");
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.0.join(name)).expect("whoever writes it runs first")
    }
}

/// What of a case counts.
#[derive(Clone, Copy)]
pub enum Counted {
    /// The time of the thread on a processor.
    Processor,
    /// The time on the wall: it waits for a server.
    Wall,
}

/// Nanoseconds per request.
pub struct Sample {
    pub processor: f64,
    pub wall: f64,
}

type Run = Box<dyn FnMut(&Runtime, usize) -> Sample>;

struct Case {
    name: String,
    batch: usize,
    counted: Counted,
    run: Run,
}

/// Ends the program where the compiler did not optimise it.
pub fn refuse_a_debug_build() {
    if cfg!(debug_assertions) {
        eprintln!("a debug build says nothing about speed");
        std::process::exit(2);
    }
}

/// What a server announces whose requests carry the token of ours: the secret is the same.
pub const TOKEN_OF_OURS: &str = "";

/// A port of this machine, told to whoever loads it, with the header that its requests need.
pub async fn announced(header: &str) -> TcpListener {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    println!("{}", listener.local_addr().expect("it is bound").port());
    println!("{header}");
    listener
}

pub fn cookie_line(cookies: &HeaderValue) -> String {
    format!("Cookie: {}", cookies.to_str().expect("ASCII"))
}

/// What a server says to whoever is signed in, and to nobody else.
pub fn hello<U>(user: Option<U>) -> Result<&'static str, StatusCode> {
    user.map(|_| "hello").ok_or(StatusCode::UNAUTHORIZED)
}

/// A program with cases, which the driver calls one after the other.
pub struct Worker {
    pub runtime: Runtime,
    cases: Vec<Case>,
}

impl Worker {
    /// Has the bare service to begin with.
    pub fn new() -> Self {
        refuse_a_debug_build();
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build();
        let mut worker = Self {
            runtime: runtime.expect("a runtime"),
            cases: Vec::new(),
        };
        let nothing = vec![HeaderValue::from_static("Bearer of-nothing")];
        worker.case("bare", LOCAL, http::header::AUTHORIZATION, nothing, Inner);
        worker
    }

    /// A case in which a request with one of these headers, in turn, goes to a service.
    pub fn case<S>(
        &mut self,
        name: &str,
        (batch, counted): (usize, Counted),
        header: HeaderName,
        values: Vec<HeaderValue>,
        mut service: S,
    ) where
        S: Service<Request<()>, Response: IsGood, Error: std::fmt::Debug> + 'static,
    {
        let mut next = 0;
        self.custom(name, (batch, counted), move |runtime, times| {
            runtime.block_on(async {
                // What the others have pushed out of the processor's caches is not what is measured.
                let untimed = match counted {
                    Counted::Processor => times / 4,
                    Counted::Wall => 0,
                };
                let (mut wall, mut processor) = (Instant::now(), processor_time());
                for number in 0..untimed + times {
                    if number == untimed {
                        (wall, processor) = (Instant::now(), processor_time());
                    }
                    let mut request = Request::new(());
                    let value = values[next].clone();
                    request.headers_mut().insert(header.clone(), value);
                    next = (next + 1) % values.len();
                    let ready = poll_fn(|cx| service.poll_ready(cx)).await;
                    ready.expect("it is ready");
                    let answer = service.call(black_box(request)).await.expect("it answers");
                    assert!(black_box(answer).is_good(), "a good request is refused");
                }
                Sample {
                    processor: (processor_time() - processor).as_nanos() as f64 / times as f64,
                    wall: wall.elapsed().as_nanos() as f64 / times as f64,
                }
            })
        });
    }

    pub fn custom(
        &mut self,
        name: &str,
        (batch, counted): (usize, Counted),
        run: impl FnMut(&Runtime, usize) -> Sample + 'static,
    ) {
        self.cases.push(Case {
            name: name.to_owned(),
            batch,
            counted,
            run: Box::new(run),
        });
    }

    /// Tells the driver what there is, and runs what it asks for until it has enough.
    pub fn serve(mut self) {
        for case in &self.cases {
            let kind = match case.counted {
                Counted::Processor => "processor",
                Counted::Wall => "wall",
            };
            println!("case\t{kind}\t{}", case.name);
        }
        println!("ready");
        for line in stdin().lock().lines() {
            let number: usize = line.expect("a line").parse().expect("a number");
            let case = &mut self.cases[number];
            let sample = (case.run)(&self.runtime, case.batch);
            println!(
                "{}",
                match case.counted {
                    Counted::Processor => sample.processor,
                    Counted::Wall => sample.wall,
                }
            );
        }
        // Whatever runs beside it is of no use any more.
        std::process::exit(0);
    }
}

impl Default for Worker {
    fn default() -> Self {
        Self::new()
    }
}

pub fn processor_time() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

/// Requests in one go, so that each has some milliseconds, and what counts of them.
pub const LOCAL: (usize, Counted) = (16_000, Counted::Processor);
pub const PARSED: (usize, Counted) = (2_000, Counted::Processor);
pub const SIGNED: (usize, Counted) = (80, Counted::Processor);
pub const REMOTE: (usize, Counted) = (80, Counted::Wall);

/// As many requests as an algorithm's signatures allow for.
pub fn batch(algorithm: &str) -> (usize, Counted) {
    if algorithm == "HS256" { PARSED } else { SIGNED }
}
