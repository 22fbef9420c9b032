//! The SQLite store keeps every rule of a store, by a clock that is held and by a real one.

mod folder;

use std::sync::Arc;
use std::time::Duration;

use folder::Folder;
use tower_jwt_session::testing::ManualClock;
use tower_jwt_session::testing::conformance::Harness;
use tower_jwt_session::{SessionStore, SqliteStore, conformance_suite};

struct Sqlite {
    store: SqliteStore,
    clock: Option<ManualClock>,
    _folder: Folder,
}

impl Sqlite {
    fn held() -> Self {
        let clock = ManualClock::new();
        let folder = Folder::new();
        let store = SqliteStore::new(folder.file("sessions.db"));
        Self {
            store: store.with_clock(Arc::new(clock.clone())),
            clock: Some(clock),
            _folder: folder,
        }
    }

    fn real() -> Self {
        let folder = Folder::new();
        Self {
            store: SqliteStore::new(folder.file("sessions.db")),
            clock: None,
            _folder: folder,
        }
    }
}

impl Harness for Sqlite {
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

    conformance_suite!(Sqlite::held());
}

mod by_a_real_clock {
    use super::*;

    conformance_suite!(Sqlite::real());
}

/// As two processes have it, with connections of their own.
mod through_two_stores_in_turn {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    struct InTurn {
        stores: [SqliteStore; 2],
        turn: AtomicUsize,
        _folder: Folder,
    }

    impl InTurn {
        fn new() -> Self {
            let folder = Folder::new();
            Self {
                stores: [0, 1].map(|_| SqliteStore::new(folder.file("sessions.db"))),
                turn: AtomicUsize::new(0),
                _folder: folder,
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
    }

    conformance_suite!(InTurn::new());
}
