//! The PostgreSQL store keeps every rule of a store, by a clock that is held and by the server's.

#[path = "support/harness.rs"]
mod harness;
#[path = "support/postgres.rs"]
mod postgres;

use std::sync::Arc;

use harness::Stores;
use tower_jwt_session::testing::ManualClock;
use tower_jwt_session::{PostgresStore, conformance_suite};

/// Each rule has a schema of its own on a server that all share.
fn schema() -> impl Fn() -> PostgresStore {
    let (address, schema) = (postgres::shared().admin("postgres"), postgres::some_name());
    move || {
        let store = PostgresStore::new(&address).expect("a good address");
        store.in_schema(&schema)
    }
}

fn held() -> Stores<()> {
    let clock = ManualClock::new();
    let store = schema()().with_clock(Arc::new(clock.clone()));
    Stores::new([store], ()).held_by(clock)
}

fn nodes<const N: usize>() -> Stores<()> {
    let store = schema();
    Stores::new([(); N].map(|()| store()), ())
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
