//! How long it takes until a revocation holds on every node.

use std::time::Duration;

use crate::backend::Backend;
use crate::figures::{Bound, Figure, Figures};
use crate::nodes::{Launch, Node};
use crate::revoked::{SETTINGS, between};

const NODES: usize = 4;
/// The staleness bound of the nodes, and twice the largest step of the store's clock.
const LEASE: Duration = Duration::from_millis(2_000 + 200);

pub async fn measure(backend: &dyn Backend, quick: bool, figures: &mut Figures) {
    figures.part("everywhere", "A revocation that is everywhere, 4 nodes");
    let address = backend.address("everywhere").await;
    let mut nodes = Vec::new();
    for _ in 0..NODES {
        nodes.push(Launch::program().start(&address, &SETTINGS).await);
    }
    let mut times = Vec::new();
    for _ in 0..if quick { 30 } else { 300 } {
        times.push(everywhere(&nodes).await);
    }
    let wanted = backend.pushes().then_some(20.0);
    figures.add_times("everywhere()", times, [None, wanted]);
    let mut longest = Duration::ZERO;
    for _ in 0..if quick { 2 } else { 5 } {
        pause(&nodes).await;
        longest = longest.max(everywhere(&nodes).await);
        nodes[NODES - 1].resume();
        // Until it has a lease again.
        nodes[NODES - 1].ask("status").await;
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    // What its answer takes is on top of the lease.
    let most = Bound::AtMost(LEASE.as_secs_f64() * 1_000.0 + 100.0);
    figures.add(Figure::millis(
        "with one node stopped, longest",
        longest,
        Some(most),
    ));
}

/// Stops the last node where it is not in the middle of a transaction, which would stop the
/// writers of an embedded store.
async fn pause(nodes: &[Node]) {
    loop {
        nodes[NODES - 1].pause();
        let probe = nodes[0].sign_in("probe");
        if let Ok(Ok(_)) = tokio::time::timeout(Duration::from_secs(1), probe).await {
            return;
        }
        nodes[NODES - 1].resume();
    }
}

async fn everywhere(nodes: &[Node]) -> Duration {
    let pair = nodes[0].sign_in("ada").await.expect("a sign-in");
    let ended = nodes[0]
        .end_everywhere(&pair.session)
        .await
        .expect("an end");
    between(ended.began, ended.done)
}
