//! This crate. Runs first, and makes the keys and tokens for all of them.

#[path = "../../../request/floor.rs"]
mod floor;
#[path = "../../../request/zipf.rs"]
mod zipf;

use std::future::poll_fn;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use floor::Floor;
use http::header::AUTHORIZATION;
use http::{HeaderValue, Request};
use serde_json::{Value, json};
use tokio::runtime::Runtime;
use tower::{Layer, Service, service_fn};
use tower_jwt_session::revocation::{
    Confirm, EndReason, EntryId, RevocationEntry, RevocationSettings, RevocationStore, Revoked,
    Terms,
};
use tower_jwt_session::verify::{Algorithm, Key, KeyState, TokenPolicy};
use tower_jwt_session::{
    Device, JwtSession, Lifetimes, MemoryStore, RedisStore, SessionId, SessionLimit, SessionStore,
    UnixTime, UserId,
};
use tower_jwt_session_peers::{
    ALGORITHMS, AUDIENCE, Counted, Folder, ISSUER, Inner, IsGood, LOCAL, REMOTE, SECRET, Sample,
    Worker, batch, processor_time,
};
use zipf::zipf;

fn main() {
    let folder = Folder::of_run();
    let mut worker = Worker::new();
    let mut public: Vec<Value> = Vec::new();
    for name in ALGORITHMS {
        eprintln!("ours: preparing {name}");
        let key = key(name);
        let (auth, tokens) = worker
            .runtime
            .block_on(signed_in(&key, MemoryStore::new(), 1));
        folder.write(name, token_of(&tokens[0]));
        public.extend(
            auth.keys().jwks()["keys"]
                .as_array()
                .into_iter()
                .flatten()
                .cloned(),
        );
        warm(&mut worker, &format!("warm {name}"), LOCAL, &auth, tokens);
        cold(&mut worker, name, &key);
    }
    folder.write("jwks.json", &json!({"keys": public}).to_string());
    redis(&mut worker, &folder);
    revoked(&mut worker, 10_000);
    revoked(&mut worker, MANY_REVOKED);
    many_tokens(&mut worker);
    worker.serve();
}

fn key(name: &str) -> Key {
    let algorithm = match name {
        "HS256" => return hmac_key(),
        "RS256" => Algorithm::Rs256,
        "ES256" => Algorithm::Es256,
        _ => Algorithm::EdDsa,
    };
    Key::generate(Some(name), algorithm).expect("a key")
}

fn hmac_key() -> Key {
    Key::hmac(Some("HS256"), Algorithm::Hs256, SECRET.as_bytes()).expect("a key")
}

/// A running node over a store, with defaults but for how long tokens live.
async fn node(
    key: &Key,
    store: impl SessionStore,
    terms: Terms,
    policy: TokenPolicy,
) -> JwtSession {
    let patient = RevocationSettings::default().with_store_timeout(Duration::from_secs(60));
    let auth = JwtSession::builder()
        .key(key.clone(), KeyState::Sign)
        .refresh_secret(b"0d4c1b7f9a3e5628d7c0f1e2b3a49586")
        .token_policy(policy)
        .limit(SessionLimit::UNLIMITED)
        .lifetimes(Lifetimes::default().with_access(Duration::from_secs(3_600)))
        .revocation(patient.with_max_entries(2 * MANY_REVOKED))
        .terms(terms)
        .store(store)
        .build()
        .expect("a sound configuration");
    // Runs for as long as the process does.
    std::mem::forget(auth.start().await.expect("the store is there"));
    auth
}

/// A node and tokens of so many users.
async fn signed_in(
    key: &Key,
    store: impl SessionStore,
    tokens: usize,
) -> (JwtSession, Vec<HeaderValue>) {
    let auth = node(key, store, Terms::default(), policy()).await;
    let mut headers = Vec::with_capacity(tokens);
    for number in 0..tokens {
        headers.push(bearer(&auth, number).await);
    }
    (auth, headers)
}

async fn bearer(auth: &JwtSession, number: usize) -> HeaderValue {
    let user = UserId::new(format!("user-{number:08}@bench.example")).expect("a good name");
    let ticket = auth.sessions().ticket(&user).await.expect("a ticket");
    let signed_in = auth.sessions().sign_in(ticket, Device::default()).await;
    let tokens = signed_in.expect("a session").tokens();
    HeaderValue::try_from(format!("Bearer {}", tokens.access_token)).expect("ASCII")
}

fn token_of(bearer: &HeaderValue) -> &str {
    let value = bearer.to_str().expect("ASCII");
    value.strip_prefix("Bearer ").expect("a bearer token")
}

fn policy() -> TokenPolicy {
    TokenPolicy::new(ISSUER, AUDIENCE)
}

fn warm(
    worker: &mut Worker,
    name: &str,
    batch: (usize, Counted),
    auth: &JwtSession,
    tokens: Vec<HeaderValue>,
) {
    worker.case(
        name,
        batch,
        AUTHORIZATION,
        tokens,
        auth.layer().layer(Inner),
    );
}

/// More tokens than the cache holds, each asked in turn: every one is verified.
fn cold(worker: &mut Worker, name: &str, key: &Key) {
    let (auth, tokens) = worker.runtime.block_on(async {
        let policy = policy().with_cache_size(64 * 1024);
        let auth = node(key, MemoryStore::new(), Terms::new(Confirm::Never), policy).await;
        let mut tokens = Vec::new();
        for number in 0..2_000 {
            tokens.push(bearer(&auth, number).await);
        }
        (auth, tokens)
    });
    let floor = Floor::new(key, SECRET.as_bytes());
    let by_hand = service_fn(move |mut request: Request<()>| {
        floor.check(&mut request);
        Inner.call(request)
    });
    worker.case(
        &format!("floor {name}"),
        batch(name),
        AUTHORIZATION,
        tokens.clone(),
        by_hand,
    );
    warm(worker, &format!("cold {name}"), batch(name), &auth, tokens);
}

fn redis(worker: &mut Worker, folder: &Folder) {
    eprintln!("ours: {FIRST_SEEN} sessions in Redis");
    let store = || RedisStore::new(&folder.redis()).expect("an address");
    let key = hmac_key();
    let (auth, tokens) = worker
        .runtime
        .block_on(signed_in(&key, store(), FIRST_SEEN));
    let one = vec![tokens[0].clone()];
    worker.case(
        "first sight, Redis",
        REMOTE,
        AUTHORIZATION,
        tokens,
        auth.layer().layer(Inner),
    );
    let terms = Terms::new(Confirm::Always);
    let always = worker
        .runtime
        .block_on(node(&key, store(), terms, policy()));
    warm(worker, "Confirm::Always, Redis", REMOTE, &always, one);
}

/// A token that is in, and so many others that are out.
fn revoked(worker: &mut Worker, entries: usize) {
    eprintln!("ours: {entries} revocations");
    let (auth, tokens) = worker.runtime.block_on(async {
        let store = MemoryStore::new();
        let until = UnixTime::from(std::time::SystemTime::now()) + Duration::from_secs(3_600);
        let mut left = entries;
        while left > 0 {
            let some = left.min(100_000);
            store
                .append((0..some).map(|_| entry(until)).collect())
                .await
                .expect("it is there");
            left -= some;
        }
        signed_in(&hmac_key(), store, 1).await
    });
    assert!(
        auth.view().entries >= entries,
        "the view holds {}",
        auth.view().entries
    );
    let name = format!("warm HS256, {entries} revoked");
    warm(worker, &name, LOCAL, &auth, tokens);
}

fn entry(until: UnixTime) -> RevocationEntry {
    let user = UserId::new("user-00000002@bench.example").expect("a good name");
    RevocationEntry {
        id: EntryId::random(),
        revoked: Revoked::Session {
            session: SessionId::random(),
            user: Some(user),
        },
        reason: EndReason::SignedOut,
        at: until - Duration::from_secs(3_600),
        until,
    }
}

/// Many tokens, of which some come often and most seldom, on one thread and on two.
fn many_tokens(worker: &mut Worker) {
    eprintln!("ours: {MANY_TOKENS} tokens");
    let (service, tokens) = worker.runtime.block_on(async {
        let policy = policy().with_cache_size(1 << 30);
        let auth = node(&hmac_key(), MemoryStore::new(), Terms::default(), policy).await;
        let mut tokens = Vec::with_capacity(MANY_TOKENS);
        let mut service = auth.layer().layer(Inner);
        for number in 0..MANY_TOKENS {
            let token = bearer(&auth, number).await;
            let answer = service.call(request(token.as_bytes())).await;
            assert!(answer.expect("it answers").is_good());
            tokens.push(token.as_bytes().into());
        }
        (service, tokens)
    });
    let drawn = Arc::new(Drawn {
        tokens,
        order: zipf(MANY_TOKENS, 2_000_000),
    });
    for threads in [1, 2] {
        for_threads(
            worker,
            &format!("bare, zipf, {threads} threads"),
            &drawn,
            threads,
            Inner,
        );
        let name = format!("warm HS256, zipf, {threads} threads");
        for_threads(worker, &name, &drawn, threads, service.clone());
    }
}

struct Drawn {
    tokens: Vec<Box<[u8]>>,
    order: Vec<u32>,
}

fn request(bearer: &[u8]) -> Request<()> {
    let mut request = Request::new(());
    // Copied, as a server reads it from the wire.
    let value = HeaderValue::from_bytes(bearer).expect("ASCII");
    request.headers_mut().insert(AUTHORIZATION, value);
    request
}

fn for_threads<S>(worker: &mut Worker, name: &str, drawn: &Arc<Drawn>, threads: usize, service: S)
where
    S: Service<Request<()>, Response: IsGood, Error: std::fmt::Debug> + Clone + Send + 'static,
{
    let drawn = drawn.clone();
    let mut at = 0;
    let run = move |_: &Runtime, times: usize| {
        at = (at + 7_919 * times) % drawn.order.len();
        let wall = Instant::now();
        let took: Vec<_> = thread::scope(|scope| {
            let running: Vec<_> = (0..threads)
                .map(|thread| {
                    let from = at + thread * drawn.order.len() / threads;
                    let (drawn, service) = (&drawn, service.clone());
                    scope.spawn(move || drawn.run(service, from, times))
                })
                .collect();
            running
                .into_iter()
                .map(|one| one.join().expect("it answers"))
                .collect()
        });
        Sample {
            processor: took.iter().sum::<f64>() / threads as f64,
            wall: wall.elapsed().as_nanos() as f64 / times as f64,
        }
    };
    worker.custom(name, (20_000, Counted::Processor), run);
}

impl Drawn {
    /// Nanoseconds of processor time per request.
    fn run<S>(&self, mut service: S, from: usize, times: usize) -> f64
    where
        S: Service<Request<()>, Response: IsGood, Error: std::fmt::Debug>,
    {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .expect("a runtime");
        runtime.block_on(async {
            let begun = processor_time();
            for number in 0..times {
                let drawn = self.order[(from + number) % self.order.len()] as usize;
                let request = request(&self.tokens[drawn]);
                poll_fn(|cx| service.poll_ready(cx))
                    .await
                    .expect("it is ready");
                assert!(service.call(request).await.expect("it answers").is_good());
            }
            (processor_time() - begun).as_nanos() as f64 / times as f64
        })
    }
}

const MANY_TOKENS: usize = 100_000;
const MANY_REVOKED: usize = 10_000_000;

/// Each is seen first once, so a run cannot be longer than there are.
const FIRST_SEEN: usize = 12_000;
