//! The Redis store keeps every rule of a store, by a clock that is held and by the server's.

#[path = "support/harness.rs"]
mod harness;
mod redis_server;

use std::sync::Arc;

use harness::Stores;
use redis_server::Server;
use tower_jwt_session::conformance_suite;
use tower_jwt_session::testing::ManualClock;

/// Each rule has a server of its own: what one of them holds is nobody else's.
fn held() -> Stores<Server> {
    let (server, clock) = (Server::new(), ManualClock::new());
    let store = server.store().with_clock(Arc::new(clock.clone()));
    Stores::new([store], server).held_by(clock)
}

fn nodes<const N: usize>() -> Stores<Server> {
    let server = Server::new();
    Stores::new([(); N].map(|()| server.store()), server)
}

mod by_a_clock_that_is_held {
    use super::*;

    conformance_suite!(held());
}

mod by_the_clock_of_the_server {
    use super::*;

    conformance_suite!(nodes::<1>());
}

/// As two processes have it, with connections of their own.
mod through_two_stores_in_turn {
    use super::*;

    conformance_suite!(nodes::<2>());
}
