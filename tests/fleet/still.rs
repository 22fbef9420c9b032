//! Servers that stand still, and go on.

use std::time::Duration;

use tower_jwt_session::UserId;
use tower_jwt_session::session::refresh::bucket_of;

use crate::launch;
use crate::nodes::still::stand_still;
use crate::postgres::Cluster;
use crate::redis_cluster;
use crate::redis_server::Server;

const HASTY: [(&str, &str); 2] = [
    ("REVOCATION_MAX_STALENESS", "2s"),
    ("STORE_TIMEOUT", "250ms"),
];
const LASTS: Duration = Duration::from_secs(6);

/// The deadline of each of the two calls of a sign-in, and what a busy machine may add.
const LONGEST_ANSWER: Duration = Duration::from_millis(2 * 250 + 30_000);

async fn of(address: &str, stop: impl FnOnce(), resume: impl FnOnce()) {
    let node = launch().start(address, &HASTY).await;
    let still = stand_still(&node, LASTS, stop, resume).await.unwrap();
    assert!(still.longest_answer < LONGEST_ANSWER, "{still:?}");
    assert!(!still.refusals.is_empty(), "the view answers no longer");
    eprintln!(
        "{}: {:?} the longest answer, well {:?} after its return",
        address.split(':').next().unwrap_or_default(),
        still.longest_answer,
        still.recovered_after
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_postgres_that_stands_still_holds_nobody_up_and_lets_nothing_revoked_in() {
    let server = Cluster::start();
    let address = server.admin("postgres");
    of(
        &address,
        || server.signal("-STOP"),
        || server.signal("-CONT"),
    )
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_redis_that_stands_still_holds_nobody_up_and_lets_nothing_revoked_in() {
    let server = Server::new();
    let address = server.address();
    of(
        &address,
        || server.signal("-STOP"),
        || server.signal("-CONT"),
    )
    .await;
}

/// One master of three, which has the part of the user that is asked for; it is not missed for so
/// long that another takes its place.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_master_of_a_redis_cluster_that_stands_still_holds_nobody_up_and_lets_nothing_revoked_in()
{
    let cluster = redis_cluster::Cluster::new();
    let bucket = bucket_of(&UserId::new("ada").expect("it is a name"));
    let part = format!("{{tower-jwt-session:{bucket}}}:fleet");
    let master = &cluster.masters[cluster.master_of(&part)];
    let address = cluster.address();
    of(
        &address,
        || master.signal("-STOP"),
        || master.signal("-CONT"),
    )
    .await;
}
