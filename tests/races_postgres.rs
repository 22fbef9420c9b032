//! What must hold whoever comes first, on the PostgreSQL store.

#[path = "support/postgres.rs"]
mod postgres;
mod support;

use std::sync::Arc;

use support::races::{self, World};
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

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn parallel_sign_ins_leave_exactly_the_limit_alive() {
    races::parallel_sign_ins_leave_exactly_the_limit_alive(
        world(|builder| builder.limit(SessionLimit::evicting(10))).await,
    )
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_token_refreshed_by_fifty_clients_at_once_has_one_successor() {
    races::one_token_refreshed_by_fifty_clients_at_once_has_one_successor(
        world(|builder| builder).await,
    )
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nothing_that_a_refresh_mints_survives_a_revocation() {
    races::nothing_that_a_refresh_mints_survives_a_revocation(
        world(|builder| builder.limit(SessionLimit::UNLIMITED)).await,
    )
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_session_of_the_old_password_survives_its_change() {
    races::no_session_of_the_old_password_survives_its_change(
        world(|builder| builder.limit(SessionLimit::UNLIMITED)).await,
    )
    .await;
}
