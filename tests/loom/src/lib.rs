//! The revocation protocol of one node, explored by loom in every interleaving and every order
//! of memory that the orderings in the source allow.
//!
//! `epochs.rs`, `fresh.rs`, `view.rs`, `local.rs` and `stamp.rs` are the files that the crate itself
//! is built from; only their atomics and locks are loom's. What surrounds them is small: names are
//! numbers, a shelf is a list, the key ring is one key and its real version, the verified-token
//! cache has one place, and the store is two flags.
//!
//! The set of keys is exchanged by `arc-swap` and the tokens lie in a `quick_cache`. Both have atomics
//! of their own, which loom cannot put its own in the stead of; what the crate adds to them is the
//! order of swap, raise, read and insert, and that is explored with the real version.
//!
//! # Bounds
//!
//! - One user, one session, one token; one log entry, which fits, or for which there is no room.
//! - Two threads without any bound on preemptions: at most two requests, one of them after the
//!   change was said to hold, against one change (revoke, poll, reload, removal of the key, loss
//!   of the session).
//! - Three threads, two changes at once, with at most three preemptions.
//! - Two shards of epochs and view. No time: the clock stands, and freshness is given or ends.
//!
//! Each rule has a test that holds, and one in which the rule is left out and loom must find the
//! hole, so that the exploration is known to be able to.
//!
//! Run it with `cargo test --manifest-path tests/loom/Cargo.toml --release`.
#![forbid(unsafe_code)]
#![allow(dead_code)]

pub(crate) mod clock;
pub(crate) mod revocation;
pub(crate) mod sync;
pub(crate) mod verify;

#[cfg(test)]
mod node;
#[cfg(test)]
mod rules;
