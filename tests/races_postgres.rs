//! What must hold whoever comes first, on the PostgreSQL store.

#[path = "support/postgres.rs"]
mod postgres;
mod support;

use std::sync::Arc;

use support::races::World;
use tower_jwt_session::testing::ManualClock;
use tower_jwt_session::{JwtSessionBuilder, PostgresStore, SessionLimit};

async fn world(set: impl FnOnce(JwtSessionBuilder) -> JwtSessionBuilder) -> World<()> {
    let (server, clock) = (postgres::shared(), ManualClock::new());
    let store = PostgresStore::new(&server.admin("postgres")).expect("a good address");
    let store = store
        .in_schema(postgres::some_name())
        .with_clock(Arc::new(clock.clone()));
    World::on(store, clock, (), set).await
}

races!(world);
