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

    fn gives_hints(&self) -> bool {
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

/// Another process has a store of its own over the same file, with connections of its own.
mod through_two_stores_in_turn {
    use super::*;

    struct InTurn(Folder, [SqliteStore; 2], std::sync::atomic::AtomicUsize);

    impl InTurn {
        fn new() -> Self {
            let folder = Folder::new();
            let store = || SqliteStore::new(folder.file("sessions.db"));
            let stores = [store(), store()];
            Self(folder, stores, Default::default())
        }
    }

    impl Harness for InTurn {
        fn store(&self) -> Arc<dyn SessionStore> {
            let turn = self.2.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            Arc::new(self.1[turn % 2].clone())
        }

        fn gives_hints(&self) -> bool {
            true
        }
    }

    conformance_suite!(InTurn::new());
}
