//! A short soak: some seconds of the load that `cargo bench --bench load -- soak` keeps up for half an hour.

#[path = "../support/postgres.rs"]
mod cluster;
mod driver;
#[path = "../folder/mod.rs"]
mod folder;
mod judged;
#[path = "../nodes/mod.rs"]
mod nodes;
#[path = "../support/proxy.rs"]
mod proxy;
#[path = "../redis_server/mod.rs"]
mod redis_server;

use std::time::Duration;

use driver::{Settings, run};
use nodes::{Launch, program};

/// Does nothing unless it was started as a node.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_of_a_soak() {
    if std::env::var_os(nodes::IS_NODE).is_some() {
        program::play().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn under_mixed_load_with_faults_every_answer_is_explained() {
    // On a machine that is busy with other things little may happen in that time.
    for seconds in [12, 30, 60] {
        if is_explained(Duration::from_secs(seconds)).await {
            return;
        }
    }
    panic!("in a minute it was hardly asked, or hardly anything failed");
}

/// Whether so much was asked, and so much failed, that it says something.
async fn is_explained(lasts: Duration) -> bool {
    let settings = Settings {
        store: std::env::var("SOAK_STORE").unwrap_or_else(|_| "redis".to_owned()),
        lasts,
        users: 12,
        quiet: Duration::from_millis(400),
        fault: Duration::from_millis(1_200),
        sample: Duration::from_secs(1),
    };
    let outcome = run(&settings, &Launch::test("a_node_of_a_soak")).await;
    for (kind, seen, count) in outcome.tally.kinds() {
        eprintln!("{count:8} {kind} ({seen})");
    }
    // That a call took longer than it may is also a busy machine's doing: the long run counts those.
    let mut unexplained = outcome.tally.unexplained();
    let is_late = |line: &String| {
        line.contains("store_unavailable") || line.contains("the session store failed")
    };
    unexplained.retain(|line| !is_late(line));
    assert_eq!(unexplained, Vec::<String>::new());
    outcome.tally.all() > 500 && outcome.faults.len() > 2
}
