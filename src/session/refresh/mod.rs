//! Refresh: what a presented token means to a session, decided without any I/O.
//!
//! A store reads a [`RefreshState`], calls [`RefreshState::decide`] and writes the state of the
//! decision back, all in one atomic step. Nothing else decides about refresh tokens.

mod decision;
mod token;

pub use decision::{Advance, Presented, RefreshDecision, RefreshRules, RefreshState, ReplayKind};
pub use token::{RefreshKey, RefreshKeys, RefreshToken, RefreshTokenError, SeedHash, bucket_of};

#[cfg(test)]
mod tests;
