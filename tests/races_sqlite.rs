//! What must hold whoever comes first, on the SQLite store.

mod folder;
mod support;

use std::sync::Arc;

use folder::Folder;
use support::races::World;
use tower_jwt_session::testing::ManualClock;
use tower_jwt_session::{JwtSessionBuilder, SessionLimit, SqliteStore};

async fn world(set: impl FnOnce(JwtSessionBuilder) -> JwtSessionBuilder) -> World<Folder> {
    let (folder, clock) = (Folder::new(), ManualClock::new());
    let store = SqliteStore::new(folder.file("sessions.db"));
    let store = store.with_clock(Arc::new(clock.clone()));
    World::on(store, clock, folder, set).await
}

races!(world);
