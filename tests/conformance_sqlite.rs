//! The SQLite store keeps every rule of a store, by a clock that is held and by a real one.

mod folder;
#[path = "support/harness.rs"]
mod harness;

use std::sync::Arc;

use folder::Folder;
use harness::Stores;
use tower_jwt_session::testing::ManualClock;
use tower_jwt_session::{SqliteStore, conformance_suite};

fn held() -> Stores<Folder> {
    let (folder, clock) = (Folder::new(), ManualClock::new());
    let store = SqliteStore::new(folder.file("sessions.db"));
    let store = store.with_clock(Arc::new(clock.clone()));
    Stores::new([store], folder).held_by(clock)
}

fn nodes<const N: usize>() -> Stores<Folder> {
    let folder = Folder::new();
    let stores = [(); N].map(|()| SqliteStore::new(folder.file("sessions.db")));
    Stores::new(stores, folder)
}

mod by_a_clock_that_is_held {
    use super::*;

    conformance_suite!(held());
}

mod by_a_real_clock {
    use super::*;

    conformance_suite!(nodes::<1>());
}

/// As two processes have it, with connections of their own.
mod through_two_stores_in_turn {
    use super::*;

    conformance_suite!(nodes::<2>());
}
