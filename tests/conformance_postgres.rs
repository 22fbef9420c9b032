//! The PostgreSQL store keeps every rule of a store, by a clock that is held and by the server's.

#[path = "support/postgres.rs"]
mod postgres;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tower_jwt_session::testing::ManualClock;
use tower_jwt_session::testing::conformance::Harness;
use tower_jwt_session::{PostgresStore, SessionStore, conformance_suite};

/// A schema of its own, through as many stores as there are nodes.
struct Postgres {
    stores: Vec<PostgresStore>,
    turn: AtomicUsize,
    clock: Option<ManualClock>,
}

impl Postgres {
    async fn new(nodes: usize, clock: Option<ManualClock>) -> Self {
        let server = postgres::shared();
        let (address, schema) = (server.admin("postgres"), postgres::some_name());
        let stores = (0..nodes).map(|_| {
            let store = PostgresStore::new(&address).expect("a good address");
            let store = store.in_schema(&schema);
            match &clock {
                Some(clock) => store.with_clock(Arc::new(clock.clone())),
                None => store,
            }
        });
        Self {
            stores: stores.collect(),
            turn: AtomicUsize::new(0),
            clock: clock.clone(),
        }
    }
}

impl Harness for Postgres {
    fn store(&self) -> Arc<dyn SessionStore> {
        let turn = self.turn.fetch_add(1, Ordering::Relaxed);
        Arc::new(self.stores[turn % self.stores.len()].clone())
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

    conformance_suite!(Postgres::new(1, Some(ManualClock::new())).await);
}

mod by_the_clock_of_the_server {
    use super::*;

    conformance_suite!(Postgres::new(1, None).await);
}

/// As two processes have it, with connections of their own.
mod through_two_stores_in_turn {
    use super::*;

    conformance_suite!(Postgres::new(2, None).await);
}
