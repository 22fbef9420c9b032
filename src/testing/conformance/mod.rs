//! The rules that every store has to keep, one function each.
//!
//! Whoever writes a [`SessionStore`] implements [`Harness`] for it and calls
//! [`conformance_suite!`](crate::conformance_suite) once, in a test target of its own:
//!
//! ```
//! use std::sync::Arc;
//! use tower_jwt_session::testing::conformance::Harness;
//! use tower_jwt_session::{MemoryStore, SessionStore};
//!
//! struct MyStore(MemoryStore);
//!
//! impl Harness for MyStore {
//!     fn store(&self) -> Arc<dyn SessionStore> {
//!         Arc::new(self.0.clone())
//!     }
//! }
//!
//! tower_jwt_session::conformance_suite!(MyStore(MemoryStore::new()));
//! ```
//!
//! The macro makes a `#[tokio::test]` of each rule, so the crate that calls it depends on `tokio`
//! with its features `macros` and `rt-multi-thread`.
//!
//! Time: a store goes by its own clock. Where the harness can [move it](Harness::advance), every
//! rule runs. Where it cannot, most rules still do, with lifetimes of zero and with pauses of a few
//! milliseconds; those that need hours say on the standard error that they were not run.

pub mod ask;
pub mod audit;
pub mod end;
mod fixture;
pub mod log;
pub mod manage;
pub mod race;
pub mod refresh;
pub mod sign_in;
mod suite;
pub mod sweep;
pub mod upkeep;
pub mod write_back;

use std::sync::Arc;
use std::time::Duration;

use crate::session::SessionStore;

/// A store under test. Each rule gets a harness of its own.
pub trait Harness: Send + Sync {
    /// A handle to the store, which is empty when the rule begins, and which nobody else uses.
    ///
    /// Called again, it answers another handle to the same contents, as another node would have it.
    fn store(&self) -> Arc<dyn SessionStore>;

    /// Lets the store's clock go on; `false` where that cannot be done, which is the default.
    fn advance(&self, by: Duration) -> bool {
        let _ = by;
        false
    }

    /// Sets the store's clock back; `false` where that cannot be done, which is the default.
    fn set_back(&self, by: Duration) -> bool {
        let _ = by;
        false
    }

    /// Whether [`hint`](crate::revocation::RevocationStore::hint) ever resolves. Defaults to
    /// `false`, as the method does.
    fn gives_hints(&self) -> bool {
        false
    }

    /// Whether the store can be away from its nodes, so that it keeps an
    /// [`Idleness`](crate::session::Idleness) and excuses who was unused for an outage. Defaults to
    /// `false`, as for a store inside the process.
    fn can_be_away(&self) -> bool {
        false
    }

    /// Whether sessions are kept otherwise than they are shown, as encrypted: then they cannot be
    /// compared while they are [moved](crate::session::Upkeep). Defaults to `false`.
    fn seals(&self) -> bool {
        false
    }
}
