//! One process: the crate as it is, in a runtime whose time the scheduler holds.

use std::convert::Infallible;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response, header};
use http_body_util::Full;
use tokio::runtime::{Builder, Runtime};
use tokio::time::{Instant, sleep, sleep_until};
use tower::{Layer, ServiceExt, service_fn};
use tower_jwt_session::revocation::{Confirm, OnStoreFailure};
use tower_jwt_session::{ClaimsSource, Clock, Grants, JwtSession, Rejection, Session, UserId};

use crate::clock::{Millis, NodeClock};
use crate::link::{Link, Outbox, Sent};
use crate::plan::Settings;
use crate::users::Users;

/// What a process is up to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    Up,
    /// It stands still; when `asleep`, so does its monotonic clock.
    Still {
        asleep: bool,
    },
    Down,
}

/// What reaches a process.
pub type Arrival<R> = Box<dyn FnOnce(&Alive<R>) + Send>;

pub struct Node<R> {
    pub state: State,
    /// Which life of the process this is.
    pub life: u32,
    pub offset: Arc<AtomicI64>,
    waiting: Vec<Arrival<R>>,
    alive: Option<Alive<R>>,
}

/// A process that runs.
pub struct Alive<R> {
    runtime: Runtime,
    clock: Arc<NodeClock>,
    pub auth: JwtSession,
    outbox: Arc<Outbox>,
    results: Arc<Results<R>>,
}

/// What the tasks of a process have come to, each with true time.
#[derive(Debug)]
pub struct Results<R> {
    told: Mutex<Vec<(Millis, R)>>,
    outbox: Arc<Outbox>,
    clock: Arc<NodeClock>,
}

impl<R> Results<R> {
    /// True time, where the task is.
    pub fn now(&self) -> Millis {
        self.clock.true_time()
    }

    pub fn tell(&self, result: R) {
        let at = self.clock.true_time();
        self.told.lock().unwrap().push((at, result));
        self.outbox.stirred.notify_one();
    }
}

const SECRET: &[u8] = b"8e6f1a3c5d7b9f0e2a4c6d8e0f1b3a5c7d9e";

impl<R: Send + 'static> Node<R> {
    pub fn new(offset: i64) -> Self {
        Self {
            state: State::Down,
            life: 0,
            offset: Arc::new(AtomicI64::new(offset)),
            waiting: Vec::new(),
            alive: None,
        }
    }

    pub fn start(&mut self, now: Millis, settings: &Settings, users: &Arc<Users>) {
        let runtime = Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .expect("a runtime without threads");
        let outbox = Arc::new(Outbox::default());
        let offset = self.offset.clone();
        let (auth, clock) = runtime.block_on(async {
            let clock = Arc::new(NodeClock::new(Instant::now(), now, offset));
            let held: Arc<dyn Clock> = clock.clone();
            let auth = JwtSession::builder()
                .hmac_secret(SECRET)
                .store(Link::new(outbox.clone()))
                .clock(held)
                .claims_source(Directory(users.clone()))
                .lifetimes(settings.lifetimes())
                .rotation(settings.rotation())
                .limit(settings.limit)
                .revocation(settings.revocation())
                .token_policy(settings.policy())
                .build()
                .expect("the settings are sound");
            (auth, clock)
        });
        let joining = auth.clone();
        runtime.spawn(async move {
            loop {
                match joining.start().await {
                    Ok(_running) => break std::future::pending::<()>().await,
                    Err(_) => sleep(Duration::from_millis(500)).await,
                }
            }
        });
        let results = Arc::new(Results {
            told: Mutex::default(),
            outbox: outbox.clone(),
            clock: clock.clone(),
        });
        self.life += 1;
        self.state = State::Up;
        self.alive = Some(Alive {
            runtime,
            clock,
            auth,
            outbox,
            results,
        });
    }

    /// The process is killed.
    pub fn kill(&mut self) {
        self.state = State::Down;
        self.waiting.clear();
        self.alive = None;
    }

    /// Lets a process that stood still go on: what came meanwhile is there before anything runs.
    pub fn wake(&mut self, now: Millis) {
        let State::Still { asleep } = self.state else {
            return;
        };
        self.state = State::Up;
        let Some(alive) = &self.alive else { return };
        let missed = now - alive.clock.true_time_outside(&alive.runtime);
        for arrival in self.waiting.drain(..) {
            arrival(alive);
        }
        if asleep {
            alive.clock.base.fetch_add(missed, Ordering::Relaxed);
        } else {
            alive
                .runtime
                .block_on(tokio::time::advance(Duration::from_millis(missed)));
        }
    }

    /// Something reaches the process: now, or when it runs again, or never.
    pub fn arrive(&mut self, life: u32, arrival: impl FnOnce(&Alive<R>) + Send + 'static) {
        match (&self.alive, self.state) {
            (Some(alive), State::Up) if self.life == life => arrival(alive),
            (Some(_), State::Still { .. }) if self.life == life => {
                self.waiting.push(Box::new(arrival));
            }
            _ => {}
        }
    }

    /// Lets the process run until `until`, or until it has something to say.
    pub fn run(&self, until: Millis) -> Option<Stirred<R>> {
        let alive = self.alive.as_ref().filter(|_| self.state == State::Up)?;
        let clock = &alive.clock;
        let (sent, told) = loop {
            alive.runtime.block_on(async {
                let base = clock.base.load(Ordering::Relaxed);
                let end = clock.began + Duration::from_millis(until.saturating_sub(base));
                tokio::select! {
                    biased;
                    () = alive.outbox.stirred.notified() => {}
                    () = sleep_until(end) => {}
                }
            });
            let sent = std::mem::take(&mut *alive.outbox.sent.lock().unwrap());
            let told = std::mem::take(&mut *alive.results.told.lock().unwrap());
            let quiet = sent.is_empty() && told.is_empty();
            if !quiet || clock.true_time_outside(&alive.runtime) >= until {
                break (sent, told);
            }
        };
        (!sent.is_empty() || !told.is_empty()).then(|| Stirred {
            at: clock.true_time_outside(&alive.runtime),
            sent,
            told,
        })
    }
}

/// What a process said, and when.
pub struct Stirred<R> {
    pub at: Millis,
    pub sent: Vec<Sent>,
    pub told: Vec<(Millis, R)>,
}

impl NodeClock {
    fn true_time_outside(&self, runtime: &Runtime) -> Millis {
        let _inside = runtime.enter();
        self.true_time()
    }
}

impl<R: Send + 'static> Alive<R> {
    /// Runs a task that tells what it comes to.
    pub fn spawn<F>(&self, task: impl FnOnce(JwtSession, Arc<Results<R>>) -> F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        self.runtime
            .spawn(task(self.auth.clone(), self.results.clone()));
    }

    pub fn hint(&self) {
        self.outbox.hints.notify_one();
    }
}

/// How much the route that is asked wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Route {
    Usual,
    Always,
    ViewOnly,
    /// Goes on without the store.
    Lenient,
}

/// Sends a request through the layer.
pub async fn admit(auth: &JwtSession, token: &str, route: Route) -> Result<(), Rejection> {
    let layer = auth.layer();
    let layer = match route {
        Route::Usual => layer,
        Route::Always => layer.with_confirm(Confirm::Always),
        Route::ViewOnly => layer.with_confirm(Confirm::Never),
        Route::Lenient => layer.with_on_store_failure(OnStoreFailure::AcceptVerifiedUntilExpiry),
    };
    let service = layer.layer(service_fn(|request: Request<()>| async move {
        let mut response = Response::new(Full::<Bytes>::default());
        if let Some(session) = request.extensions().get::<Session>() {
            response.extensions_mut().insert(session.clone());
        }
        Ok::<_, Infallible>(response)
    }));
    let request = Request::builder()
        .header(header::AUTHORIZATION, format!("Bearer {token}"))
        .body(())
        .expect("a good request");
    let mut response = service.oneshot(request).await.expect("infallible");
    match response.extensions_mut().remove::<Rejection>() {
        Some(rejection) => Err(rejection),
        None => Ok(()),
    }
}

/// Who may do what: the version of a user's roles is a role.
struct Directory(Arc<Users>);

impl ClaimsSource for Directory {
    type Error = Infallible;

    async fn claims(&self, user: &UserId) -> Result<Option<Grants>, Infallible> {
        let version = self.0.of(user).roles.load(Ordering::Relaxed);
        Ok(Some(Grants::default().role(format!("v{version}"))))
    }
}

/// A number that only grows, as a directory keeps it of a user.
pub type Version = AtomicU64;
