//! On a Redis Cluster every rule of a store holds, and slots may move.

mod redis_cluster;
mod redis_server;

use std::sync::Arc;
use std::time::Duration;

use redis_cluster::{Cluster, fresh_prefix};
use tower_jwt_session::testing::ManualClock;
use tower_jwt_session::testing::conformance::Harness;
use tower_jwt_session::{RedisStore, SessionStore, conformance_suite};

/// Each rule has keys of its own on masters that all share.
struct InParts {
    store: RedisStore,
    clock: Option<ManualClock>,
    _cluster: Arc<Cluster>,
}

impl InParts {
    fn held() -> Self {
        let clock = ManualClock::new();
        let mut harness = Self::real();
        harness.store = harness.store.with_clock(Arc::new(clock.clone()));
        harness.clock = Some(clock);
        harness
    }

    fn real() -> Self {
        let cluster = Cluster::shared();
        Self {
            store: cluster.store(&fresh_prefix()),
            clock: None,
            _cluster: cluster,
        }
    }
}

impl Harness for InParts {
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

    fn can_be_away(&self) -> bool {
        true
    }
}

mod by_a_clock_that_is_held {
    use super::*;

    conformance_suite!(InParts::held());
}

mod by_the_clocks_of_the_masters {
    use super::*;

    conformance_suite!(InParts::real());
}
