//! Stories by their seeds: one aloud, or many in silence.

use std::time::Instant;

use crate::model::CROWDED;
use crate::node::Route;
use crate::people::{self, Whose};
use crate::plan::Plan;
use crate::world::World;

/// How many seeds the test command plays.
pub const SHORT: u64 = 25;

/// What became of a story.
pub struct Ending {
    pub problems: Vec<String>,
    pub digest: u64,
    pub judged: usize,
}

/// A number from the environment.
pub fn number(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(
        text.parse()
            .unwrap_or_else(|_| panic!("{name} is a number")),
    )
}

/// Whether a story is one of views that are full.
pub fn is_crowded(seed: u64) -> bool {
    let plan = Plan::of(&mut fastrand::Rng::with_seed(seed));
    plan.settings.room < CROWDED
}

/// Plays a story to its end.
pub fn tell(seed: u64, aloud: bool) -> Ending {
    let mut world = World::new(seed, aloud);
    world.run(world.plan.active);
    world.heal();
    settle(&mut world);
    duel(&mut world);
    let lives = world.nodes.iter().map(|node| node.life).collect();
    world.model.ends(lives);
    world.model.judge();
    Ending {
        problems: std::mem::take(&mut world.model.problems),
        digest: world.story.digest,
        judged: world.model.judged,
    }
}

/// Everything is mended and had its time: now who is in goes on, and what ended is out on every
/// node.
fn settle(world: &mut World) {
    let settings = &world.plan.settings;
    let time = 2 * settings.staleness + 4 * settings.skew + 6000;
    world.run(world.now + time);
    world.people.quiet = true;
    // Longer than any hold-off, so that everybody gets a new pair.
    world.run(world.now + 2 * world.plan.settings.grace + 500);
    let honest: Vec<_> = (0..world.people.devices.len())
        .filter_map(|device| Some((device, world.people.devices[device].holds.clone()?)))
        .filter(|(_, token)| !world.model.is_doomed(token.session))
        .collect();
    for (device, token) in &honest {
        if let Some(node) = people::some_node(world) {
            people::send_refresh(world, Whose::Device(*device), token.clone(), node);
        }
    }
    world.run(world.now + 800);
    world.people.welcome.clear();
    for token in world.people.seen.clone() {
        for node in 0..world.nodes.len() {
            let token = token.clone();
            people::ask(world, Whose::Nobody, token, node, Route::Usual, true);
        }
    }
    world.run(world.now + 500);
    for (device, token) in honest {
        let nodes = 0..world.nodes.len();
        let shut_out: Vec<_> = nodes
            .filter(|node| !world.people.welcome.contains(&(token.session, *node)))
            .collect();
        if !shut_out.is_empty() {
            let problem = format!("device {device} does not get in on nodes {shut_out:?}");
            world.model.problems.push(problem);
        }
    }
}

/// A thief and their victim cannot both go on: they take turns, each later than any repetition is
/// taken for an accident, and the session ends.
fn duel(world: &mut World) {
    let Some(loot) = world.people.loot.clone() else {
        return;
    };
    let victim = world.people.devices.iter().position(|device| {
        let holds = device.holds.as_ref();
        holds.is_some_and(|token| token.session == loot.session)
    });
    let Some(victim) = victim else { return };
    let pause = 2 * world.plan.settings.grace + 1500;
    for turn in 0..8 {
        let (whose, token) = if turn % 2 == 0 {
            let holds = world.people.devices[victim].holds.clone();
            (Whose::Device(victim), holds)
        } else {
            (Whose::Thief, world.people.loot.clone())
        };
        let (Some(token), Some(node)) = (token, people::some_node(world)) else {
            return;
        };
        people::send_refresh(world, whose, token, node);
        world.run(world.now + 500);
        let token = match whose {
            Whose::Thief => world.people.loot.clone(),
            _ => world.people.devices[victim].holds.clone(),
        };
        if let Some(token) = token {
            people::ask(world, whose, token, node, Route::Usual, true);
        }
        world.run(world.now + pause);
    }
    let record = world.copies.primary.find(loot.session);
    if record.is_some_and(|record| record.ended.is_none()) {
        let problem = format!("thief and victim both go on with {}", loot.session);
        world.model.problems.push(problem);
    }
}

/// Plays one story aloud.
pub fn replay(seed: u64) {
    let ending = tell(seed, true);
    assert!(ending.problems.is_empty(), "{:#?}", ending.problems);
}

/// Plays many.
pub fn run_seeds(seeds: u64) {
    let first = number("FROM").unwrap_or(0);
    let began = Instant::now();
    let mut judged = 0;
    let mut failed = Vec::new();
    for seed in first..first + seeds {
        let ending = std::panic::catch_unwind(|| tell(seed, false)).unwrap_or_else(|_| Ending {
            problems: vec!["a panic".to_owned()],
            digest: 0,
            judged: 0,
        });
        judged += ending.judged;
        if !ending.problems.is_empty() {
            println!("SEED={seed}: {:#?}", ending.problems);
            failed.push(seed);
            if failed.len() >= 10 || number("UNTIL_FIRST").is_some() {
                break;
            }
        }
        if (seed + 1 - first).is_multiple_of(5000) {
            let done = seed + 1 - first;
            println!(
                "{done} of {seeds} stories, {judged} answers judged, {:?}",
                began.elapsed()
            );
        }
    }
    println!(
        "{seeds} stories, {judged} answers judged, {:?}",
        began.elapsed()
    );
    assert!(failed.is_empty(), "replay with SEED=n, n in {failed:?}");
}
