//! What a node does.

use std::collections::HashMap;
use std::convert::Infallible;
use std::io::Write;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use axum::Router;
use axum::routing::get;
use bytes::Bytes;
use http::{Request, Response, header};
use http_body_util::Full;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::net::TcpListener;
use tower::{Layer, ServiceExt, service_fn};
use tower_jwt_session::revocation::{EndReason, RevocationSettings};
use tower_jwt_session::session::SignInTicket;
use tower_jwt_session::verify::TokenPolicy;
use tower_jwt_session::{
    Device, Environment, JwtSession, Rejection, SessionError, Sessions, SqliteStore, Tokens, UserId,
};

use super::SECRET;
use super::gated::Gated;
use super::stepping::Stepping;

/// Plays a node until its input ends.
pub async fn play() {
    let clock = Stepping::default();
    let auth = match build(&clock) {
        Ok(auth) => auth,
        Err(error) => return say(&format!("failed {}", told(&error))),
    };
    let began = Instant::now();
    let running = loop {
        let error = match auth.start().await {
            Ok(running) => break running,
            Err(error) => told(&error),
        };
        // A server that is too busy to let anybody in may do so later.
        if !error.contains("cannot be reached") || began.elapsed() > PATIENCE {
            return say(&format!("failed {error}"));
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    };
    let node = Arc::new(Program::new(auth, clock));
    let mut lines = BufReader::new(tokio::io::stdin()).lines();
    say("ready");
    while let Ok(Some(line)) = lines.next_line().await {
        let node = node.clone();
        tokio::spawn(async move {
            let mut words = line.split_whitespace();
            let number = words.next().unwrap_or_default();
            let words: Vec<&str> = words.collect();
            let answer = node.answer(&words).await;
            say(&format!("{number} {answer}"));
        });
    }
    running.shutdown().await;
}

/// The store and the rest are what the environment says; clocks are those of one machine, unless
/// one is set.
fn build(clock: &Stepping) -> Result<JwtSession, tower_jwt_session::ConfigError> {
    let settings = RevocationSettings::default()
        .with_skew(Duration::from_millis(100))
        .with_poll_interval(Duration::from_millis(500));
    let mut builder = JwtSession::builder()
        .hmac_secret(SECRET)
        .clock(Arc::new(clock.clone()))
        .revocation(settings);
    if std::env::var_os("FLEET_SMALL").is_some() {
        // What is full soon, and soon forgotten, can be seen to stay as it is.
        let policy = TokenPolicy::new("tower-jwt-session", "tower-jwt-session");
        builder = builder
            .token_policy(policy.with_cache_size(2 * 1024 * 1024))
            .retention(Duration::from_secs(120));
    }
    let address = std::env::var("SESSION_STORE").unwrap_or_default();
    let others = std::env::vars().filter(|(name, _)| name != "SESSION_STORE");
    let others = Environment::from_pairs(others);
    if let Some(store) = Gated::at(&address) {
        // An address that the crate does not know.
        return builder.with_env(&others).store(store).build();
    }
    if let Some(path) = SqliteStore::path_of(&address) {
        // A file goes by the clock of its machine, which may be set.
        let store = SqliteStore::new(path).with_clock(Arc::new(clock.clone()));
        return builder.with_env(&others).store(store).build();
    }
    builder.with_env(&Environment::of_process()).build()
}

/// Answers a line of this process, which is one write so that no other comes between.
pub fn say(what: &str) {
    let mut out = std::io::stdout().lock();
    // Who does not listen any more has gone, and this process is about to.
    let _ = out.write_all(format!("@ {what}\n").as_bytes());
    let _ = out.flush();
}

/// An error with its causes, in one line.
fn told(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text.push_str(": ");
        text.push_str(&error.to_string());
        source = error.source();
    }
    text.replace('\n', " ")
}

struct Program {
    auth: JwtSession,
    clock: Stepping,
    tickets: Mutex<HashMap<u64, SignInTicket>>,
    next: AtomicU64,
    resting: Arc<AtomicBool>,
}

type Outcome = Result<String, SessionError>;

impl Program {
    fn new(auth: JwtSession, clock: Stepping) -> Self {
        Self {
            auth,
            clock,
            tickets: Mutex::default(),
            next: AtomicU64::default(),
            resting: Arc::default(),
        }
    }

    fn sessions(&self) -> &Sessions {
        self.auth.sessions()
    }

    async fn answer(&self, words: &[&str]) -> String {
        let outcome = match *words {
            ["check", token] => return verdict(check(&self.auth, token).await),
            ["await-refusal", token] => return self.await_refusal(token).await,
            ["status"] => return self.status(),
            ["load", tasks] => return self.load(tasks, "0"),
            ["load", tasks, pause] => return self.load(tasks, pause),
            ["listen"] => return listen(&self.auth).await,
            ["rest"] => {
                self.resting.store(true, Ordering::SeqCst);
                return "ok".to_owned();
            }
            ["step", seconds] => {
                self.clock.step_to(seconds.parse().unwrap_or_default());
                return "ok".to_owned();
            }
            ["sign-in", user] => self.sign_in(user).await,
            ["ticket", user] => self.ticket(user).await,
            ["redeem", ticket] => self.redeem(ticket).await,
            ["refresh", token] => self.sessions().refresh(token).await.map(pair),
            ["list", user] => self.list(user).await,
            ["count", user] => self.count(user).await,
            ["end", session] => self.end(session, false).await,
            ["end-everywhere", session] => self.end(session, true).await,
            ["end-all", user, except] => self.end_all(user, except, false).await,
            ["end-all-everywhere", user, except] => self.end_all(user, except, true).await,
            ["roles", user] => self.roles(user).await,
            _ => return "no such-command".to_owned(),
        };
        outcome.unwrap_or_else(|error| format!("no {}", told(&error)))
    }

    async fn sign_in(&self, user: &str) -> Outcome {
        let ticket = self.sessions().ticket(&UserId::new(user)?).await?;
        self.redeemed(ticket).await
    }

    async fn ticket(&self, user: &str) -> Outcome {
        let ticket = self.sessions().ticket(&UserId::new(user)?).await?;
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let mut tickets = self.tickets.lock().expect("nobody panicked");
        tickets.insert(number, ticket);
        Ok(format!("ok {number}"))
    }

    async fn redeem(&self, number: &str) -> Outcome {
        let ticket = {
            let mut tickets = self.tickets.lock().expect("nobody panicked");
            number.parse().ok().and_then(|n: u64| tickets.remove(&n))
        };
        match ticket {
            Some(ticket) => self.redeemed(ticket).await,
            None => Ok("no such ticket".to_owned()),
        }
    }

    async fn redeemed(&self, ticket: SignInTicket) -> Outcome {
        let signed_in = self.sessions().sign_in(ticket, Device::default()).await?;
        Ok(pair(signed_in.tokens()))
    }

    async fn list(&self, user: &str) -> Outcome {
        let mut answer = "ok".to_owned();
        for session in self.sessions().list(&UserId::new(user)?).await? {
            answer.push(' ');
            answer.push_str(&session.id.to_string());
        }
        Ok(answer)
    }

    async fn count(&self, user: &str) -> Outcome {
        let count = self.sessions().count(&UserId::new(user)?).await?;
        Ok(format!("ok {count}"))
    }

    async fn end(&self, session: &str, everywhere: bool) -> Outcome {
        let Ok(session) = session.parse() else {
            return Ok("no such session".to_owned());
        };
        let began = clock();
        let done = self.sessions().end(session, EndReason::AdminRevoked);
        let done = done.await?;
        let (count, held) = (done.count(), clock());
        if everywhere {
            done.everywhere().await?;
        }
        Ok(format!("ok {count} {began} {held} {}", clock()))
    }

    async fn end_all(&self, user: &str, except: &str, everywhere: bool) -> Outcome {
        let began = clock();
        let ending = self.sessions().end_all(&UserId::new(user)?);
        let done = ending.except(except.parse().ok()).await?;
        let (count, held) = (done.count(), clock());
        if everywhere {
            done.everywhere().await?;
        }
        Ok(format!("ok {count} {began} {held} {}", clock()))
    }

    async fn roles(&self, user: &str) -> Outcome {
        let done = self.sessions().roles_changed(&UserId::new(user)?).await?;
        Ok(format!("ok {}", done.count()))
    }

    fn status(&self) -> String {
        let view = self.auth.view();
        let age = view.age.map_or(-1, |age| age.as_micros().cast_signed());
        let cursor = view.cursor.map(|cursor| cursor.0).unwrap_or_default();
        let cursor: Vec<String> = cursor.iter().map(u64::to_string).collect();
        format!(
            "ok {} {} {age} {} {} {}",
            view.following,
            view.fresh,
            view.entries,
            view.complete,
            cursor.join(",")
        )
    }

    /// When a token that is admitted now was first refused, looking every 50 microseconds.
    async fn await_refusal(&self, token: &str) -> String {
        let (auth, token) = (self.auth.clone(), token.to_owned());
        let runtime = tokio::runtime::Handle::current();
        let watching = tokio::task::spawn_blocking(move || {
            let began = clock();
            while clock() - began < PATIENCE.as_nanos() {
                if runtime.block_on(check(&auth, &token)).is_err() {
                    return format!("ok {}", clock());
                }
                std::thread::sleep(Duration::from_micros(50));
            }
            "no refusal".to_owned()
        });
        watching.await.expect("it does not panic")
    }

    /// Signs in, refreshes, checks and ends in so many tasks until told to rest.
    /// Clients that live one session after the other, and wait so many milliseconds after each
    /// write.
    fn load(&self, tasks: &str, pause: &str) -> String {
        let pause = Duration::from_millis(pause.parse().unwrap_or_default());
        self.resting.store(false, Ordering::SeqCst);
        for number in 0..tasks.parse().unwrap_or(1_u32) {
            let (auth, resting) = (self.auth.clone(), self.resting.clone());
            tokio::spawn(async move {
                let user = format!("load-{}-{number}", std::process::id());
                while !resting.load(Ordering::SeqCst) {
                    if round(&auth, &user, pause).await.is_err() {
                        tokio::time::sleep(Duration::from_millis(10)).await;
                    }
                }
            });
        }
        "ok".to_owned()
    }
}

/// Serves a page behind the layer, and says where.
async fn listen(auth: &JwtSession) -> String {
    let routes = Router::new().route("/", get(|| async { "hello" }));
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("it is bound");
    let serving = axum::serve(listener, routes.layer(auth.layer()));
    tokio::spawn(serving.into_future());
    address.to_string()
}

/// A life of a session.
async fn round(auth: &JwtSession, user: &str, pause: Duration) -> Result<(), SessionError> {
    let rest = async || {
        if !pause.is_zero() {
            tokio::time::sleep(pause).await;
        }
    };
    let sessions = auth.sessions();
    let ticket = sessions.ticket(&UserId::new(user)?).await?;
    let signed_in = sessions.sign_in(ticket, Device::default()).await?;
    let mut tokens = signed_in.tokens();
    for _ in 0..3 {
        for _ in 0..20 {
            // Who is refused here is so by the store's absence, which others measure.
            let _ = check(auth, &tokens.access_token).await;
        }
        let presented = tokens.refresh_token.clone().unwrap_or_default();
        tokens = sessions.refresh(&presented).await?;
        rest().await;
    }
    sessions
        .end(tokens.session_id, EndReason::SignedOut)
        .await?;
    rest().await;
    Ok(())
}

fn pair(tokens: Tokens) -> String {
    let refresh = tokens.refresh_token.unwrap_or_default();
    format!(
        "ok {} {} {refresh} {}",
        tokens.session_id, tokens.access_token, tokens.generation
    )
}

fn verdict(checked: Result<(), Rejection>) -> String {
    match checked {
        Ok(()) => "200 admitted".to_owned(),
        Err(rejection) => format!("{} {}", rejection.status().as_u16(), rejection.code()),
    }
}

/// Sends a request with the token through the layer.
async fn check(auth: &JwtSession, token: &str) -> Result<(), Rejection> {
    let request = Request::builder()
        .header(header::AUTHORIZATION, format!("Bearer {token}"))
        .body(())
        .expect("a token is a header");
    let inner = service_fn(|_: Request<()>| async {
        Ok::<_, Infallible>(Response::new(Full::<Bytes>::default()))
    });
    let response = auth.layer().layer(inner).oneshot(request).await;
    let mut response = response.expect("infallible");
    match response.extensions_mut().remove::<Rejection>() {
        Some(rejection) => Err(rejection),
        None => Ok(()),
    }
}

/// Nanoseconds since 1970, by the clock that all processes of the machine share.
fn clock() -> u128 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.expect("it is later than 1970").as_nanos()
}

/// How long a refusal is waited for, and a server that cannot be reached.
const PATIENCE: Duration = Duration::from_secs(60);
