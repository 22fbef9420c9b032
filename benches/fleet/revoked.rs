//! From a revocation on one node to the first refusal on another.

use std::time::Duration;

use crate::backend::Backend;
use crate::figures::Figures;
use crate::nodes::{Launch, Node};

pub const SETTINGS: [(&str, &str); 2] =
    [("REVOCATION_MAX_STALENESS", "2s"), ("STORE_TIMEOUT", "5s")];

pub async fn measure(backend: &dyn Backend, quick: bool, figures: &mut Figures) {
    figures.part("revoked", "Revoked on A, refused on B");
    let address = backend.address("revoked").await;
    let launch = Launch::program();
    let a = launch.start(&address, &SETTINGS).await;
    let b = launch.start(&address, &SETTINGS).await;
    let times = if quick { 50 } else { 500 };
    let wanted = if backend.pushes() { WANTED } else { [None; 2] };
    let (held, asked) = latencies(&a, &b, times).await;
    figures.add_times("idle, since A's answer", held, wanted);
    figures.add_times("idle, since A was asked", asked, [None; 2]);
    // Clients that wait a little after each write, and some that never do: those take all the time
    // that there is, so what is measured beside them is how long a process waits for its turn.
    for (load, named, wanted) in [
        (LOAD, "4 clients on each that write every 10 ms", wanted),
        ("load 4", "no processor free", [None; 2]),
    ] {
        for node in [&a, &b] {
            node.ask(load).await;
        }
        let (held, asked) = latencies(&a, &b, times).await;
        figures.add_times(&format!("{named}, since A's answer"), held, wanted);
        figures.add_times(&format!("{named}, since A was asked"), asked, [None; 2]);
        for node in [&a, &b] {
            node.ask("rest").await;
        }
    }
}

async fn latencies(a: &Node, b: &Node, times: u32) -> (Vec<Duration>, Vec<Duration>) {
    let (mut held, mut asked) = (Vec::new(), Vec::new());
    for time in 0..times {
        let pair = a.sign_in("ada").await.expect("a sign-in");
        assert_eq!(b.check(&pair.access).await.status, 200);
        let (refused, ended) = tokio::join!(b.await_refusal(&pair.access), async {
            // B is watching by then.
            tokio::time::sleep(Duration::from_millis(2)).await;
            a.end(&pair.session).await.expect("an end")
        });
        let refused = refused.expect("a refusal");
        held.push(between(ended.held, refused));
        asked.push(between(ended.began, refused));
        if (time + 1) % 100 == 0 {
            eprintln!("  {} of {times}", time + 1);
        }
    }
    (held, asked)
}

/// From one instant to another, in nanoseconds since 1970; nothing where it had come before.
pub fn between(from: u128, to: u128) -> Duration {
    Duration::from_nanos(u64::try_from(to.saturating_sub(from)).unwrap_or(u64::MAX))
}

/// Four clients that sign in, check twenty times, refresh, and so on, and wait 10 ms after each write.
const LOAD: &str = "load 4 10";
/// In milliseconds, at p50 and p99.
const WANTED: [Option<f64>; 2] = [Some(1.0), Some(5.0)];
