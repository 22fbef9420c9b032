//! What a store acknowledged survives, however the process ends that it was acknowledged to, or
//! the store itself; and of the audit log all but what waited to be written.
//!
//! `RUNS=1000 cargo test --all-features --test crash -- --nocapture` kills a thousand times, says
//! how far it is, and leaves a report in `target/tmp`.

mod audit;
#[path = "../folder/mod.rs"]
mod folder;
mod kills;
mod ledger;
#[path = "../support/postgres.rs"]
mod postgres;
#[path = "../redis_server/mod.rs"]
mod redis_server;
mod servers;
#[path = "../support/mod.rs"]
mod support;
mod work;

use folder::Folder;
use kills::{Kills, Server};
use postgres::Cluster;
use redis_server::DURABLE;

const ADDRESS: &str = "CRASH_STORE";
const ROUND: &str = "CRASH_ROUND";

/// Does nothing unless it was started to be killed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_service_that_is_about_to_be_killed() {
    if let (Ok(address), Ok(round)) = (std::env::var(ADDRESS), std::env::var(ROUND)) {
        work::until_killed(&address, &round).await;
    }
}

/// The same.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_service_whose_audit_log_is_about_to_be_cut() {
    if let (Ok(address), Ok(round)) = (std::env::var(ADDRESS), std::env::var(ROUND)) {
        audit::until_killed(&address, &round).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_the_audit_log_a_kill_costs_what_waited_and_nothing_before_it() {
    let folder = Folder::new();
    let address = format!("sqlite:{}", folder.file("sessions.db").display());
    let mut window = audit::Window::default();
    let runs = kills::wanted(10);
    // A busy machine may take more of them until something was done that was known to be written.
    while window.kills < runs || (!window.says_something() && window.kills < 10 * runs) {
        let name = "a_service_whose_audit_log_is_about_to_be_cut";
        let round = window.kills;
        let child = kills::service(name, &address, round);
        window.kill(&address, round, child).await;
    }
    window.report();
    assert!(window.says_something(), "{window:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_acknowledged_is_lost_and_nothing_revoked_revives_when_the_service_is_killed() {
    let folder = Folder::new();
    let address = format!("sqlite:{}", folder.file("sessions.db").display());
    let mut kills = Kills::new("sqlite", &address, 30, [50, 20]);
    kills.of_the_service().await;
    let tally = kills.finish().await;
    assert_eq!(tally.lost, Vec::<String>::new());
    assert_eq!(tally.revived, Vec::<String>::new());
    assert_eq!(tally.failures, 0, "the store was there all the time");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_acknowledged_is_lost_and_nothing_revoked_revives_when_postgres_is_killed() {
    let mut server = Cluster::start_with("fsync = on\n");
    let address = server.admin("postgres");
    of_the_store("postgres", &address, &mut server).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_acknowledged_is_lost_and_nothing_revoked_revives_when_redis_is_killed() {
    let mut server = redis_server::Server::with(&DURABLE);
    let address = server.address();
    of_the_store("redis", &address, &mut server).await;
}

async fn of_the_store(name: &'static str, address: &str, server: &mut impl Server) {
    let mut kills = Kills::new(name, address, 5, [10, 3]);
    kills.of_the_store(server).await;
    let tally = kills.finish().await;
    assert_eq!(tally.lost, Vec::<String>::new());
    assert_eq!(tally.revived, Vec::<String>::new());
}
