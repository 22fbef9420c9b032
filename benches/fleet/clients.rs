//! What 64 clients at once wait for a new session and for its refresh: the verbs, with everything but
//! the check of a password, which takes as long as it is made to.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tower_jwt_session::{Device, Environment, JwtSession, UserId};

use crate::backend::Backend;
use crate::figures::Figures;

pub async fn measure(backend: &dyn Backend, quick: bool, figures: &mut Figures) {
    figures.part("clients", "What 64 clients wait for");
    let address = backend.address("clients").await;
    let env = Environment::from_pairs([("SESSION_STORE", address.as_str())]);
    let auth = JwtSession::builder().hmac_secret(SECRET).with_env(&env);
    let auth = Arc::new(auth.build().expect("the settings are sound"));
    let running = auth.start().await.expect("the store answers");
    let lasts = Duration::from_secs(if quick { 2 } else { 20 });
    let began = Instant::now();
    let clients = (0..CLIENTS).map(|client| {
        let auth = auth.clone();
        tokio::spawn(async move {
            let (mut created, mut refreshed) = (Vec::new(), Vec::new());
            while began.elapsed() < lasts {
                let (token, took) = create(&auth, client).await;
                created.push(took);
                refreshed.push(refresh(&auth, &token).await);
            }
            (created, refreshed)
        })
    });
    let (mut created, mut refreshed) = (Vec::new(), Vec::new());
    for client in clients.collect::<Vec<_>>() {
        let (more_created, more_refreshed) = client.await.expect("no client panics");
        created.extend(more_created);
        refreshed.extend(more_refreshed);
    }
    // What is wanted is wanted of the embedded store.
    let most = |most| [None, (!backend.pushes()).then_some(most)];
    figures.add_times("a session is made", created, most(MOST_TO_CREATE));
    figures.add_times("a session is refreshed", refreshed, most(MOST_TO_REFRESH));
    running.shutdown().await;
}

/// A sign-in whose password was right; its refresh token.
async fn create(auth: &JwtSession, client: usize) -> (String, Duration) {
    let user = UserId::new(format!("client-{client}")).expect("it is a name");
    let began = Instant::now();
    let ticket = auth.sessions().ticket(&user).await.expect("a ticket");
    let signed_in = auth.sessions().sign_in(ticket, Device::default()).await;
    let took = began.elapsed();
    let tokens = signed_in.expect("a session").tokens();
    (tokens.refresh_token.expect("it has one"), took)
}

/// The first refresh of a session, which always rotates.
async fn refresh(auth: &JwtSession, token: &str) -> Duration {
    let began = Instant::now();
    let tokens = auth.sessions().refresh(token).await.expect("a refresh");
    assert_eq!(tokens.generation, 2, "it rotated");
    began.elapsed()
}

const CLIENTS: usize = 64;
const SECRET: &[u8] = b"a secret of a benchmark, and long enough for one";
/// In milliseconds, of ninety-nine in a hundred.
const MOST_TO_CREATE: f64 = 100.0;
const MOST_TO_REFRESH: f64 = 200.0;
