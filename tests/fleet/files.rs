//! Nodes that may open no more files, which is to say: no more connections.

use std::process::Command;

use crate::launch;
use crate::nodes::still::{ended, signed_in};
use crate::nodes::{Node, cuts};
use crate::place::Place;
use crate::postgres::eventually;
use crate::proxy::{Link, Proxy};

const HASTY: [(&str, &str); 2] = [("REVOCATION_MAX_STALENESS", "2s"), ("STORE_TIMEOUT", "1s")];

/// Sets how many files a node may have open; it keeps those that it has.
fn limit(node: &Node, most: u32) -> bool {
    let id = node.id().to_string();
    let set = Command::new("prlimit")
        .args(["--pid", &id, &format!("--nofile={most}:")])
        .status();
    set.is_ok_and(|status| status.success())
}

/// Loses its connections while it may make no others, and gets them back once it may.
pub async fn a_process_that_may_open_no_more_files_is_closed_until_it_may(place: &Place) {
    let server = place.server().expect("only a server is connected to");
    let proxy = Proxy::to(server).await.unwrap();
    let node = launch()
        .start(&place.by_way_of(proxy.address()), &HASTY)
        .await;
    let (lives, dies) = (signed_in(&node).await, signed_in(&node).await);
    for pair in [&lives, &dies] {
        cuts::let_in(&node, &pair.access).await.unwrap();
    }
    ended(&node, &dies).await;
    if !limit(&node, 4) {
        return eprintln!("skipped: there is no prlimit");
    }
    proxy.set(Link::Cut);
    proxy.set(Link::Forward);
    eventually("the view is too old", async || {
        let answer = node.check(&lives.access).await;
        assert!(matches!(answer.status, 200 | 503), "{answer:?}");
        assert!(matches!(node.check(&dies.access).await.status, 401 | 503));
        answer.status == 503
    })
    .await;
    let refused = node.sign_in("grace").await.unwrap_err();
    assert!(!refused.contains("panicked"), "{refused}");
    assert!(limit(&node, 1_024));
    cuts::let_in(&node, &lives.access).await.unwrap();
    eventually("somebody signs in", async || {
        node.sign_in("grace").await.is_ok()
    })
    .await;
    eventually("it is said why", async || {
        let answer = node.check(&dies.access).await;
        assert!(matches!(answer.status, 401 | 503), "{answer:?}");
        answer.status == 401
    })
    .await;
}
