//! The memory store keeps every rule of a store, by a clock that is held and by a real one.

use std::sync::Arc;
use std::time::Duration;

use tower_jwt_session::testing::ManualClock;
use tower_jwt_session::testing::conformance::Harness;
use tower_jwt_session::{MemoryStore, SessionStore, conformance_suite};

struct Memory {
    store: MemoryStore,
    clock: Option<ManualClock>,
}

impl Memory {
    fn held() -> Self {
        let clock = ManualClock::new();
        Self {
            store: MemoryStore::with_clock(Arc::new(clock.clone())),
            clock: Some(clock),
        }
    }

    fn real() -> Self {
        Self {
            store: MemoryStore::new(),
            clock: None,
        }
    }
}

impl Harness for Memory {
    fn store(&self) -> Arc<dyn SessionStore> {
        Arc::new(self.store.clone())
    }

    fn advance(&self, by: Duration) -> bool {
        if let Some(clock) = &self.clock {
            clock.advance(by);
        }
        self.clock.is_some()
    }

    fn set_back(&self, by: Duration) -> bool {
        if let Some(clock) = &self.clock {
            clock.step_wall_back(by);
        }
        self.clock.is_some()
    }

    fn gives_hints(&self) -> bool {
        true
    }
}

mod by_a_clock_that_is_held {
    use super::*;

    conformance_suite!(Memory::held());
}

mod by_a_real_clock {
    use super::*;

    conformance_suite!(Memory::real());
}

/// What the store itself never sees changes none of its rules.
mod encrypted {
    use tower_jwt_session::stores::{SealKey, SealKeys, SealedStore};

    use super::*;

    struct Sealed(Memory);

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

    conformance_suite!(Sealed(Memory::held()));
}
