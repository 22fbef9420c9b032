//! What must hold whoever comes first, on the SQLite store.

mod folder;
mod support;

use std::sync::Arc;

use folder::Folder;
use support::races::{self, World};
use tower_jwt_session::testing::ManualClock;
use tower_jwt_session::{JwtSessionBuilder, SessionLimit, SqliteStore};

async fn world(set: impl FnOnce(JwtSessionBuilder) -> JwtSessionBuilder) -> World<Folder> {
    let (folder, clock) = (Folder::new(), ManualClock::new());
    let store = SqliteStore::new(folder.file("sessions.db"));
    let store = store.with_clock(Arc::new(clock.clone()));
    World::on(store, clock, folder, set).await
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
