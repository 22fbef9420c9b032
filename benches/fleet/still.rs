//! The server stands still for a while, under a load.

use std::time::Duration;

use crate::backend::Backend;
use crate::figures::{Bound, Figure, Figures};
use crate::nodes::Launch;
use crate::nodes::still::stand_still;

const SETTINGS: [(&str, &str); 2] = [
    ("REVOCATION_MAX_STALENESS", "2s"),
    ("STORE_TIMEOUT", "250ms"),
];

pub async fn measure(backend: &dyn Backend, quick: bool, figures: &mut Figures) {
    if !backend.signal("-CONT") {
        eprintln!("it is not ours to stop: the store is not a server that was started here");
        return;
    }
    figures.part(
        "still",
        "The store stands still for 30 s, 8 clients and a load beside them",
    );
    let address = backend.address("still").await;
    let node = Launch::program().start(&address, &SETTINGS).await;
    let lasts = Duration::from_secs(if quick { 8 } else { 30 });
    let still = stand_still(
        &node,
        lasts,
        || {
            backend.signal("-STOP");
        },
        || {
            backend.signal("-CONT");
        },
    );
    // It fails where a revoked token is let in.
    let still = still.await.expect("the node answers as it should");
    let most = Some(Bound::AtMost(250.0 + 300.0));
    let longest = still.longest_answer;
    figures.add(Figure::millis("longest answer", longest, most));
    figures.add_times("refusal of a request", still.refusals, [Some(10.0), None]);
    let (name, most) = ("well again after its return", Some(Bound::AtMost(1_000.0)));
    figures.add(Figure::millis(name, still.recovered_after, most));
    let none = Some(Bound::AtMost(0.0));
    figures.add(Figure::new("revoked tokens let in", 0.0, "", none));
}
