//! How what a store does grows: with all sessions, with those of one user, with clients and with
//! nodes.

mod crowd;
pub mod order;
mod steps;
mod why;

use std::ops::Range;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use tower_jwt_session::{MemoryStore, SessionStore};

use crate::backend::{self, Backend};
use crate::plot::Curve;
use crate::rate::new_session;
use crate::results::{Results, Wanted as Figure};
use crate::start::known;
use crate::{Wanted, resident, runtime};
use steps::{Filled, SEED, SESSIONS_OF_A_USER, STEPS, Steps, session_id, user_id};
use why::{By, why};

/// A store that is filled.
pub struct Place {
    name: &'static str,
    /// None is the memory of this process.
    backend: Option<Box<dyn Backend>>,
    memory: MemoryStore,
}

pub fn measure(wanted: &Wanted, folder: &Path, results: &mut Results) {
    results.say(&format!(
        "Steps of the store, one after the other: the middle of {}, of {} for `revoke all`. Each user has ten sessions; a refresh and a \
         check are of sessions drawn at random that no other step has changed, a list is of a user drawn at random, and `revoke all` ends all ten of users \
         evenly apart. Of the sessions of one user the middle of 15 or 41, and `revoke all` once. `check` is the question that a node \
         asks at first sight, and notes that the session is used. By clients and by nodes: what a step takes of the store (the time, by how many were \
         done in it), the middle of {}; each for {} ms, or until {} are done. Those who sign in are users of their own, and get {} sessions more, \
         besides the time. Each session is checked once after its sign-in or refresh, and each user's sessions are ended once, until there are no more. PostgreSQL is \
         vacuumed, and has written everything to its tables, before it is measured: it was just filled by more than it is ever given at once.",
        steps::TIMES,
        steps::REVOKED,
        crowd::ROUNDS,
        crowd::LASTS.as_millis(),
        crowd::MOST,
        crowd::MORE
    ));
    let runtime = runtime(2);
    for name in &wanted.stores {
        let folder = folder.join(name);
        std::fs::create_dir_all(&folder).expect("the folder for temporary files can be written");
        let place = Place::named(name, &folder);
        runtime.block_on(async {
            by_sessions(wanted, &place, results).await;
            crowd::by_sessions_of_one(wanted, &place, results).await;
            crowd::by_clients(wanted, &place, results).await;
        });
        drop(place);
        // The next needs the room.
        let _ = std::fs::remove_dir_all(&folder);
    }
}

async fn by_sessions(wanted: &Wanted, place: &Place, results: &mut Results) {
    let sizes = [1_000, 10_000, 100_000, 1_000_000, 10_000_000];
    let mut curves = STEPS.map(|name| Curve {
        name,
        points: Vec::new(),
    });
    let (mut filled, mut all, before) = (Filled::default(), Vec::new(), resident());
    for size in sizes.into_iter().filter(|size| *size <= wanted.most) {
        let (users, began) = (size / SESSIONS_OF_A_USER, Instant::now());
        place.fill(filled.users..users).await;
        filled.users = users;
        let took = began.elapsed().as_secs();
        eprintln!(
            "  {}: {size} sessions are there, after {took} s",
            place.name
        );
        let steps = Steps::measure(&place.store(PART).await, &mut filled).await;
        for (curve, millis) in curves.iter_mut().zip(steps.millis()) {
            let name = format!("{}: {} among {size}", place.name, curve.name);
            results.add(name, millis, "ms");
            curve.points.push((size as f64, millis));
        }
        all.push((size, steps));
    }
    if let Some(bytes) = place.bytes(before).await {
        let each = bytes / (filled.users * SESSIONS_OF_A_USER) as f64;
        results.add(format!("{}: a stored session", place.name), each, "bytes");
    }
    let (Some((fewest, first)), Some((size, last))) = (all.first(), all.last()) else {
        return;
    };
    for ((step, few), many) in STEPS.iter().zip(first.millis()).zip(last.millis()) {
        let gated = Figure::AtMost {
            goal: 1.5,
            gate: 3.0,
        };
        let name = format!("{}: {step} among {size}, times among {fewest}", place.name);
        let is_gated = ["check", "refresh", "revoke all"].contains(step);
        results.judge(name, many / few, "", is_gated.then_some(gated));
    }
    let title = format!("{}, by stored sessions: milliseconds", place.name);
    let name = format!("{}-by-sessions", place.name.to_lowercase());
    let said = order::sentences(&curves, By::Sessions.told(), &why(place.name, By::Sessions));
    results.draw(&name, &title, &said, &curves);
}

impl Place {
    fn named(name: &str, folder: &Path) -> Self {
        let backend = (name != "memory")
            .then(|| backend::at(name, folder).unwrap_or_else(|why| crate::refuse(&why)));
        Self {
            name: known(name),
            backend,
            memory: MemoryStore::new(),
        }
    }

    async fn store(&self, part: &str) -> Arc<dyn SessionStore> {
        match &self.backend {
            Some(backend) => backend.store(part).await,
            None => Arc::new(self.memory.clone()),
        }
    }

    async fn fill(&self, users: Range<u64>) {
        if let Some(backend) = &self.backend {
            return backend.fill(PART, users).await;
        }
        for number in users.start * SESSIONS_OF_A_USER..users.end * SESSIONS_OF_A_USER {
            let mut session = new_session();
            session.id = session_id(number);
            session.user = user_id(number / SESSIONS_OF_A_USER);
            session.seed = SEED;
            let made = self.memory.sign_in(session).await;
            made.expect("memory takes it");
        }
    }

    /// What all sessions take, where it can be told.
    async fn bytes(&self, before: f64) -> Option<f64> {
        match &self.backend {
            None => Some(resident() - before),
            Some(backend) => backend.bytes(PART).await,
        }
    }
}

const PART: &str = "scale";
