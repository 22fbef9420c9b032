//! Help for tests: a clock that is held, tokens in one line, and the rules that every store has to keep.
//!
//! Behind the feature `test-util`; nothing here belongs into a running service.

mod clock;
pub mod conformance;
mod mint;
#[cfg(all(feature = "redis", feature = "sqlite"))]
#[doc(hidden)]
pub mod stored;

pub use clock::ManualClock;
pub use mint::{TokenFor, TokenMint, session, session_with};
