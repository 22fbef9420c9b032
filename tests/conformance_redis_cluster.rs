//! On a Redis Cluster every rule of a store holds, and slots may move.

#[path = "support/harness.rs"]
mod harness;
mod redis_cluster;
mod redis_server;

use std::sync::Arc;

use harness::Stores;
use redis_cluster::{Cluster, fresh_prefix};
use tower_jwt_session::conformance_suite;
use tower_jwt_session::testing::ManualClock;

/// Each rule has keys of its own on masters that all share.
fn held() -> Stores<Arc<Cluster>> {
    let (cluster, clock) = (Cluster::shared(), ManualClock::new());
    let store = cluster.store(&fresh_prefix());
    let store = store.with_clock(Arc::new(clock.clone()));
    Stores::new([store], cluster).held_by(clock)
}

fn real() -> Stores<Arc<Cluster>> {
    let cluster = Cluster::shared();
    Stores::new([cluster.store(&fresh_prefix())], cluster)
}

mod by_a_clock_that_is_held {
    use super::*;

    conformance_suite!(held());
}

mod by_the_clocks_of_the_masters {
    use super::*;

    conformance_suite!(real());
}
