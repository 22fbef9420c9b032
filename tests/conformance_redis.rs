//! The Redis store keeps every rule of a store, by a clock that is held and by the server's.

mod redis_server;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use redis_server::Server;
use tower_jwt_session::testing::ManualClock;
use tower_jwt_session::testing::conformance::Harness;
use tower_jwt_session::{RedisStore, SessionStore, conformance_suite};

/// Each rule has a server of its own: what one of them holds is nobody else's.
struct Redis {
    store: RedisStore,
    clock: Option<ManualClock>,
    _server: Server,
}

impl Redis {
    fn held() -> Self {
        let (server, clock) = (Server::new(), ManualClock::new());
        Self {
            store: server.store().with_clock(Arc::new(clock.clone())),
            clock: Some(clock),
            _server: server,
        }
    }

    fn real() -> Self {
        let server = Server::new();
        Self {
            store: server.store(),
            clock: None,
            _server: server,
        }
    }
}

impl Harness for Redis {
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

    conformance_suite!(Redis::held());
}

mod by_the_clock_of_the_server {
    use super::*;

    conformance_suite!(Redis::real());
}

/// As two processes have it, with connections of their own.
mod through_two_stores_in_turn {
    use super::*;

    struct InTurn {
        stores: [RedisStore; 2],
        turn: AtomicUsize,
        _server: Server,
    }

    impl InTurn {
        fn new() -> Self {
            let server = Server::new();
            Self {
                stores: [server.store(), server.store()],
                turn: AtomicUsize::new(0),
                _server: server,
            }
        }
    }

    impl Harness for InTurn {
        fn store(&self) -> Arc<dyn SessionStore> {
            let turn = self.turn.fetch_add(1, Ordering::Relaxed);
            Arc::new(self.stores[turn % 2].clone())
        }

        fn gives_hints(&self) -> bool {
            true
        }

        fn can_be_away(&self) -> bool {
            true
        }
    }

    conformance_suite!(InTurn::new());
}
