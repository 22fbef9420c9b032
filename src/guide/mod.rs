//! Chapters to read: one question each.
//!
//! | chapter | answers |
//! |---|---|
//! | [`quick_start`] | how do I protect what I have, and sign somebody in? |
//! | [`stores`] | memory, SQLite, PostgreSQL or Redis? |
//! | [`revocation`] | how can a local check know that a token was revoked? |
//! | [`refresh`] | what happens when two tabs refresh at once, and when a thief does? |
//! | [`transport`] | cookies or headers? |
//! | [`limits`] | which lifetimes, limits and policies are there, and which suit me? |
//! | [`migrating`] | how do I come here from what I have? |
//!
//! Settings are in `docs/configuration.md`, the rules with their proofs in `docs/protocol.md`, what to do when something is wrong in
//! `docs/troubleshooting.md`.

#[doc = include_str!("quick_start.md")]
pub mod quick_start {}

#[doc = include_str!("stores.md")]
pub mod stores {}

#[doc = include_str!("revocation.md")]
///
#[doc = include_str!("revocation.svg")]
pub mod revocation {}

#[doc = include_str!("refresh.md")]
///
#[doc = include_str!("refresh.svg")]
pub mod refresh {}

#[doc = include_str!("transport.md")]
pub mod transport {}

#[doc = include_str!("limits.md")]
pub mod limits {}

#[doc = include_str!("migrating.md")]
pub mod migrating {}
