//! Mixed load on two nodes of one store while links, store and nodes fail, and a model that knows what may
//! be answered.
//!
//! The nodes are processes, reached by HTTP and by their input; each has a link of its own to the store.
//! `benches/load` runs this for half an hour, `tests/soak` for some seconds.
#![allow(dead_code)]

pub mod clients;
pub mod faults;
pub mod fleet;
mod held;
pub mod http;
pub mod model;
pub mod place;
pub mod samples;
pub mod tally;
mod verbs;
pub mod weather;

use std::sync::Arc;
use std::time::{Duration, Instant};

use fleet::Fleet;
use samples::Sample;
use tally::Tally;
use weather::Weather;

use crate::nodes::Launch;

/// What to do, and for how long.
#[derive(Clone, Debug)]
pub struct Settings {
    pub store: String,
    pub lasts: Duration,
    /// How many users there are, each of whom does one thing after the other.
    pub users: usize,
    /// Between two faults, and how long one lasts at most.
    pub quiet: Duration,
    pub fault: Duration,
    pub sample: Duration,
}

/// What came of it.
pub struct Outcome {
    pub began: Instant,
    pub tally: Tally,
    pub samples: Vec<Sample>,
    pub faults: Vec<weather::Fault>,
    /// How often, and how long at most, the machine itself stood still.
    pub stalls: (usize, Duration),
    /// How long its host kept half of the processor time that was wanted, or more.
    pub host_away: Duration,
    /// How often, and how long at most, the store stood still while nothing was made to fail; `None`
    /// where nobody watched it.
    pub store_stalls: Option<(usize, Duration)>,
}

/// Lets users do what users do until the time is over. Says every minute how it stands.
pub async fn run(settings: &Settings, launch: &Launch) -> Outcome {
    let mut weather = Weather::new();
    weather.settles = weather.settles.min(settings.quiet / 2);
    let weather = Arc::new(weather);
    let fleet = Arc::new(Fleet::start(&settings.store, launch).await);
    let tally = Arc::new(Tally::default());
    let until = Instant::now() + settings.lasts;
    let machine = tokio::spawn(weather::watch_machine(weather.clone(), fleet.folder()));
    let host = tokio::spawn(weather::watch_host(weather.clone()));
    let server = fleet.place.lock().await.redis();
    let store = server.map(|server| tokio::spawn(weather::watch_store(weather.clone(), server)));
    let mut users = tokio::task::JoinSet::new();
    for number in 0..settings.users {
        let user = clients::Client::new(number, &fleet, &weather, &tally);
        users.spawn(user.live(until));
    }
    let sampling = tokio::spawn(samples::take(
        settings.clone(),
        until,
        fleet.clone(),
        weather.clone(),
        tally.clone(),
    ));
    faults::come_and_go(settings, until, &fleet, &weather).await;
    while let Some(user) = users.join_next().await {
        user.expect("a user does not panic");
    }
    let samples = sampling.await.expect("sampling does not panic");
    machine.abort();
    host.abort();
    store.as_ref().inspect(|watch| watch.abort());
    Outcome {
        began: weather.began,
        samples,
        faults: weather.faults(),
        stalls: weather.stalls(),
        host_away: weather.host_away(),
        store_stalls: store.map(|_| weather.store_stalls()),
        tally: tally.taken(),
    }
}

/// What the nodes are told. Lives are short, so that what is ended is also forgotten while it is watched.
pub const NODE: [(&str, &str); 9] = [
    ("JWT_ACCESS_TOKEN_EXPIRY", "60s"),
    ("JWT_REFRESH_TOKEN_EXPIRY", "10m"),
    ("JWT_SESSION_EXPIRY", "20m"),
    ("JWT_AUTO_REFRESH_THRESHOLD", "20s"),
    ("JWT_ROTATION_GRACE", "15s"),
    ("REVOCATION_MAX_STALENESS", "5s"),
    ("STORE_TIMEOUT", "500ms"),
    ("SESSION_AUDIT_RETENTION", "2m"),
    // Of the test's own: see `nodes::program`.
    ("FLEET_SMALL", "1"),
];
pub const ACCESS: Duration = Duration::from_secs(60);
pub const GRACE: Duration = Duration::from_secs(15);
pub const LEEWAY: Duration = Duration::from_secs(5);
pub const STALENESS: Duration = Duration::from_secs(5);
