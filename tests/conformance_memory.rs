//! The memory store keeps every rule of a store, by a clock that is held and by a real one.

#[path = "support/harness.rs"]
mod harness;

use std::sync::Arc;
use std::time::Duration;

use harness::Stores;
use tower_jwt_session::testing::ManualClock;
use tower_jwt_session::testing::conformance::Harness;
use tower_jwt_session::{MemoryStore, SessionStore, conformance_suite};

fn held() -> Stores<()> {
    let clock = ManualClock::new();
    let store = MemoryStore::with_clock(Arc::new(clock.clone()));
    Stores::new([store], ()).held_by(clock).never_away()
}

fn real() -> Stores<()> {
    Stores::new([MemoryStore::new()], ()).never_away()
}

mod by_a_clock_that_is_held {
    use super::*;

    conformance_suite!(held());
}

mod by_a_real_clock {
    use super::*;

    conformance_suite!(real());
}

/// What the store itself never sees changes none of its rules.
mod encrypted {
    use tower_jwt_session::stores::{SealKey, SealKeys, SealedStore};

    use super::*;

    struct Sealed(Stores<()>);

    impl Harness for Sealed {
        fn store(&self) -> Arc<dyn SessionStore> {
            let key = SealKey::from_secret(b"an example; 32 random bytes in earnest");
            let keys = SealKeys::new(key.expect("long enough"));
            Arc::new(SealedStore::new(self.0.store(), keys))
        }

        fn seals(&self) -> bool {
            true
        }

        fn advance(&self, by: Duration) -> bool {
            self.0.advance(by)
        }

        fn set_back(&self, by: Duration) -> bool {
            self.0.set_back(by)
        }

        fn gives_hints(&self) -> bool {
            true
        }
    }

    conformance_suite!(Sealed(held()));
}
