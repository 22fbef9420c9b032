//! A deterministic simulation of a fleet; see `docs/simulation.md`.

#![allow(
    clippy::large_enum_variant,
    reason = "events are few, and read more often than made"
)]

mod clock;
mod ground;
mod left_out;
mod link;
mod model;
mod node;
mod people;
mod plan;
mod seeds;
mod table;
mod together;
mod users;
mod without;
mod world;

use seeds::{number, run_seeds};

#[test]
fn every_story_keeps_the_promises() {
    match number("SEED") {
        Some(seed) => seeds::replay(seed),
        None => run_seeds(number("SEEDS").unwrap_or(seeds::SHORT)),
    }
}

/// What a full view forgets first goes by hashes that are drawn anew for each process: such stories may
/// differ in when the whole log is read again.
#[test]
fn a_seed_tells_the_same_story_twice() {
    let seeds = 0..number("TWICE").unwrap_or(3);
    let differ: Vec<_> = seeds
        .filter(|seed| !seeds::is_crowded(*seed))
        .filter(|seed| seeds::tell(*seed, false).digest != seeds::tell(*seed, false).digest)
        .collect();
    assert!(differ.is_empty(), "seeds {differ:?}");
}
