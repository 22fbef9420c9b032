//! How long a node takes until it answers by itself, by how much the log holds.

use std::path::Path;
use std::time::Instant;

use tower_jwt_session::{Environment, JwtSession, store_at};

use crate::churn::entries;
use crate::growth::order::sentences;
use crate::plot::Curve;
use crate::results::{Results, Wanted as Figure};
use crate::{Wanted, backend, in_a_process, runtime};

pub fn measure(wanted: &Wanted, folder: &Path, results: &mut Results) {
    results.say(
        "A process of its own starts on a store that holds so many live revocations: from the call of `start`, with the connection, until its \
         view is fresh and complete. The median of three.",
    );
    let sizes: &[u64] = match wanted.quick {
        true => &[1_000, 100_000],
        false => &[1_000, 10_000, 100_000, 1_000_000],
    };
    let mut curves = Vec::new();
    for name in wanted.stores.iter().filter(|name| *name != "memory") {
        let backend = backend::at(name, folder).unwrap_or_else(|why| crate::refuse(&why));
        let runtime = runtime(2);
        let (mut points, mut filled) = (Vec::new(), 0);
        for &size in sizes {
            let address = runtime.block_on(async {
                let address = backend.address(PART).await;
                let store = store_at(&address).expect("it is the address of a store");
                while filled < size {
                    let more = AT_ONCE.min(size - filled);
                    let written = store.append(entries(more)).await;
                    written.expect("the store takes it");
                    filled += more;
                }
                address
            });
            let mut started: Vec<Vec<f64>> = (0..3)
                .map(|_| in_a_process(&format!("start {address}")))
                .collect();
            started.sort_by(|a, b| a[0].total_cmp(&b[0]));
            let seconds = started[1][0];
            let gated = Figure::AtMost {
                goal: 1.0,
                gate: 5.0,
            };
            let gated = (size == 1_000_000).then_some(gated);
            results.judge(
                format!("{name}: start with {size} revocations"),
                seconds,
                "s",
                gated,
            );
            if size >= 100_000 {
                let each = started[1][1] / size as f64;
                results.add(format!("{name}: memory for each of {size}"), each, "bytes");
            }
            points.push((size as f64, seconds * 1_000.0));
        }
        curves.push(Curve {
            name: known(name),
            points,
        });
    }
    results.draw(
        "by-revocations",
        "Start of a node, by live revocations: milliseconds",
        &sentences(&curves, "live revocations", &[DOES; 3]),
        &curves,
    );
}

/// Starts a node; prints how many seconds that took, and how many bytes.
pub fn child(address: &str) {
    runtime(2).block_on(async {
        let env = Environment::from_pairs([("SESSION_STORE", address), ("STORE_TIMEOUT", "60s")]);
        let auth = JwtSession::builder()
            .hmac_secret(b"7e0a9c51d3f84b26a1c05d9e47b3f8620f1e2d3c4b5a69788796a5b4c3d2e1f0")
            .with_env(&env)
            .build()
            .expect("the settings are sound");
        let (before, began) = (crate::resident(), Instant::now());
        let running = auth.start().await.expect("the store answers");
        while !auth.view().fresh || !auth.view().complete {
            tokio::task::yield_now().await;
        }
        let took = began.elapsed().as_secs_f64();
        println!("{took} {}", crate::resident() - before);
        running.shutdown().await;
    });
}

/// How a store is called.
pub fn known(name: &str) -> &'static str {
    match name {
        "sqlite" => "SQLite",
        "postgres" => "PostgreSQL",
        "redis" => "Redis",
        _ => "memory",
    }
}

const DOES: &str = "The log is read once, from its beginning to its end.";
const PART: &str = "revoked";
const AT_ONCE: u64 = 5_000;
